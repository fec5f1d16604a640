"""Records of the audit: kept with their acts, chained by many at once, read and exported in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from hotline.store.audit import AuditStore, keep
from tests.privacy.chain import NOW, check, lived, record


async def test_a_record_is_there_exactly_if_its_act_is(pool: asyncpg.Pool) -> None:
    async def fails() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await keep(connection, record(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    async with pool.acquire() as connection, connection.transaction():
        await keep(connection, record(2))
        await keep(connection, record(3))
    assert [kept.detail["found"] for kept in await AuditStore(pool).page(limit=9)] == ["3", "2"]


async def test_many_writers_and_many_linkers_make_one_whole_chain(pool: asyncpg.Pool) -> None:
    audit, done = AuditStore(pool), asyncio.Event()

    async def link() -> None:
        while not done.is_set():
            await audit.link_once(NOW, limit=7)
            await asyncio.sleep(0)

    async def write(part: int) -> None:
        for n in range(20):
            async with pool.acquire() as connection, connection.transaction():
                await keep(connection, record(part * 100 + n))
                await asyncio.sleep(0.001 * (part % 3))  # later transactions overtake this one
                await keep(connection, record(part * 100 + n + 50))

    async with asyncio.TaskGroup() as tasks:
        linkers = [tasks.create_task(link()) for _ in range(3)]
        async with asyncio.TaskGroup() as writers:
            for part in range(5):
                writers.create_task(write(part))
        done.set()
    assert all(linker.done() for linker in linkers)
    while await audit.link_once(NOW, limit=7):
        pass
    assert await check(audit) is None
    assert (await audit.size())[1] == 200


async def test_an_open_transaction_is_waited_for(pool: asyncpg.Pool) -> None:
    audit = AuditStore(pool)
    async with pool.acquire() as connection:
        late = connection.transaction()
        await late.start()
        await keep(connection, record(1))
        await audit.note(record(2))
        assert await audit.link_once(NOW) == 0
        await late.commit()
    assert await audit.link_once(NOW) == 2
    assert await check(audit) is None


async def test_records_are_paged_and_filtered(pool: asyncpg.Pool) -> None:
    audit = AuditStore(pool)
    for n in range(12):
        await audit.note(record(n, actor=f"agent:{n % 2}", result="ok" if n % 3 else "forbidden"))
    first = await audit.page(limit=5)
    rest = await audit.page(limit=9, before=(first[-1].at, first[-1].id))
    assert [int(one.detail["found"]) for one in first + rest] == list(range(11, -1, -1))
    found = await audit.page(limit=9, actor="agent:1", result="forbidden")
    assert [int(one.detail["found"]) for one in found] == [9, 3]
    assert await audit.page(limit=9, act="login") == []
    assert len(await audit.page(limit=20, since=NOW + timedelta(microseconds=8))) == 4


async def test_commands_and_records_are_exported_in_one_order(pool: asyncpg.Pool) -> None:
    audit = await lived(pool, tickets=3, records=3)
    seen = [kept async for kept in audit.exported(lambda _: None, batch=4)]
    assert [(kept.position, kept.id) for kept in seen] == sorted((kept.position, kept.id) for kept in seen)
    assert len(seen) == (await audit.size())[1]
    receipts = [kept for kept in seen if kept.act == "ticket.receive"]
    assert len(receipts) == 9
    assert all(kept.subject.startswith("DG") for kept in receipts)
    commands = await audit.commands(before=2**62, number=receipts[0].subject, limit=50)
    assert commands
    assert {one.subject for one in commands} == {receipts[0].subject}


async def test_a_busy_process_adds_one_link_at_a_time(pool: asyncpg.Pool) -> None:
    audit = AuditStore(pool)
    for n in range(1010):
        await audit.note(record(n))
    await audit.link_all(NOW, busy=lambda: True)
    assert (await audit.size())[0] == 2
    await audit.link_all(NOW)
    assert (await audit.waiting())[0] == 0


async def test_of_a_long_chain_rows_are_told_as_the_planner_knows_them(pool: asyncpg.Pool) -> None:
    audit = await lived(pool, tickets=3, records=3)
    _, rows = await audit.size()
    await pool.execute("INSERT INTO audit_chain SELECT 50000, through, through, 0, 0, '', now(), '', '', '' "
                       "FROM audit_chain ORDER BY n DESC LIMIT 1")
    await pool.execute("ANALYZE ticket_events")
    await pool.execute("ANALYZE audit_records")
    assert await audit.size() == (50_001, rows)
