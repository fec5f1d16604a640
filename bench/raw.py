"""The floor under every ticket: its rows inserted raw, in batches of 200, by the statement that intake uses."""

from __future__ import annotations

import asyncio
import time
import uuid

import asyncpg

from hotline.store import rows
from hotline.store.database import statements

_SQL = statements("tickets")
BATCH, BATCHES = 200, 60


async def raw_inserts(dsn: str) -> float:
    """Return tickets a second, with rows copied from tickets that are in the database."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "SELECT t.*, i.content_hash, i.receipt, e.docs FROM tickets t JOIN inbox i ON i.ticket_id = t.id "
            "JOIN LATERAL (SELECT array_agg(doc ORDER BY version) AS docs FROM ticket_events WHERE ticket_id = t.id) e "
            "ON true WHERE t.version = 3 LIMIT $1", BATCH,
        )
        batches = [await _batch(connection, found) for _ in range(BATCHES)]
    finally:
        await connection.close()
    connections = [await asyncpg.connect(dsn) for _ in range(2)]
    began = time.perf_counter()
    await asyncio.gather(*(_write(connection, batches[n::2]) for n, connection in enumerate(connections)))
    took = time.perf_counter() - began
    for connection in connections:
        await connection.close()
    return BATCH * BATCHES / took


async def _write(connection: asyncpg.Connection, batches: list[list[list[object]]]) -> None:
    for parameters in batches:
        await connection.fetch(_SQL["open"], *parameters)


async def _batch(connection: asyncpg.Connection, found: list[asyncpg.Record]) -> list[list[object]]:
    ids = [row["id"] for row in await connection.fetch(_SQL["reserve_ids"], len(found))]
    inbox, tickets, events = [], [], []
    for id_, row in zip(ids, found, strict=True):
        number = f"RAW{uuid.uuid4().hex}"
        inbox.append(("app", number, row["content_hash"], id_, row["receipt"], row["created_at"]))
        tickets.append((
            id_, number, row["code"], row["version"], row["state"], row["channel"], row["kind"], row["l1"], row["l2"],
            row["verdict"], row["priority"], row["town"], row["lead"], ",".join(row["assisting"]), row["alarmed"],
            row["citizen"], row["created_at"], row["due_at"], row["confidential"], row["summary"], row["attention_at"],
        ))
        events += [
            (id_, version, row["created_at"], "receive", "citizen:", doc, row["summary"], "tickets", None)
            for version, doc in enumerate(row["docs"], start=1)
        ]
    return [*rows.columns(inbox, 6), *rows.columns(tickets, 21), *rows.columns(events, 9)]
