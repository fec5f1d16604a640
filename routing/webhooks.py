"""Posting webhooks: to permitted addresses only, whatever a name leads to by then, and along no redirect."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from hotline.errors import Forbidden, InvalidInput, Unavailable
from routing.addresses import Network, check_url, permitted

_READ = 4096
"""Of an answer nothing is used but its status; so much is read that the connection can be used again."""


class GuardedResolver(AbstractResolver):
    """Looks names up and leaves out the addresses that webhooks must not go to."""

    def __init__(self, allowed: Sequence[Network], inner: AbstractResolver | None = None) -> None:
        self._allowed, self._inner = allowed, inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the permitted addresses of a name. Raises OSError where there is none."""
        found = await self._inner.resolve(host, port, family)
        left = [one for one in found if permitted(one["host"], self._allowed)]
        if not left:
            raise OSError(f"{host} leads to addresses that webhooks must not go to")
        return left

    async def close(self) -> None:
        """Close the resolver."""
        await self._inner.close()


class Webhooks:
    """Posts webhooks over one HTTP session. Fulfils `hotline.unit_ports.Post`; close it at the end."""

    def __init__(
        self, *, allowed: Sequence[Network], timeout: float = 10.0, resolver: AbstractResolver | None = None
    ) -> None:
        self._allowed = allowed
        connector = aiohttp.TCPConnector(resolver=GuardedResolver(allowed, resolver), limit=100, limit_per_host=10)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=timeout), trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]]) -> int:
        """Return the HTTP status; a redirect is not followed and counts as refused.

        Raises:
            Unavailable: there was no answer in time.
            Forbidden: the address leads where webhooks must not go.
        """
        self._check(url)  # the resolver is not asked for literal addresses, and the configuration may have changed
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                await response.content.read(_READ)
                return response.status
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(f"the unit's system does not answer: {type(error).__name__} {error}") from error

    def _check(self, url: str) -> None:
        try:
            check_url(url, self._allowed)
        except InvalidInput as error:
            raise Forbidden(error.detail) from error
