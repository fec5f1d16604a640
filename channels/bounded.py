"""Bodies of answers from outside, read as far as they may go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol


class Content(Protocol):
    """What a body comes from (`aiohttp.StreamReader`)."""

    def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the pieces as the network brings them."""
        ...


async def read_up_to(content: Content, most: int) -> bytes:
    """Return a body to its end, of a longer one its first `most` bytes.

    `StreamReader.read(n)` is something else: it returns the first piece that comes, be it ever so short.
    """
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) >= most:
            break
    return bytes(body[:most])
