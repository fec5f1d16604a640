"""The HTTP adapter to a gateway for SMS, and to an app's push: one signed request a message. docs/channels.md tells it.

    POST {url}   Idempotency-Key, X-Timestamp, X-Signature (hex HMAC-SHA256 over timestamp, a dot, and the body)
    {"key": "notice-DG…-7", "to": "+8613800138000", "text": "…", "number": "DG…"}

    2xx taken · 400, 404, 410, 422 refused for good · 429 with Retry-After later · all else: tried again

A gateway that speaks otherwise is reached by a small translator of its own, or by another `hotline.ports.Sender`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import aiohttp

from channels import sms_codec
from channels.bounded import read_up_to
from channels.message import Outbound
from hotline.errors import RateLimited, RuleViolation, Unavailable
from hotline.signing import signed_headers

REFUSED = frozenset({400, 404, 410, 422})
_LONGEST_WAIT = 3600


class Gateway:
    """Sends for one channel (`hotline.ports.Sender`). `name` is how errors call it."""

    def __init__(
        self, session: aiohttp.ClientSession, *, name: str, url: str, secret: str, clock: Callable[[], datetime],
        timeout: float = 10.0,
    ) -> None:
        self._session, self._name, self._url, self._secret, self._clock = session, name, url, secret, clock
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def send(self, message: Outbound) -> None:
        """Hand a message over; a repeat of its key reaches the citizen once.

        Raises:
            Unavailable: no answer to rely on; try again. RateLimited: try again after `retry_after` seconds.
            RuleViolation: refused for good.
        """
        body = sms_codec.encode(message)
        headers = {
            "Content-Type": "application/json", "Idempotency-Key": message.key,
            **signed_headers(self._secret, body, now=self._clock()),
        }
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:  # followed, a page to log in at would answer 200, and the message count as taken
                self._check(answer, (await read_up_to(answer.content, 500)).decode(errors="replace"))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"{self._name} does not answer: {type(error).__name__}") from error

    def _check(self, answer: aiohttp.ClientResponse, said: str) -> None:
        if answer.status < 300:
            return
        told = f"{self._name} answered {answer.status}: {said}"
        if answer.status == 429:
            raise RateLimited(told, retry_after=_seconds(answer.headers.get("Retry-After", "")))
        if answer.status in REFUSED:
            raise RuleViolation(told)
        raise Unavailable(told)


def _seconds(text: str) -> int:
    """Return how long to wait; 0 is no time at all, and would be asked over and over: it uses up no attempt."""
    return min(max(int(text[:9]), 1), _LONGEST_WAIT) if text.isascii() and text.isdigit() else 60
