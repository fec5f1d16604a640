"""A search by words goes window by window: it finds exactly what looking through everything finds, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from agent_ui.protocol import Search
from hotline.store.console import ConsoleStore
from hotline.store.database import open_pool
from hotline.store.search import query
from hotline.terms import State

TICKETS = 260_000
"""Three blocks."""
_TICKETS = """
INSERT INTO tickets (id, number, code, version, state, channel, kind, verdict, priority, lead, citizen, created_at,
                     updated_at, summary)
OVERRIDING SYSTEM VALUE
SELECT n, 'N' || n, '', 1, CASE WHEN n % 7 = 0 THEN 'closed' ELSE 'handling' END, 'web', 'complaint', 'non_emergency',
       'P3', '单位' || (n % 9), '', timestamptz '2026-01-01Z' + make_interval(secs => n), now(), n::text
FROM generate_series(1, $1::int) AS n
"""
_WORDS = """
INSERT INTO ticket_search (ticket_id, words)
SELECT n, search_words(n, array_remove(ARRAY[
    '路灯', CASE WHEN n % 100 = 1 THEN '不亮' END, CASE WHEN n % 9000 = 2 THEN '水管' END,
    CASE WHEN n < 30 THEN '古树' END], NULL), '单位' || (n % 9), '{}')
FROM generate_series(1, $1::int) AS n
"""
_PLAIN = """
SELECT t.id FROM ticket_search AS s JOIN tickets AS t ON t.id = s.ticket_id
WHERE s.words @@ replace($1, '{block}', (t.id / 100000)::text)::tsquery
  AND t.state = ANY ($2) AND ($3 = '' OR t.lead = $3) ORDER BY t.id DESC
"""


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with await open_pool(database) as opened:
        await opened.execute(_TICKETS, TICKETS)
        await opened.execute(_WORDS, TICKETS)
        await opened.execute("ANALYZE tickets, ticket_search")
        yield opened


async def found(pool: asyncpg.Pool, asked: Search, department: str, most: int) -> list[int]:
    """Return ids, page by page, up to about `most`."""
    ids: list[int] = []
    cursor = ""
    while len(ids) < most:
        page = await ConsoleStore(pool).search(
            Search(id=1, text=asked.text, states=asked.states, limit=asked.limit, cursor=cursor), department=department
        )
        ids += [int(row) for row in page.rows]
        cursor = page.next
        if not cursor:
            break
    return ids


async def test_windows_find_what_looking_through_everything_finds(pool: asyncpg.Pool) -> None:
    for text in ("路灯", "不亮", "水管", "古树", "路灯 不亮", "古树 水管", "不亮 水管", "大桥"):
        for states in ((), (State.CLOSED,), (State.REJECTED,)):
            for department in ("", "单位3"):
                expected = [row["id"] for row in await pool.fetch(
                    _PLAIN, query(text), sorted(states or set(State)), department)]
                asked = Search(id=1, text=text, states=states, limit=100)
                ids = await found(pool, asked, department, 1000)
                assert ids == expected[: len(ids)], (text, states, department)
                assert len(ids) == min(len(expected), max(len(ids), 1000)), (text, states, department)


async def test_the_words_of_windows_cannot_be_searched(pool: asyncpg.Pool) -> None:
    assert await found(pool, Search(id=1, text="~a1"), "", 10) == []
    assert await found(pool, Search(id=1, text="~d单位3~0"), "", 10) == []


async def test_nothing_is_found_in_an_empty_index(pool: asyncpg.Pool) -> None:
    await pool.execute("TRUNCATE ticket_search")
    assert await found(pool, Search(id=1, text="路灯"), "", 10) == []
