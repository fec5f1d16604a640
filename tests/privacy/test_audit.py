"""The chain shows every change of what it covers, and where: rows changed, deleted, put in, exchanged; links too."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hotline.audit import LEAF, content_hash, detail_of, first_difference, head_text
from hotline.keyring import KeyRing, new_file
from hotline.store import sealing
from hotline.store.audit import AuditStore
from hotline.store.backlog import backlog
from tests.privacy.chain import NOW, check, forged, lived, record


async def test_what_nobody_changed_is_whole(pool: asyncpg.Pool) -> None:
    audit = await lived(pool)
    seen: list[int] = []
    assert await audit.verify(seen.append) is None
    events = await pool.fetchval("SELECT count(*) FROM ticket_events")
    assert sum(seen) == events + 18
    assert await audit.size() == (4, events + 18)
    assert await audit.waiting() == (0, None)
    assert await check(audit, anchor=await audit.head()) is None


@pytest.mark.parametrize("statement", [
    "UPDATE audit_records SET actor = 'x'", "DELETE FROM audit_records", "TRUNCATE audit_records",
    "UPDATE audit_chain SET n = n", "DELETE FROM audit_chain", "TRUNCATE audit_chain",
])
async def test_the_tables_refuse_changes(pool: asyncpg.Pool, statement: str) -> None:
    await lived(pool)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await pool.execute(statement)


FORGERIES = {
    "audit_records": (
        "actor = actor || 'x'", "act = 'login'", "subject = 'y'", "result = 'forbidden'", "detail = '{}'",
        "at = at + interval '1 microsecond'", "hash = sha256('x')",
    ),
    "ticket_events": (
        "actor = 'agent:wang'", "doc = doc || ' '", "summary = summary || ' '", "type = 'sign'", "topics = '{x}'",
        "at = at + interval '1 microsecond'", "version = version + 100", "ticket_id = ticket_id + 1000",
    ),
}


@pytest.mark.parametrize(
    ("table", "change"), [(table, change) for table, changes in FORGERIES.items() for change in changes]
)
async def test_a_changed_row_is_found_and_placed(pool: asyncpg.Pool, table: str, change: str) -> None:
    audit = await lived(pool)
    positions = [row[0] for row in await pool.fetch(f"SELECT position FROM {table} ORDER BY position")]
    for index in (0, len(positions) // 2, len(positions) - 1):
        position = positions[index]
        row = await pool.fetchrow(f"SELECT * FROM {table} WHERE position = $1", position)
        await forged(pool, f"UPDATE {table} SET {change} WHERE position = $1", position)
        fault = await check(audit)
        assert fault is not None
        assert (fault.log, fault.position, fault.what.partition(":")[0]) == (table, position, "changed")
        names = [name for name in [*row.keys()] if name != "id"]
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, start=2))
        await forged(pool, f"UPDATE {table} SET {sets} WHERE position = $1", position, *[row[n] for n in names])
        assert await check(audit) is None


@pytest.mark.parametrize("table", sorted(FORGERIES))
async def test_a_deleted_row_is_found_and_placed(pool: asyncpg.Pool, table: str) -> None:
    await lived(pool)
    positions = [row[0] for row in await pool.fetch(f"SELECT position FROM {table} ORDER BY position")]
    for index in range(0, len(positions), 5):
        async with pool.acquire() as connection:
            inner = connection.transaction()
            await inner.start()
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(f"DELETE FROM {table} WHERE position = $1", positions[index])
            fault = await AuditStore(_Single(connection)).verify(lambda _: None)
            await inner.rollback()
        assert fault is not None
        assert fault.log == table
        assert fault.what.startswith("deleted")
        following = positions[index + 1] if index + 1 < len(positions) else None
        assert fault.position in (following, positions[index]) or fault.what.endswith("the end of the stretch")


class _Single:
    """One connection in place of a pool: what it has not committed is seen."""

    def __init__(self, connection: Any) -> None:
        self.fetch, self.fetchrow, self.fetchval = connection.fetch, connection.fetchrow, connection.fetchval


@pytest.mark.parametrize("table", sorted(FORGERIES))
async def test_two_rows_exchanged_are_found_at_the_first(pool: asyncpg.Pool, table: str) -> None:
    audit = await lived(pool)
    first, second = [
        row[0] for row in await pool.fetch(f"SELECT position FROM {table} ORDER BY position OFFSET 3 LIMIT 2")
    ]
    for old, new in ((first, -1), (second, first), (-1, second)):
        await forged(pool, f"UPDATE {table} SET position = $2 WHERE position = $1", old, new)
    fault = await check(audit)
    assert fault is not None
    assert (fault.log, fault.position) == (table, first)


async def test_a_row_put_in_later_is_found(pool: asyncpg.Pool) -> None:
    audit = await lived(pool)
    position = await pool.fetchval("SELECT position FROM audit_records ORDER BY position, id OFFSET 4 LIMIT 1")
    await forged(
        pool, "INSERT INTO audit_records (position, at, actor, act, subject, result, detail, hash) "
        "SELECT position + 1, at, actor, act, subject, result, detail, hash FROM audit_records WHERE position = $1",
        position,
    )
    fault = await check(audit)
    assert fault is not None
    assert (fault.position, fault.what) == (position + 1, "inserted: this row")


@pytest.mark.parametrize("change", [
    "after = after + 1", "through = through - 1", "records = records - 1", "events = events + 1",
    "leaves = overlay(leaves placing '\\x00'::bytea from 3)", "linked_at = linked_at + interval '1 second'",
    "hash = sha256('x')", "mac = sha256('x')", "n = n + 10",
])
async def test_a_changed_link_is_found(pool: asyncpg.Pool, change: str) -> None:
    audit = await lived(pool)
    await forged(pool, f"UPDATE audit_chain SET {change} WHERE n = 2")
    fault = await check(audit)
    assert fault is not None
    assert fault.link == 2


async def test_a_chain_made_anew_lacks_the_key(pool: asyncpg.Pool, keys: Any) -> None:
    """Somebody changes a record and makes everything after it anew, as SHA-256 needs no key: the codes betray it."""
    audit = await lived(pool)
    await forged(pool, "UPDATE audit_records SET actor = 'agent:nobody' WHERE position = "
                       "(SELECT min(position) FROM audit_records)")
    await forged(pool, "UPDATE audit_records SET hash = $1 WHERE position = (SELECT min(position) FROM audit_records)",
                 content_hash(record(0, actor="agent:nobody"), detail_of(record(0))))
    await forged(pool, "DELETE FROM audit_chain WHERE n > 0")
    own = keys.file.keys[0]
    stolen = new_file(NOW)
    sealing.use(KeyRing(type(stolen)(format=1, index=keys.file.index,
                                     keys=(type(own)(own.id, stolen.keys[0].secret, NOW),))))
    try:
        await audit.link_once(NOW)
        assert await check(audit) is None, "with their own key it would look whole"
    finally:
        sealing.use(keys)
    fault = await check(audit)
    assert fault is not None
    assert (fault.link, "not signed by this house" in fault.what) == (1, True)


async def test_links_cut_off_are_found_by_an_anchor(pool: asyncpg.Pool) -> None:
    audit = await lived(pool)
    head = await head_of(audit)
    await forged(pool, "DELETE FROM audit_chain WHERE n = 3")
    assert await check(audit) is None, "nothing inside the chain can tell"
    fault = await check(audit, anchor=head)
    assert fault is not None
    assert "cut off" in fault.what
    fault = await check(audit, anchor=(2, bytes(32)))
    assert fault is not None
    assert fault.link == 2


async def test_a_chain_that_was_taken_away_whole_is_a_fault_that_alarms(pool: asyncpg.Pool) -> None:
    audit = await lived(pool)
    rows = sum(await pool.fetchrow("SELECT (SELECT count(*) FROM audit_records), (SELECT count(*) FROM ticket_events)"))
    await forged(pool, "DELETE FROM audit_chain")
    fault = await check(audit)
    assert fault is not None
    assert "there is no chain" in fault.what
    assert (await audit.size(), await audit.head(), (await audit.waiting())[0]) == ((0, 0), None, rows)
    assert await audit.link_once(NOW) == 0, "no chain begins by itself"
    told = await backlog(pool)
    assert told.broken, "whether or not anybody has checked"
    assert told.unchained > 0


async def test_links_cut_off_are_told_by_the_process_that_has_seen_them(pool: asyncpg.Pool) -> None:
    """What was cut off and linked anew, with other rows in it, is signed by ourselves: the chain alone looks whole."""
    await lived(pool)
    told: list[int] = []
    audit = AuditStore(pool, changed=told.append)
    for n in (98, 99):
        await audit.note(record(n))
        await audit.link_once(NOW)
    assert told == []
    number, digest = await head_of(audit)
    await forged(pool, "DELETE FROM audit_chain WHERE n > 1")
    assert await AuditStore(pool).link_once(NOW) > 0, "another process was quicker"
    assert await check(audit) is None
    with capture_logs() as logs:
        await audit.link_once(NOW)
        await audit.link_once(NOW)
    assert told == [1]
    assert [line["had"] for line in logs if line["event"] == "audit_chain_cut"] == [head_text(number, digest)]
    assert await check(audit, anchor=(number, digest)) is not None


async def head_of(audit: AuditStore) -> tuple[int, bytes]:
    found = await audit.head()
    assert found is not None
    return found


async def test_a_record_changed_before_it_was_chained_is_found(pool: asyncpg.Pool) -> None:
    audit = await lived(pool)
    await audit.note(record(99))
    last = await pool.fetchval("SELECT max(position) FROM audit_records")
    await forged(pool, "UPDATE audit_records SET result = 'ok?' WHERE position = $1", last)
    told: list[int] = []
    assert await AuditStore(pool, changed=told.append).link_once(NOW) == 1
    assert told == [1]
    fault = await check(audit)
    assert fault is not None
    assert (fault.position, fault.what) == (last, "changed: before it was chained")


leaf = st.integers(0, 30).map(lambda n: bytes([n]) * LEAF)


@given(st.lists(leaf, unique=True, max_size=12), st.data())
def test_the_first_difference_is_where_the_first_change_is(rows: list[bytes], data: st.DataObject) -> None:
    assert first_difference(b"".join(rows), rows) is None
    if not rows:
        assert first_difference(b"", [bytes(LEAF)]) == (0, "inserted")
        return
    index = data.draw(st.integers(0, len(rows) - 1))
    fresh = b"\xff" * LEAF
    assert first_difference(b"".join(rows), [*rows[:index], *rows[index + 1:]]) == (index, "deleted")
    assert first_difference(b"".join(rows), [*rows[:index], fresh, *rows[index + 1:]]) == (index, "changed")
    assert first_difference(b"".join(rows), [*rows[:index], fresh, *rows[index:]]) == (index, "inserted")


def test_parts_cannot_flow_into_each_other() -> None:
    one, other = record(actor="a", act="bc"), record(actor="ab", act="c")
    assert content_hash(one, "{}") != content_hash(other, "{}")
