"""A wrap-up lasts until its agent goes over to something else, whatever that is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.hotline.test_chat_queue import House, house_of


async def wrapping(house: House) -> None:
    """Let an agent wrap a call up that has just ended."""
    await house.agent("wang", state="wrap_up")
    await house.pool.execute("UPDATE presence SET since = $1", house.now())
    await house.pool.execute(
        "INSERT INTO calls (id, direction, agent, started_at, asked_at, answered_at, ended_at) "
        "VALUES ('c1', 'in', 'wang', $1::timestamptz - interval '1 minute', $1::timestamptz - interval '1 minute', "
        "$1::timestamptz - interval '50 seconds', $1)", house.now(),
    )
    await house.desk.tick(house.now())


async def goes(house: House, state: str, *, after: float) -> None:
    house.later += after
    await house.pool.execute("UPDATE presence SET state = $1, since = $2", state, house.now())
    await house.desk.tick(house.now())


async def noted(house: House) -> int | None:
    found: int | None = await house.pool.fetchval("SELECT wrap_up_seconds FROM calls WHERE id = 'c1'")
    return found


@pytest.mark.parametrize("state", ["offline", "not_ready", "ringing", "available"])
async def test_whatever_comes_after_a_wrap_up_ends_it(database: str, state: str) -> None:
    async with house_of(database) as house:
        await wrapping(house)
        await goes(house, state, after=7)
        assert await noted(house) == 7
        await goes(house, "available", after=50_000)
        assert await noted(house) == 7


async def test_who_was_offline_when_the_call_ended_has_not_wrapped_up_all_night(database: str) -> None:
    async with house_of(database) as house:
        await house.agent("wang", state="offline")
        ended = house.now() - timedelta(hours=14)
        await house.pool.execute(
            "INSERT INTO calls (id, direction, agent, started_at, asked_at, answered_at, ended_at) "
            "VALUES ('c1', 'in', 'wang', $1, $1, $1, $1)", ended,
        )
        await house.desk.tick(house.now())
        await goes(house, "available", after=1)
        assert await noted(house) is None
        await goes(house, "wrap_up", after=10)
        await goes(house, "available", after=20)
        assert await noted(house) == 20
