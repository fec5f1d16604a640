"""What was said in a chat is sealed, and erased with the tickets that came of it."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from channels.chat_codec import Say, inbound_of
from hotline.store.channels import ChannelStore
from hotline.store.persons import PersonStore
from tests.cities import NOW
from tests.privacy.house import intake
from tests.privacy.test_at_rest import SESSION
from tests.privacy.test_persons import finish


async def a_chat(pool: asyncpg.Pool, *, days: int, id: str) -> str:
    """张三丰 says something in one and the same chat and is answered; return the ticket that it went to."""
    at = NOW + timedelta(days=days)
    async with intake(pool, now=at) as taking:
        said = Say(id=id, text=f"{id} 13800138000")
        number = (await taking.submit(inbound_of(SESSION, said, (), now=at))).number
    store = ChannelStore(pool)
    await store.chat_add(SESSION, f"c:{id}", "citizen", said.text, at)
    await store.chat_add(SESSION, f"o:{id}", "hotline", f"张三丰您好 {id}", at)
    return number


async def test_a_chat_is_erased_with_its_tickets(pool: asyncpg.Pool) -> None:
    first, second = [await a_chat(pool, days=days, id=f"m{days}") for days in (0, 30)]
    assert first != second
    await finish(pool, first, second)
    persons, store = PersonStore(pool), ChannelStore(pool)
    hold = await persons.hold(number=first, by="x", reason="诉讼", now=NOW)
    later = NOW + timedelta(days=3660)
    await persons.sweep(later, years=10)
    assert len(await store.chat_since({SESSION: 0})) == 4, "the first ticket is held, the second is not old enough"
    await persons.release(hold, by="x", reason="结案", now=later)
    await persons.sweep(later + timedelta(days=1, seconds=1), years=10)
    left = [line.key for line in await store.chat_since({SESSION: 0})]
    assert left == ["c:m30", "o:m30"], "of the ticket that is left"
    await persons.sweep(later + timedelta(days=60), years=10)
    assert await store.chat_since({SESSION: 0}) == []
    assert await pool.fetchval("SELECT string_agg(text, '') FROM chat_lines") == ""
    line = await store.chat_add(SESSION, "c:new", "citizen", "又坏了", later)
    assert (line.seq, line.text) == (5, "又坏了"), "who still has the page sees what follows"
