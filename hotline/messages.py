"""Messages to citizens, as jobs carry them out: each may run twice and must count once.

A message goes out on the channel that the citizen used; where that cannot deliver it for good, by SMS if there is a
telephone (domain.md section 11). It is given up only visibly, with an alarm – except where the operator has set up no
way at all: then the citizen reads the progress by number and code, and there is nobody to alarm.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import msgspec
import structlog

from channels.message import Outbound
from hotline import commands as c
from hotline.errors import HotlineError, RateLimited, RuleViolation, Unavailable
from hotline.events import SYSTEM
from hotline.handoff import Acts, Later, later
from hotline.ports import Clock, JobRows, Sender
from hotline.terms import Channel

log = structlog.get_logger(__name__)
_SEND_DELAYS = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
_TRIES = len(_SEND_DELAYS) + 1
_OPTIONAL = frozenset({Channel.CALL, Channel.APP})
"""Ways that an operator need not have set up: the SMS gateway and the app's push."""
_NOT_SET_UP = "not_set_up"
Finish = Callable[[Outbound], Awaitable[Outbound]]
"""Puts what only exists when a message is sent into it: the signed link to rate."""


async def _as_it_is(message: Outbound) -> Outbound:
    return message


class Messages:
    """Sends what is owed to citizens, channel by channel."""

    def __init__(
        self, *, rows: JobRows, senders: Mapping[Channel, Sender], service: Acts, clock: Clock,
        finish: Finish = _as_it_is,
    ) -> None:
        self._rows, self._senders, self._service, self._clock = rows, senders, service, clock
        self._finish = finish

    async def send(self, key: str) -> None:
        """Send one message. Raises Later to try again; gives up visibly when trying is no use."""
        begun = await self._rows.begin_send(key)
        if begun is None:
            return
        message, attempts = begun
        if attempts > _TRIES:  # the last ones ended in a mistake of the program, which settles nothing
            await self._give_up(key, message.number, HotlineError(f"{_TRIES} attempts came to no end"))
            return
        try:
            await self._deliver(await self._finish(message), last=attempts >= _TRIES)
        except Unavailable as error:
            await self._rows.fail_send(key, error.detail)
            if attempts < _TRIES:
                raise later(_SEND_DELAYS, attempts, error.detail) from error
            await self._give_up(key, message.number, error)
        except RateLimited as error:
            await self._rows.spare_send(key, error.detail)
            raise Later(timedelta(seconds=error.retry_after), error.detail) from error
        except HotlineError as error:
            await self._give_up(key, message.number, error)
        else:
            await self._rows.settle_send(key, "sent", "", self._clock())

    async def _deliver(self, message: Outbound, *, last: bool) -> None:
        """Send on the message's own channel, by SMS where that is refused for good, or silent to the last attempt."""
        try:
            await self._send(message)
        except RateLimited:
            raise
        except HotlineError as error:
            gone = not isinstance(error, Unavailable) or last
            if not gone or not message.phone or Channel.CALL not in self._senders:
                raise
            log.info("message_by_sms", key=message.key, channel=message.channel, reason=error.error_id)
            await self._send(msgspec.structs.replace(message, channel=Channel.CALL, to=message.phone, phone=""))

    async def _send(self, message: Outbound) -> None:
        sender = self._senders.get(message.channel)
        if sender is None:
            error_id = _NOT_SET_UP if message.channel in _OPTIONAL else "no_sender"
            raise HotlineError(f"no sender is configured for {message.channel}", error_id=error_id)
        await sender.send(message)

    async def _give_up(self, key: str, number: str | None, error: HotlineError) -> None:
        if error.error_id != _NOT_SET_UP:
            log.error("message_undeliverable", key=key, number=number, error=error.detail)
            if number:
                await self._alarm(number, error.detail)
        await self._rows.settle_send(key, "failed", error.detail, self._clock())

    async def _alarm(self, number: str, detail: str) -> None:
        try:
            await self._service.act(number, c.RaiseAlarm(alarm="message_undeliverable", detail=detail), actor=SYSTEM)
        except RuleViolation:
            log.info("already_so", number=number, command="raise_alarm")
