"""The audit around what consoles and units' systems ask.

What succeeds as a command on a ticket is an event already (docs/audit.md); here stand look-ups, refusals and the rest.
A record is written before the answer goes out: where it cannot be written there is no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent_ui import protocol as p
from agent_ui.audit_notes import Note, actor_text, noted
from agent_ui.requests import Request, Requests
from agent_ui.staff import Staff
from channels.phone_number import normalize_phone
from hotline.audit import Record
from hotline.commands import tag_of
from hotline.errors import InvalidInput
from hotline.ports import Clock
from hotline.privacy import starred

_LOOKING = (
    p.TakeSnapshot, p.SetPresence, p.Consult, p.ReadArticle, p.FindSimilar, p.ListHotSpots, p.ReadTerms, p.Explain,
    p.Look, p.Propose, p.ReadFloor, p.NextFollowUp,
)
"""What only reads lists, or one's own presence: of these refusals alone are kept."""


class AuditedRequests(Requests):
    """Requests of consoles and of units' systems, kept as the module says."""

    def __init__(self, *, note: Note, blind: Callable[[str], str], clock: Clock, **rest: Any) -> None:
        """`note` keeps a record, `blind` makes the index by which a phone is told; the rest as `Requests`."""
        super().__init__(clock=clock, **rest)
        self._note, self._blind, self._now = note, blind, clock

    async def answer(self, staff: Staff, ask: Request) -> p.ServerFrame:
        """Return the answer to one request, as `Requests.answer`."""
        act, subject, detail = self._told(ask)
        record = Record(at=self._now(), actor=actor_text(staff), act=act, subject=subject, detail=detail)
        by_event = isinstance(ask, (p.RunCommand, *_LOOKING)) or (isinstance(ask, p.Open) and not ask.reason.strip())
        plain = by_event or (isinstance(ask, p.Search) and not ask.phone.strip())
        return await noted(self._note, record, super().answer(staff, ask), more=_outcome, only_refusals=plain)

    def _told(self, ask: Request) -> tuple[str, str, dict[str, str]]:
        match ask:
            case p.Search(phone=phone) if phone.strip():
                return "person.search", self._index(phone), {}
            case p.Open(number=number, reason=reason) if reason.strip():
                return "ticket.unmask", number, {"reason": starred(reason.strip())[:200]}
            case p.RunCommand(number=number, command=command):
                return f"ticket.{tag_of(type(command))}", number, {}
            case _:
                named = (str(getattr(ask, name, "") or "") for name in ("number", "call", "callback", "into"))
                subject = next(filter(None, named), "")
                return f"console.{tag_of(type(ask))}", subject[:200], {}

    def _index(self, phone: str) -> str:
        try:
            return self._blind(normalize_phone(phone))
        except InvalidInput:
            return ""


def _outcome(answer: p.ServerFrame) -> dict[str, str]:
    """Return what the record tells of an answer: how many were found, whether everything was shown."""
    if not isinstance(answer, p.Ok):
        return {}
    if isinstance(answer.opened, p.Opened):
        return {"full": "no" if answer.opened.masked else "yes"}
    return {"found": str(len(answer.rows))} if isinstance(answer.rows, tuple) else {}
