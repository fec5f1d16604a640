"""Intake: one way in for every message of every channel.

What arrives while the batch before is being written becomes the next batch: it is triaged at once, decided by pure
functions and written in one transaction; then each sender gets its answer. If triage fails or is late the ticket is
committed all the same, for a person to triage; a batch that cannot be written is taken one by one, so that one message
hurts no other. When too much waits, a new message is refused before memory grows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from channels.message import Inbound, Receipt
from hotline import opening
from hotline.appeal import UNTRIAGED, Triage, has_words, unspoken
from hotline.batches import Batches
from hotline.effects import Effects, Spoken, effects_of_all
from hotline.errors import HotlineError, Overloaded, Unavailable
from hotline.ids import TicketNumber
from hotline.judged import judged_text, placed, untold_address
from hotline.limit import time_limit
from hotline.opening import Change, CityRules, continue_ticket, nothing, raised, reassessed, receipt_of
from hotline.ports import Clock, Contains, NewTicket, TicketIntake, TriageBatch
from hotline.ticket import Ticket

log = structlog.get_logger(__name__)
_UNSURE = "the appeal could not be stored for certain: please repeat it; under the same key it is taken once"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How intake batches and when it refuses. Times in seconds.

    New tickets are opened by one worker: with two, batches were half as big and emergencies waited longer
    (docs/benchmarks.md). `singly` workers take what needs a transaction of its own, so nobody waits behind it.
    """

    max_batch: int = 128
    max_waiting: int = 2000
    singly: int = 2
    gather: float = 0.002
    triage_timeout: float = 0.8
    late_in_a_row: int = 3
    triage_rest: timedelta = timedelta(seconds=10)


class _Waiting(msgspec.Struct, frozen=True):
    inbound: Inbound
    answer: asyncio.Future[Receipt]


class Intake:
    """Takes messages in. Use as an async context manager: leaving it drains what waits."""

    def __init__(
        self,
        *,
        store: TicketIntake,
        triage: TriageBatch,
        rules: Callable[[], CityRules],
        clock: Clock,
        new_code: Callable[[], str],
        limits: Limits = Limits(),
        containment: Contains | None = None,
    ) -> None:
        self._store, self._triage, self._rules = store, triage, rules
        self._clock, self._new_code, self._limits = clock, new_code, limits
        self._containment = containment
        self._opening = Batches(self._open_all, workers=1, most=limits.max_batch, gather=limits.gather)
        self._singly = Batches(self._take_each, workers=limits.singly, most=limits.max_batch, gather=limits.gather)
        self._late_in_a_row = 0
        self._triage_rests_until = datetime.min.replace(tzinfo=UTC)
        self.towns_in: Callable[[str], Iterable[str]] = lambda _: ()  # `serve` sets it, to the gazetteer's

    async def __aenter__(self) -> Intake:
        await self._opening.__aenter__()
        await self._singly.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opening.__aexit__()
        await self._singly.__aexit__()  # last: what could not be written together comes to it

    @property
    def waiting(self) -> int:
        """How many messages wait for a batch."""
        return len(self._opening) + len(self._singly)

    async def submit(self, inbound: Inbound) -> Receipt:
        """Take one message in and return its receipt after the commit; a repeat gets the first one.

        Raises:
            Overloaded: too much waits already; try again in `retry_after` seconds.
            KeyReused: the delivery's key came before with other content.
            NotFound, IllegalTransition, RuleViolation: the message names a ticket that cannot take it.
            Unavailable: the database did not confirm it; the sender should repeat under the same key.
        """
        if self._opening.closing or self.waiting >= self._limits.max_waiting:
            raise Overloaded("the hotline is taking in all it can; please repeat in a moment", retry_after=2)
        waiting = _Waiting(inbound, asyncio.get_running_loop().create_future())
        (self._singly if self._alone(inbound) else self._opening).put(waiting)
        return await waiting.answer

    # ── batches ──────────────────────────────────────────────────────────────────────────────────
    def _alone(self, inbound: Inbound) -> bool:
        """Tell whether a message needs a transaction of its own: of a conversation, or from a marked contact."""
        return _joins(inbound) or (self._containment is not None and self._containment.concerns(inbound))

    async def _open_all(self, batch: Sequence[_Waiting]) -> None:
        pairs = self._judged(batch)
        opened = self._open([(waiting.inbound, triage) for waiting, triage in pairs])
        await self._settle([waiting for waiting, _ in pairs], opened)

    async def _take_each(self, batch: Sequence[_Waiting]) -> None:
        for waiting, triage in self._judged(batch):
            await self._settle([waiting], self._take_one(waiting.inbound, triage))

    async def _take_one(self, inbound: Inbound, triage: Triage) -> Sequence[Receipt | HotlineError]:
        if self._containment is not None and self._containment.concerns(inbound):
            inbound, triage = await self._containment.contain(inbound, triage)
        return await (self._join(inbound, triage) if _joins(inbound) else self._open([(inbound, triage)]))

    def _judged(self, batch: Sequence[_Waiting]) -> list[tuple[_Waiting, Triage]]:
        wanted = [waiting for waiting in batch if not waiting.answer.cancelled()]
        triages = self._triaged([judged_text(waiting.inbound.appeal) for waiting in wanted]) if wanted else []
        return list(zip(wanted, triages, strict=True))

    async def _settle(self, batch: Sequence[_Waiting], outcome: Awaitable[Sequence[Receipt | HotlineError]]) -> None:
        """Hand each sender its receipt or its error; an outage goes to all of a batch.

        Of a batch that fails otherwise each is tried by itself: what was written after all is found as a repeat.
        """
        try:
            results: Sequence[Receipt | HotlineError] = await outcome
        except HotlineError as error:
            results = [error] * len(batch)
        except Exception:  # each sender waits for an answer; whether it was written nobody knows
            log.exception("intake_write_failed", messages=len(batch))
            if len(batch) > 1:
                for waiting in batch:
                    self._singly.put(waiting)
                return
            results = [Unavailable(_UNSURE)]
        for waiting, result in zip(batch, results, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(result, HotlineError):
                waiting.answer.set_exception(result)
            else:
                waiting.answer.set_result(result)

    def _triaged(self, texts: Sequence[str]) -> Sequence[Triage]:
        """Triage a batch on the spot: it takes milliseconds, and a thread would fight us for the interpreter.

        When it was late several times in a row it is left alone for a while, or it would hold up everything else.
        """
        if self._clock() < self._triage_rests_until:
            return [UNTRIAGED] * len(texts)
        try:
            with time_limit(self._limits.triage_timeout):
                triages = self._triage(texts)
            self._late_in_a_row = 0
            if len(triages) == len(texts):
                # Of a picture without words a model can only guess: a person looks at it.
                pairs = zip(texts, triages, strict=True)
                return [triage if has_words(text) else unspoken(text) for text, triage in pairs]
            log.error("triage_count_differs", texts=len(texts), triages=len(triages))
        except TimeoutError:
            self._was_late(len(texts))
        except Exception:  # a text that breaks triage is still an appeal: it goes to a person
            log.exception("triage_failed", texts=len(texts))
        return [UNTRIAGED] * len(texts)

    def _was_late(self, texts: int) -> None:
        self._late_in_a_row += 1
        rests = self._late_in_a_row >= self._limits.late_in_a_row
        if rests:
            self._late_in_a_row = 0
            self._triage_rests_until = self._clock() + self._limits.triage_rest
        log.warning("triage_late", texts=texts, timeout=self._limits.triage_timeout, rests=rests)

    # ── deciding ─────────────────────────────────────────────────────────────────────────────────
    async def _open(self, pairs: Sequence[tuple[Inbound, Triage]]) -> Sequence[Receipt | HotlineError]:
        return await self._store.open_batch(await self._prepare(pairs)) if pairs else []

    async def _prepare(self, pairs: Sequence[tuple[Inbound, Triage]]) -> list[NewTicket]:
        now, rules = self._clock(), self._rules()
        reserved = await self._store.reserve([inbound.channel for inbound, _ in pairs], now)
        prepared = []
        for (inbound, triage), (id_, number) in zip(pairs, reserved, strict=True):
            change = self._opened(inbound, triage, number, rules, now)
            code = self._new_code()
            receipt = receipt_of(change, code, rules=rules, now=now)
            effects = effects_of_all(change.ticket, change.events, signature=rules.signature)
            prepared.append(
                NewTicket(id=id_, code=code, inbound=inbound, change=change, receipt=receipt, effects=effects)
            )
        return prepared

    def _opened(
        self, inbound: Inbound, triage: Triage, number: TicketNumber, rules: CityRules, now: datetime
    ) -> Change:
        """Routing that fails must not lose the appeal: it is opened for a person, with the verdict that it has."""
        try:
            if address := untold_address(inbound):  # a text need not name its place
                triage = placed(triage, self.towns_in(address))
            return opening.open_ticket(inbound, triage, number=number, rules=rules, now=now)
        except Exception:  # a fault of ours or of the directory, whatever it is, is nothing the citizen did
            log.exception("routing_failed", number=number)
            return opening.open_unrouted(inbound, triage, number=number, rules=rules, now=now)

    async def _join(self, inbound: Inbound, triage: Triage) -> Sequence[Receipt | HotlineError]:
        rules = self._rules()

        def continued(ticket: Ticket, merged: TicketNumber | None) -> tuple[Change, Receipt, Effects]:
            now = self._clock()
            change = _continued(ticket, inbound, triage, rules, now, merged)
            spoken = Spoken(inbound.appeal.text, triage, merged)
            effects = effects_of_all(change.ticket, change.events, signature=rules.signature, spoken=spoken)
            return change, receipt_of(change, "", rules=rules, now=now), effects

        if inbound.continues is not None:
            return [await self._store.continue_named(inbound, inbound.continues, continued)]
        [opened] = await self._prepare([(inbound, triage)])
        return [await self._store.converse(inbound, opened, continued)]


def _continued(
    ticket: Ticket, inbound: Inbound, triage: Triage, rules: CityRules, now: datetime, merged: TicketNumber | None
) -> Change:
    """What follows from a message must not lose it: where that fails, less follows, and last the message alone."""
    for follows in (raised, reassessed):
        try:
            return continue_ticket(ticket, inbound, triage, rules=rules, now=now, merged=merged, follows=follows)
        except Exception:  # a fault of ours, whatever it is, is nothing the citizen did
            log.exception("follow_up_of_message_failed", number=ticket.number, verdict=triage.verdict)
    return continue_ticket(ticket, inbound, triage, rules=rules, now=now, merged=merged, follows=nothing)


def _joins(inbound: Inbound) -> bool:
    return bool(inbound.conversation) or inbound.continues is not None

