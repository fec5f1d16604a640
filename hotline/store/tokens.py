"""Access tokens of outside services, one row for all processes (`channels.wechat_api.TokenStore`).

One process fetches at a time: it takes a lease in the row, and no connection is held while the service is asked. A
process that dies while fetching is replaced when its lease ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg

from channels.wechat_api import FreshToken
from hotline.errors import Unavailable
from hotline.ports import Clock
from hotline.store.database import statements

_SQL = statements("tokens")
_MARGIN = timedelta(minutes=5)
_LEASE = timedelta(seconds=15)
_APART = timedelta(seconds=15)
"""So far the clocks of two machines may be apart."""
_POLL = 0.2
_ROUNDS = 100


class Tokens:
    """Keeps tokens."""

    def __init__(self, pool: asyncpg.Pool, *, clock: Clock) -> None:
        self._pool, self._clock = pool, clock

    async def get(self, name: str) -> str | None:
        """Return the token, None when there is none or it expires within minutes."""
        token: str | None = await self._pool.fetchval(_SQL["get"], name, self._clock() + _MARGIN)
        return token

    async def refresh(self, name: str, fetch: Callable[[], Awaitable[FreshToken]], *, stale: str | None) -> str:
        """Return a token other than `stale`: what another process has put there meanwhile, else from `fetch`.

        Raises:
            Unavailable: `fetch` did, or nobody got one in twenty seconds.
        """
        for _ in range(_ROUNDS):
            token = await self.get(name)
            if token is not None and token != stale:
                return token
            now = self._clock()
            until = now + _LEASE
            if await self._pool.fetchval(_SQL["lease"], name, now, until, stale, now + _MARGIN, until + _APART):
                return await self._fetched(name, fetch)
            await asyncio.sleep(_POLL)
        raise Unavailable(f"no process could fetch the access token {name}")

    async def _fetched(self, name: str, fetch: Callable[[], Awaitable[FreshToken]]) -> str:
        try:
            fresh = await fetch()
        except BaseException:
            await self._pool.execute(_SQL["give_back"], name)
            raise
        await self._pool.execute(_SQL["put"], name, fresh.token, self._clock() + timedelta(seconds=fresh.expires_in))
        return fresh.token
