"""Incidents at 110 and messages to citizens: what the jobs read and record, each in one short statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import structlog

from channels.message import Outbound
from hotline.effects import told_by
from hotline.errors import NotFound
from hotline.ports import PendingIncident
from hotline.privacy import starred
from hotline.store import rows
from hotline.store.database import statements
from hotline.store.jobs import Job, begin_anew, enqueue, forget_log, restore
from hotline.store.sealing import open_document, sealed_message
from hotline.ticket import replay

log = structlog.get_logger(__name__)

_SQL = statements("jobs")
_messages = msgspec.json.Decoder(Outbound)


class JobStore:
    """The rows behind the jobs."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def begin_push(self, key: str, now: datetime) -> PendingIncident | None:
        """Count an attempt and return the incident, None if there is nothing left to push."""
        row = await self._pool.fetchrow(_SQL["begin_push"], key, now)
        if row is None:
            return None
        if row["state"] != "pending":
            log.warning("push_withdrawn", key=key, number=row["number"])
            return None
        payload = msgspec.json.decode(open_document(row["payload"], context=f"incident {key}"))
        if "speaker" in payload:
            payload = await self._told_by(payload)
        return PendingIncident(number=row["number"], payload=payload, attempts=row["attempts"])

    async def _told_by(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who spoke is read as 110 is told: what is kept of an incident is no copy of a merged ticket's identity."""
        history = await self._pool.fetch(_SQL["speaker"], payload["speaker"])
        return told_by(payload, replay(rows.event_from(event["doc"], event["sealed"]) for event in history))

    async def settle_push(self, key: str, state: str, desk_number: str, now: datetime) -> bool:
        """Record the desk's answer; False if it was settled before."""
        return await self._pool.fetchval(_SQL["settle_push"], key, state, desk_number, now) is not None

    async def incident(self, key: str) -> tuple[str, str]:
        """Return the ticket's number and the state of an incident. Raises NotFound."""
        row = await self._pool.fetchrow(_SQL["incident"], key)
        if row is None:
            raise NotFound(f"no incident was pushed with the key {key[:60]!r}")
        return row["number"], row["state"]

    async def sign_incident(self, key: str) -> bool:
        """Record that the desk has signed an incident, unless it is over; tell whether its alarm has to be cleared."""
        return bool(await self._pool.fetchval(_SQL["sign_incident"], key))

    async def unsigned(self, before: datetime) -> list[tuple[str, str]]:
        """Return key and ticket number of incidents taken before a moment, not signed and not alarmed yet."""
        return [(row["key"], row["number"]) for row in await self._pool.fetch(_SQL["unsigned"], before)]

    async def mark_unsigned(self, key: str, now: datetime) -> bool:
        """Note the alarm of an incident; False if it is signed, or over, by now."""
        return await self._pool.fetchval(_SQL["mark_unsigned"], key, now) is not None

    async def unmark_unsigned(self, key: str) -> None:
        """Note that the alarm of an incident is cleared."""
        await self._pool.execute(_SQL["unmark_unsigned"], key)

    async def fail_push(self, key: str, error: str) -> None:
        """Record why an attempt failed."""
        await self._pool.execute(_SQL["fail_push"], key, starred(error)[:500])

    async def silent(self, before: datetime) -> list[tuple[str, str]]:
        """Return key and ticket number of incidents created before a moment, unanswered and not alarmed yet."""
        return [(row["key"], row["number"]) for row in await self._pool.fetch(_SQL["silent"], before)]

    async def mark_alarmed(self, key: str, now: datetime) -> bool:
        """Take the alarm of an incident; False if another process took it or the desk has answered."""
        return await self._pool.fetchval(_SQL["mark_alarmed"], key, now) is not None

    async def begin_send(self, key: str) -> tuple[Outbound, int] | None:
        """Count an attempt and return the message with its attempts, None if it is sent or given up."""
        row = await self._pool.fetchrow(_SQL["begin_send"], key)
        if row is None:
            return None
        return _messages.decode(open_document(row["message"], context=f"message {key}")), row["attempts"]

    async def settle_send(self, key: str, state: str, error: str, now: datetime) -> None:
        """Record that a message was sent, or given up and why."""
        await self._pool.execute(_SQL["settle_send"], key, state, starred(error)[:500], now)

    async def fail_send(self, key: str, error: str) -> None:
        """Record why an attempt failed."""
        await self._pool.execute(_SQL["fail_send"], key, starred(error)[:500])

    async def spare_send(self, key: str, error: str) -> None:
        """Give the attempt back, and record why the message waits."""
        await self._pool.execute(_SQL["spare_send"], key, starred(error)[:500])

    async def owe(self, message: Outbound, now: datetime) -> None:
        """Write a message to a citizen with its job; a message with the same key is not written again."""
        async with self._pool.acquire() as connection, connection.transaction():
            new = await connection.fetchval(_SQL["owe"], message.key, message.channel, sealed_message(message), now)
            if new is not None:
                await enqueue(connection, Job.SEND_MESSAGE, [message.key])

    async def restore_jobs(self, before: datetime) -> None:
        """Make sure that rows waiting since before a moment have a job; a job that a mistake ended runs again."""
        await begin_anew(self._pool)
        async with self._pool.acquire() as connection, connection.transaction():
            for job, name in ((Job.PUSH_INCIDENT, "waiting_incidents"), (Job.SEND_MESSAGE, "waiting_messages")):
                waiting = await connection.fetch(_SQL[name], before)
                await restore(connection, job, [row["key"] for row in waiting])

    async def forget(self, now: datetime) -> None:
        """Delete what became of jobs long ago."""
        await forget_log(self._pool, now)
