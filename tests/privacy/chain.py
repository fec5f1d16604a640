"""A chained audit over a database, and what only somebody with the database in their hands can do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from hotline.audit import Fault, Record
from hotline.store.audit import AuditStore
from tests.privacy.house import opened

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def record(n: int = 0, **other: Any) -> Record:
    given = {"actor": "agent:li", "act": "person.search", "subject": "~x", "detail": {"found": str(n), "理由": "核对"}}
    return Record(at=NOW + timedelta(microseconds=n), **{**given, **other})


async def lived(pool: asyncpg.Pool, *, tickets: int = 4, records: int = 6) -> AuditStore:
    """Three links with tickets and records in each."""
    audit = AuditStore(pool)
    for part in range(3):
        await opened(pool, [f"audit-{part}-{n}" for n in range(tickets)])
        for n in range(records):
            await audit.note(record(part * records + n))
        assert await audit.link_once(NOW) > 0
    return audit


async def check(audit: AuditStore, **given: Any) -> Fault | None:
    return await audit.verify(lambda _: None, **given)


async def forged(pool: asyncpg.Pool, statement: str, *parameters: object) -> None:
    """Do what only somebody with the database in their hands can."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        done = await connection.execute(statement, *parameters)
    assert done.split()[-1] != "0"
