"""What others have reported already: told before a citizen sends, and joined with one tap.

Who joins gets a number and a code of their own: the appeal is taken in as every other one and then merged (并单), so
news of the matter reach them too. Killed in between, a repeat under the same key merges it; without one a person may.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from channels.message import Inbound, Receipt
from channels.views import Look, SimilarReport
from hotline import commands as c
from hotline.appeal import UNTRIAGED, Appeal, Place, Triage, compared_text, has_words
from hotline.errors import IllegalTransition, RuleViolation, VersionConflict
from hotline.events import SYSTEM
from hotline.ids import TicketId, TicketNumber
from hotline.intake import Intake
from hotline.limit import time_limit
from hotline.ports import Clock, TriageBatch
from hotline.service import Service
from hotline.terms import Service as Called
from hotline.terms import State, Verdict

log = structlog.get_logger(__name__)
SURE = 0.6
"""Confidence from which a category is told."""
LEAST = 6
"""Characters of a text below which nothing is looked for."""
_TRIAGE_LIMIT = 0.3


class SimilarRows(Protocol):
    """Finds public tickets (`hotline.store.similar.SimilarStore`)."""

    async def alike(self, text: str, now: datetime) -> list[SimilarReport]:
        """Return the likeliest public open tickets, a few."""
        ...

    async def joinable(self, number: TicketNumber) -> tuple[TicketId, bool]:
        """Return the id of the ticket in which a public matter is handled, and whether it is open. Raises NotFound."""
        ...


class Similar:
    """Implements `channels.port.SimilarPort`. `busy` tells that intake has no time for courtesies."""

    def __init__(
        self, *, rows: SimilarRows, intake: Intake, service: Service, triage: TriageBatch, clock: Clock,
        busy: Callable[[], bool],
    ) -> None:
        self._rows, self._intake, self._service = rows, intake, service
        self._triage, self._clock, self._busy = triage, clock, busy

    async def look(self, text: str, place: Place) -> Look:
        """Return what can be told of an appeal before it is sent."""
        told = compared_text(Appeal(text=text, place=place))
        if self._busy() or (len(text) < LEAST and not place.town):
            return Look()
        judged = self._judged(text)
        sure = judged.category is not None and judged.category.confidence >= SURE
        danger: tuple[Called, ...] = ()
        if judged.verdict is Verdict.EMERGENCY:
            danger = judged.services or (Called.POLICE,)
        return Look(
            danger=danger, towns=judged.towns, category=judged.category.l2 if sure and judged.category else "",
            reports=tuple(await self._rows.alike(told, self._clock())),
        )

    def _judged(self, text: str) -> Triage:
        """Triage as intake does, on the spot; without words, or late, nothing is told."""
        if not has_words(text):
            return _UNTOLD
        try:
            with time_limit(_TRIAGE_LIMIT):
                [judged] = self._triage([text])
        except TimeoutError:
            log.info("look_without_triage")
            return _UNTOLD
        return judged

    async def join(self, number: TicketNumber, inbound: Inbound) -> tuple[Receipt, bool]:
        """Take an appeal in and merge it into an open public ticket; see `channels.port.SimilarPort.join`."""
        parent, is_open = await self._rows.joinable(number)
        # Nothing is dispatched before it is merged: the department has the matter already.
        receipt = await self._intake.submit(msgspec.structs.replace(inbound, person=is_open))
        if not await self._merged(receipt, parent, is_open=is_open):
            return receipt, False
        shown = await self._service.progress(receipt.number, receipt.code)
        return msgspec.structs.replace(
            receipt, status=shown.status, department=shown.department, expected_by=shown.expected_by
        ), True

    async def _merged(self, receipt: Receipt, parent: TicketId, *, is_open: bool) -> bool:
        if not is_open:
            return False
        try:
            await self._service.act(receipt.number, c.Merge(parent=parent), actor=SYSTEM)
        except (IllegalTransition, RuleViolation, VersionConflict) as error:
            if receipt.repeat:  # merged the first time
                standing = await self._service.progress(receipt.number, receipt.code)
                return standing.status is State.MERGED
            log.info("not_joined", number=receipt.number, detail=error.detail)
            return False
        return True


_UNTOLD = msgspec.structs.replace(UNTRIAGED, verdict=Verdict.NON_EMERGENCY)
