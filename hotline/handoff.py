"""The hand-off to 110, as jobs carry it out: each may run twice and must count once.

Every step can be repeated after a crash at any point: the desk knows the key, the ticket refuses a second
acknowledgement of the same incident, and a row that is settled is not begun again. A row lives as long as its ticket is
handed off: whoever closes or returns the ticket ends it in the same transaction (`hotline.effects`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from hotline import commands as c
from hotline.alarms import UNACKNOWLEDGED, UNSIGNED
from hotline.errors import IllegalTransition, RuleViolation, Unavailable
from hotline.events import SYSTEM, Actor, Role
from hotline.in_turn import each_apart
from hotline.ports import Clock, Desk, JobRows
from hotline.ticket import Ticket

log = structlog.get_logger(__name__)

_PUSH_DELAYS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
_POLICE = Actor(Role.POLICE, "110")
_OVER = frozenset({"refused", "returned", "closed"})


class Later(Exception):
    """The job did not get through; try again after `delay`."""

    def __init__(self, delay: timedelta, reason: str) -> None:
        super().__init__(reason)
        self.delay, self.reason = delay, reason


class Acts(Protocol):
    """The one thing needed of `hotline.service.Service`."""

    async def act(self, number: str, command: c.Command, *, actor: Actor) -> Ticket:
        """Carry out one command."""
        ...


class IncidentRows(JobRows, Protocol):
    """The rows behind the jobs, with what the desk has taken and not signed (`hotline.store.incidents.JobStore`)."""

    async def sign_incident(self, key: str) -> bool:
        """Record that the desk has signed an incident, unless it is over; tell whether its alarm has to be cleared."""
        ...

    async def unsigned(self, before: datetime) -> list[tuple[str, str]]:
        """Return key and ticket number of incidents taken before a moment, not signed and not alarmed yet."""
        ...

    async def mark_unsigned(self, key: str, now: datetime) -> bool:
        """Note the alarm of an incident; False if it is signed, or over, by now."""
        ...

    async def unmark_unsigned(self, key: str) -> None:
        """Note that the alarm of an incident is cleared."""
        ...


def later(delays: tuple[float, ...], attempts: int, reason: str) -> Later:
    """Return when to try again after so many attempts; `delays` in seconds, the last one goes on."""
    return Later(timedelta(seconds=delays[min(attempts, len(delays)) - 1]), reason)


class HandOffs:
    """Pushes incidents and raises the alarm on silence.

    The desk acknowledges a push within so many seconds, and signs within so many more what it has taken.
    """

    def __init__(
        self, *, rows: IncidentRows, desk: Desk | None, service: Acts, clock: Clock, acknowledge_within: float,
        sign_within: float,
    ) -> None:
        self._rows, self._desk, self._service, self._clock = rows, desk, service, clock
        self._acknowledge_within, self._sign_within = acknowledge_within, sign_within

    async def push(self, key: str) -> None:
        """Push one incident and record the answer. Raises Later when the desk does not answer."""
        pending = await self._rows.begin_push(key, self._clock())
        if pending is None:
            return
        try:
            if self._desk is None:
                raise Unavailable("no 110 desk is configured (police_url)")
            answer = await self._desk.push(key, pending.payload)
        except Unavailable as error:
            await self._rows.fail_push(key, error.detail)
            log.warning("push_failed", key=key, attempts=pending.attempts, error=error.detail)
            raise later(_PUSH_DELAYS, pending.attempts, error.detail) from error
        if answer.accepted:
            await _act(self._service, pending.number, c.AcknowledgeIncident(incident=answer.incident or key), _POLICE)
        else:
            await self._refused(pending.number, answer.reason)
        state = "accepted" if answer.accepted else "refused"
        await self._rows.settle_push(key, state, answer.incident, self._clock())

    async def alarm_on_silence(self) -> None:
        """Raise an alarm for every incident that the desk has left unanswered, or unsigned, too long.

        A ticket that cannot be read or changed keeps no other's alarm back: it is told at the end, and tried again.
        """
        now = self._clock()
        silent = await self._rows.silent(now - timedelta(seconds=self._acknowledge_within))
        unsigned = await self._rows.unsigned(now - timedelta(seconds=self._sign_within))
        await each_apart([
            *((key, partial(self._unanswered, key, number, now)) for key, number in silent),
            *((key, partial(self._unsigned, key, number, now)) for key, number in unsigned),
        ])

    async def _unanswered(self, key: str, number: str, now: datetime) -> None:
        detail = f"110在{self._acknowledge_within:.0f}秒内未确认接收,请改用电话移交"
        # Refused where the answer came in this moment: the ticket knows it before the row does.
        await _act(self._service, number, c.RaiseAlarm(alarm=UNACKNOWLEDGED, detail=detail), SYSTEM)
        await self._rows.mark_alarmed(key, now)

    async def _unsigned(self, key: str, number: str, now: datetime) -> None:
        detail = f"110接收后{self._sign_within:.0f}秒内未签收,请电话核实"
        await _act(self._service, number, c.RaiseAlarm(alarm=UNSIGNED, detail=detail), SYSTEM)
        if not await self._rows.mark_unsigned(key, now):  # it came in this moment
            await _act(self._service, number, c.ClearAlarm(alarm=UNSIGNED), SYSTEM)

    async def _refused(self, number: str, reason: str) -> None:
        # The alarm first: the return ends the incident, so after a kill in between nothing would come back for it.
        await _act(self._service, number, c.RaiseAlarm(alarm="incident_refused", detail=reason), SYSTEM)
        await _act(self._service, number, c.PoliceReturn(reason=reason or "110未说明原因"), _POLICE)


async def _act(service: Acts, number: str, command: c.Command, actor: Actor) -> None:
    """A command that the ticket refuses was done before, or a person was quicker."""
    try:
        await service.act(number, command, actor=actor)
    except (IllegalTransition, RuleViolation) as error:
        log.info("already_so", number=number, command=c.tag_of(type(command)), detail=error.detail)


class DeskUpdates:
    """What the desk tells of an incident after it took it: signed, returned, closed."""

    def __init__(self, *, rows: IncidentRows, service: Acts) -> None:
        self._rows, self._service = rows, service

    async def take(self, key: str, status: str, text: str) -> None:
        """Carry an update over to the ticket; a repeat changes nothing, and a late word does not undo the end.

        Raises:
            NotFound: no incident has this key.
            IllegalTransition, RuleViolation: 110 returns too late or for the second time, or the hand-off has ended
                otherwise.
        """
        number, state = await self._rows.incident(key)
        if status == "signed":
            await self._signed(key, number, state)
        elif state in _OVER and state != status:
            raise IllegalTransition(f"the hand-off {key} has ended already: {state}")
        elif state != status:
            await self._end(key, number, status, text)

    async def _signed(self, key: str, number: str, state: str) -> None:
        """Once more after a kill in between: a repeat finds the alarm as it was.

        Who signs what it has not acknowledged has taken it: its answer came too late, and the key stands in.
        """
        if state == "pending":
            await _act(self._service, number, c.AcknowledgeIncident(incident=key), _POLICE)
        if await self._rows.sign_incident(key):
            await self._service.act(number, c.ClearAlarm(alarm=UNSIGNED), actor=SYSTEM)
            await self._rows.unmark_unsigned(key)

    async def _end(self, key: str, number: str, status: str, text: str) -> None:
        """Act on the ticket, which ends the incident in the same transaction."""
        returned = status == "returned"
        command = c.PoliceReturn(reason=text or "110未说明原因") if returned else c.Close(note=text)
        try:
            await self._service.act(number, command, actor=_POLICE)
        except (IllegalTransition, RuleViolation):
            if (await self._rows.incident(key))[1] != status:  # else a repeat was quicker by this much
                raise
