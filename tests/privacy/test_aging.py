"""What grows old beside tickets: who called, and callbacks, are emptied in their time; holds keep them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from hotline.callbacks import Callbacks
from hotline.store.aging import STEP
from hotline.store.audit import AuditStore
from hotline.store.callbacks import CallbackStore
from hotline.store.persons import PersonStore
from hotline.store.sealing import blind, open_document, seal_text
from routing.callbacks import MissedCall
from tests.cities import NOW, RULES
from tests.privacy.house import ZHANG
from tests.privacy.test_persons import LI, a_life

HOLD: Any = {"by": "supervisor:wang", "reason": "诉讼", "now": NOW}
LATER = NOW + timedelta(days=3654)


async def told(pool: asyncpg.Pool) -> set[str]:
    """Return the calls that still tell who called, in either column."""
    return {row["id"] for row in await pool.fetch("SELECT id FROM calls WHERE caller <> '' OR caller_sealed <> ''")}


async def missed(pool: asyncpg.Pool, *states: str) -> None:
    """Missed calls m0, m1 … of 张三丰, whose callbacks stand so."""
    callbacks = Callbacks(ledger=CallbackStore(pool), rules=lambda: RULES, clock=lambda: NOW)
    for n, state in enumerate(states):
        await callbacks.owe(MissedCall(call=f"m{n}", phone=ZHANG.phone, at=NOW))
        await pool.execute("UPDATE callbacks SET state = $2 WHERE call = $1", f"m{n}", state)


async def test_who_called_is_forgotten_with_the_ticket_and_without_one(pool: asyncpg.Pool) -> None:
    await a_life(pool)
    persons = PersonStore(pool)
    await persons.sweep(NOW + timedelta(days=3650), years=10)
    assert await told(pool) == {"call-0", "call-1", "call-2", "call-3"}, "not yet"
    await persons.sweep(LATER, years=10)
    assert await told(pool) == {"call-1"}, "the ticket of that one is open"
    [record] = await AuditStore(pool).page(limit=9)
    assert (record.act, record.detail["tickets"], record.detail["calls"]) == ("retention.erase", "2", "3")


@pytest.mark.parametrize("of", ["ticket", "phone"])
async def test_a_hold_keeps_who_called(pool: asyncpg.Pool, of: str) -> None:
    _, _, other = await a_life(pool)
    persons = PersonStore(pool)
    which: Any = {"number": other} if of == "ticket" else {"phone": LI.phone}
    id_ = await persons.hold(**which, **HOLD)
    await persons.sweep(LATER, years=10)
    assert await told(pool) == {"call-1", "call-2"}
    await persons.release(id_, **HOLD)
    await persons.sweep(LATER + timedelta(days=2), years=10)
    assert await told(pool) == {"call-1"}


async def test_a_call_under_way_tells_who_calls(pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO calls (id, direction, caller, caller_sealed, started_at, doc) "
        "VALUES ('c', 'in', $1, $2, $3, '{}')",
        blind(ZHANG.phone), seal_text(ZHANG.phone, context="caller c"), NOW,
    )
    await PersonStore(pool).sweep(LATER, years=10)
    assert await told(pool) == {"c"}


async def test_callbacks_that_were_made_are_emptied_and_owed_ones_are_not(pool: asyncpg.Pool) -> None:
    await missed(pool, "done", "owed", "assigned")
    persons = PersonStore(pool)
    id_ = await persons.hold(phone=ZHANG.phone, **HOLD)
    await persons.sweep(LATER, years=10)
    assert await pool.fetchval("SELECT count(*) FROM callbacks WHERE phone <> ''") == 3, "held"
    await persons.release(id_, **HOLD)
    await persons.sweep(LATER, years=10)
    assert {row["call"] for row in await pool.fetch("SELECT call FROM callbacks WHERE phone <> ''")} == {"m1", "m2"}
    doc = await pool.fetchval("SELECT doc FROM callbacks WHERE call = 'm0'")
    assert b"13800138000" not in open_document(doc, context="callback m0")


async def test_more_than_one_step_is_told_to_go_on(pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO calls (id, direction, caller, caller_sealed, started_at, ended_at) "
        "SELECT 'c' || n, 'in', 'x', 'x', $1, $1 FROM generate_series(1, $2) AS n", NOW, STEP + 1,
    )
    persons = PersonStore(pool)
    assert [await persons.sweep(LATER, years=10) for _ in range(3)] == [STEP, 1, 0]
    assert await told(pool) == set()
