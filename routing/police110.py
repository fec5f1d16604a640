"""The 110 desk as we reach it: signed pushes that carry an idempotency key, so that repeats make one incident."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp
import msgspec

from channels.bounded import read_up_to
from channels.clean import clean
from hotline.errors import UNREADABLE, Unavailable
from hotline.ports import DeskAnswer
from hotline.signing import signed_headers

_LONGEST = 64 * 1024

def read_answer(body: bytes) -> DeskAnswer:
    """Return what the desk says of an incident. Raises Unavailable when it says something else."""
    try:
        told = msgspec.json.decode(body, type=DeskAnswer)
    except UNREADABLE as error:
        raise Unavailable(f"the 110 desk answered something else than an incident: {error}") from error
    return msgspec.structs.replace(told, incident=clean(told.incident), reason=clean(told.reason))


class PoliceDesk:
    """`POST {url}/incidents` and `POST {url}/outcomes`. Holds one HTTP session; close it at the end."""

    def __init__(
        self, *, url: str, secret: str, clock: Callable[[], datetime], timeout: float = 5.0
    ) -> None:
        self._url, self._secret, self._clock = url.rstrip("/"), secret, clock
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout))

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def push(self, key: str, payload: Mapping[str, Any]) -> DeskAnswer:
        """Push an incident and return the desk's answer. Raises Unavailable when there is none to rely on."""
        return read_answer(await self._post("incidents", key, payload))

    async def report_outcome(self, key: str, payload: Mapping[str, Any]) -> None:
        """Tell the desk how a transfer ended. Raises Unavailable."""
        await self._post("outcomes", key, payload)

    async def _post(self, path: str, key: str, payload: Mapping[str, Any]) -> bytes:
        body = msgspec.json.encode(payload)
        headers = {
            "Content-Type": "application/json", "Idempotency-Key": key,
            **signed_headers(self._secret, body, now=self._clock()),
        }
        try:
            async with self._session.post(
                f"{self._url}/{path}", data=body, headers=headers, allow_redirects=False
            ) as response:  # followed, any page would count as the desk, and a 307 tell others who needs help
                answer = await read_up_to(response.content, _LONGEST)
                if response.status >= 300:
                    raise Unavailable(f"the 110 desk answered {response.status}: {answer[:200]!r}")
                return answer
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"the 110 desk does not answer: {type(error).__name__} {error}") from error
