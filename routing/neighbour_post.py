"""Neighbours as we reach them: signed posts that carry an idempotency key, so that repeats count once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import aiohttp

from channels.bounded import read_up_to
from hotline.errors import HotlineError, Unavailable
from hotline.neighbours import Neighbour
from hotline.signing import signed_headers

_TRY_AGAIN = frozenset({408, 421, 425, 429})
_LONGEST = 64 * 1024


class NeighbourPost:
    """`POST {url}/{path}`, signed. `session` is the caller's."""

    def __init__(
        self, session: aiohttp.ClientSession, *, clock: Callable[[], datetime], timeout: float = 10.0
    ) -> None:
        self._session, self._clock = session, clock
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def post(self, neighbour: Neighbour, path: str, key: str, body: bytes) -> bytes:
        """Post a body and return the answer.

        Raises:
            Unavailable: there was no answer to rely on; try again.
            HotlineError: `refused`: the neighbour will not take it, trying again is no use.
        """
        headers = {
            "Content-Type": "application/json", "Idempotency-Key": key,
            **signed_headers(neighbour.secret, body, now=self._clock()),
        }
        try:
            async with self._session.post(
                f"{neighbour.url}/{path}", data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                answer = await read_up_to(response.content, _LONGEST)
                status = response.status
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{neighbour.unit} does not answer: {type(error).__name__} {error}") from error
        if status < 300:
            return answer
        told = f"{neighbour.unit} answered {status}: {answer[:200].decode(errors='replace')}"
        if status >= 500 or status in _TRY_AGAIN or status in {401, 403}:
            raise Unavailable(told)  # a wrong secret or clock is mended by people: what waits must not be lost
        raise HotlineError(told, error_id="refused")
