"""Webhooks to units' own systems as the job carries them out: signed, with the same id in every attempt, for 24 hours.

An attempt that fails is repeated after a pause that doubles; what is still not taken a day after it began is given up,
visibly, and can be resent. A system that does not answer rests between attempts, so that its queue never holds up the
webhooks of other units.
"""

from __future__ import annotations

import zlib
from datetime import timedelta

import structlog

from hotline.errors import Forbidden, Unavailable
from hotline.handoff import Later
from hotline.ports import Clock
from hotline.signing import signed_headers
from hotline.unit_ports import Attempt, DeliveryRows, Post, Rest

log = structlog.get_logger(__name__)
GIVE_UP_AFTER = timedelta(hours=24)
_FIRST, _LONGEST = 10.0, 3600.0


def pause_after(id_: str, attempts: int, *, left: timedelta) -> timedelta:
    """Return the pause after so many failed attempts: 10 s, 20 s, 40 s … an hour, some tenths more or less by the id.

    The last attempt falls on the end of the 24 hours, of which `left` are left.
    """
    spread = 0.9 + zlib.crc32(id_.encode()) % 1000 / 5000
    seconds = min(_FIRST * 2.0 ** min(attempts - 1, 20), _LONGEST) * spread
    return min(timedelta(seconds=seconds), left)


class Deliveries:
    """Delivers webhooks."""

    def __init__(self, *, rows: DeliveryRows, post: Post, clock: Clock) -> None:
        self._rows, self._post, self._clock = rows, post, clock

    async def deliver(self, id_: str) -> None:
        """Deliver one webhook. Raises Later to try again; gives up visibly when trying is no use."""
        now = self._clock()
        begun = await self._rows.begin_delivery(id_, now, last_from=now - GIVE_UP_AFTER)
        match begun:
            case None:
                return
            case Rest(until=until):
                raise Later(max(until - now, timedelta(seconds=1)), "the unit's system does not answer and rests")
            case Attempt():
                await self._attempt(id_, begun)

    async def _attempt(self, id_: str, attempt: Attempt) -> None:
        body = attempt.payload.encode()
        headers = {
            "Content-Type": "application/json", "X-Delivery-Id": id_, "Idempotency-Key": id_,
            **signed_headers(attempt.secret, body, now=self._clock()),
        }
        status, error, hopeless = 0, "", False
        try:
            status = await self._post.post(attempt.url, body, tuple(headers.items()))
        except Unavailable as failure:
            error = failure.detail
        except Forbidden as failure:
            error, hopeless = failure.detail, True
        if 200 <= status < 300:
            await self._rows.settle_delivery(id_, status=status, now=self._clock())
            return
        await self._failed(id_, attempt, status, error or f"the unit's system answered {status}", hopeless=hopeless)

    async def _failed(self, id_: str, attempt: Attempt, status: int, error: str, *, hopeless: bool) -> None:
        now = self._clock()
        left = attempt.started_at + GIVE_UP_AFTER - now
        dead = hopeless or left <= timedelta()
        silent = not hopeless and (status == 0 or status == 429 or status >= 500)
        await self._rows.fail_delivery(id_, status=status, error=error, dead=dead, now=now, rest=silent)
        tell = log.error if dead else log.warning
        tell("webhook_given_up" if dead else "webhook_failed", id=id_, unit=attempt.unit, attempts=attempt.attempts,
             error=error)
        if not dead:
            raise Later(pause_after(id_, attempt.attempts, left=left), error)
