"""Server-sent events (WHATWG HTML, section 9.2): bounded streams that end with their listener or with the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from hotline.errors import HotlineError, RateLimited

EVENTS = "text/event-stream"
Step = Callable[[], Awaitable[tuple[bytes, bool]]]
"""Gives the next events of a stream, and whether more may follow."""


def event(name: str, data: bytes) -> bytes:
    """Return a server-sent event; JSON has no line breaks, so it is one line of data."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


class Streams:
    """Streams of one sort, each always the newest: one slow to read misses values, never order, and holds nobody up."""

    def __init__(self, *, most: int, every: float, retry: int, instead: str) -> None:
        """Bear `most` at once; a step each `every` seconds.

        Args:
            retry: milliseconds after which a listener who was cut off comes back.
            instead: what to ask for where all are taken.
        """
        self._most, self._every, self._retry, self._instead = most, every, retry, instead
        self._open, self._closing = 0, asyncio.Event()

    async def send(self, request: web.Request, step: Step) -> web.StreamResponse:
        """Send step after step until there is no more, or the listener or the service goes.

        Raises:
            RateLimited: too many are open already.
            HotlineError: what the first step raises; later ones are told as an event `unavailable`.
        """
        if self._open >= self._most:
            raise RateLimited(f"{self._most} streams are open already: close one, or ask for {self._instead}")
        response = web.StreamResponse(headers={
            "Content-Type": EVENTS, "Cache-Control": "no-store", "X-Accel-Buffering": "no",
        })
        self._open += 1
        try:
            data, goes_on = await step()
            await response.prepare(request)
            await response.write(f"retry: {self._retry}\n\n".encode() + data)
            while goes_on and not await self._ends():
                data, goes_on = await _told(step)
                await response.write(data)
        except ConnectionResetError:
            pass  # the listener has gone
        finally:
            self._open -= 1
        return response

    async def _ends(self) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), self._every)
        except TimeoutError:
            return False
        return True

    async def close(self, _: web.Application) -> None:
        """End all streams: the service stops."""
        self._closing.set()


async def _told(step: Step) -> tuple[bytes, bool]:
    try:
        return await step()
    except HotlineError as error:
        return event("unavailable", b'{"error_id":"' + error.error_id.encode() + b'"}'), True
