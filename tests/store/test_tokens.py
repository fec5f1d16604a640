"""The shared access token: fetched by one process at a time, by another when that one dies."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from channels.wechat_api import FreshToken
from hotline.errors import Unavailable
from hotline.store.database import open_pool
from hotline.store.tokens import Tokens


class Service:
    """Counts how often it is asked; each new token makes it forget the old one."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(self) -> FreshToken:
        self.asked += 1
        await asyncio.sleep(0.05)
        return FreshToken(f"token-{self.asked}", 7200)


async def test_many_processes_fetch_once(database: str) -> None:
    service = Service()
    pools = [await open_pool(database) for _ in range(3)]
    stores = [Tokens(pool, clock=lambda: datetime.now(UTC)) for pool in pools]
    tokens = await asyncio.gather(*(stores[n % 3].refresh("w", service.fetch, stale=None) for n in range(30)))
    assert set(tokens) == {"token-1"}
    renewed = await asyncio.gather(*(stores[n % 3].refresh("w", service.fetch, stale="token-1") for n in range(30)))
    assert set(renewed) == {"token-2"}
    assert service.asked == 2
    for pool in pools:
        await pool.close()


async def test_a_token_put_between_the_look_and_the_lease_is_taken(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service()
    async with await open_pool(database) as pool:
        first, late = (Tokens(pool, clock=lambda: datetime.now(UTC)) for _ in range(2))
        look = late.get

        async def look_then_be_overtaken(name: str) -> str | None:
            seen = await look(name)
            await first.refresh("w", service.fetch, stale=None)
            return seen

        monkeypatch.setattr(late, "get", look_then_be_overtaken)
        assert await late.refresh("w", service.fetch, stale=None) == "token-1"
    assert service.asked == 1


async def test_a_failed_fetch_frees_the_lease_and_is_told(database: str) -> None:
    async def broken() -> FreshToken:
        raise Unavailable("WeChat does not answer")

    async with await open_pool(database) as pool:
        tokens = Tokens(pool, clock=lambda: datetime.now(UTC))
        with pytest.raises(Unavailable):
            await tokens.refresh("w", broken, stale=None)
        assert await tokens.refresh("w", Service().fetch, stale=None) == "token-1"


async def test_an_expiring_token_is_not_given_out(database: str) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    moments = [now]
    async with await open_pool(database) as pool:
        tokens = Tokens(pool, clock=lambda: moments[-1])
        await tokens.refresh("w", Service().fetch, stale=None)
        assert await tokens.get("w") == "token-1"
        moments.append(now + timedelta(seconds=7200 - 299))
        assert await tokens.get("w") is None


async def test_a_dead_fetcher_is_replaced_when_its_lease_ends(database: str) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    moments = [now]
    async with await open_pool(database) as pool:
        tokens = Tokens(pool, clock=lambda: moments[-1])
        await pool.execute(
            "INSERT INTO access_tokens (name, fetching_until) VALUES ('w', $1)", now + timedelta(seconds=15)
        )
        waiting = asyncio.create_task(tokens.refresh("w", Service().fetch, stale=None))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        moments.append(now + timedelta(seconds=16))
        assert await waiting == "token-1"


async def test_a_lease_of_a_clock_that_was_ahead_keeps_nobody_waiting(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder died, and the clock was set back."""
    now = datetime(2026, 11, 21, tzinfo=UTC)
    async with await open_pool(database) as pool:
        later = now + timedelta(hours=1)
        await pool.execute("INSERT INTO access_tokens (name, fetching_until) VALUES ('w', $1)", later)
        monkeypatch.setattr("hotline.store.tokens._ROUNDS", 1)
        assert await Tokens(pool, clock=lambda: now).refresh("w", Service().fetch, stale=None) == "token-1"
