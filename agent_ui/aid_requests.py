"""What a console asks to judge a ticket by: terms, proposals, the words that led to a category, who else looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, assert_never

from agent_ui.aids import CityTerms, Looking, present, proposal_of
from agent_ui.protocol import Explain, Look, Ok, Propose, ReadTerms
from agent_ui.staff import Staff
from hotline.appeal import Evidence
from hotline.errors import Unavailable
from hotline.ports import Clock
from hotline.ticket import Ticket
from routing.directory import Directory

AidAsk = ReadTerms | Propose | Explain | Look
Explainer = Callable[[str, str, Sequence[str]], tuple[Evidence, ...]]
"""Words of a text that speak for a category (`l1 + l2`) against its rivals (`triage.pipeline.Pipeline.explain`)."""


class Looks(Protocol):
    """Keeps who looks at what (`hotline.store.looks.LookStore`). Raises Unavailable."""

    async def ticket(self, number: str) -> Ticket:
        """Return a ticket. Raises NotFound."""
        ...

    async def look(self, look: Looking) -> Sequence[Looking]:
        """Tell that somebody looks at a ticket, or no more; return the last word on everybody of late."""
        ...


class Aids:
    """Answers over the directory in force, the model and the looks."""

    def __init__(
        self, *, terms: Callable[[], CityTerms], directory: Callable[[], Directory], looks: Looks, clock: Clock,
        explain: Explainer | None = None,
    ) -> None:
        self._terms, self._directory, self._looks, self._clock = terms, directory, looks, clock
        self._explain = explain

    async def answer(self, staff: Staff, ask: AidAsk) -> Ok:
        """Return the answer to one request. Raises the errors of `hotline.errors`."""
        match ask:
            case ReadTerms():
                return Ok(id=ask.id, terms=self._terms())
            case Propose():
                proposal = proposal_of(self._directory(), ask.l1, ask.l2, ask.kind, ask.towns, ask.confidence)
                return Ok(id=ask.id, proposal=proposal)
            case Explain():
                return Ok(id=ask.id, number=ask.number, evidence=await self._words(ask))
            case Look():
                look = Looking(staff=staff.name, number=ask.number, at=self._clock(), away=ask.away)
                others = await self._looks.look(look)
                return Ok(id=ask.id, number=ask.number, looking=present(others, but=staff.name))
            case _:
                assert_never(ask)

    async def _words(self, ask: Explain) -> tuple[Evidence, ...]:
        if self._explain is None:
            raise Unavailable("this process has no model at hand to explain")
        ticket = await self._looks.ticket(ask.number)
        triage = ticket.triage
        proposed = [triage.category, *triage.alternatives]
        rivals = [one.l1 + one.l2 for one in proposed if one is not None]
        return self._explain(ticket.appeal.text, ask.l1 + ask.l2, rivals)
