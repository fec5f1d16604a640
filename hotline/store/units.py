"""Units' own systems in PostgreSQL: who they are, and the webhooks that go to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg

from hotline.errors import InvalidInput, NotFound
from hotline.privacy import starred
from hotline.store.database import statements
from hotline.store.jobs import Job, enqueue, restore
from hotline.store.rows import columns, to_json
from hotline.store.sealing import open_text, seal_text
from hotline.store.tail import event_from_row
from hotline.unit_ports import Attempt, Delivery, Rest, UnitSystem
from routing.unit_codec import delivery_id, is_told, unit_event

_SQL = statements("units")
BATCH = 500
_SENT_KEPT = timedelta(days=30)
_TOP = (datetime(9999, 1, 1, tzinfo=UTC), "~")
_NAMESPACE = "department:"


class UnitStore:
    """Units' systems on a pool. Fulfils `hotline.unit_ports.DeliveryRows` and `hotline.units.Systems`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    # ── registration ─────────────────────────────────────────────────────────────────────────────
    async def put_system(
        self, unit: str, *, url: str, active: bool, secret: str | None, token_hash: bytes | None, by: str, now: datetime
    ) -> None:
        """Register a system or change it; None keeps the secret or the token that it has."""
        kept = None if secret is None else seal_text(secret, context=f"unit {unit}")
        await self._pool.execute(_SQL["put_system"], unit, url, active, kept, token_hash, now, by)

    async def renew_secrets(
        self, unit: str, *, secret: str, token_hash: bytes, by: str, now: datetime
    ) -> tuple[str, bool] | None:
        """Give a registered system new secrets; return its address and whether it is on, None where there is none."""
        sealed = seal_text(secret, context=f"unit {unit}")
        row = await self._pool.fetchrow(_SQL["renew_secrets"], unit, sealed, token_hash, now, by)
        return None if row is None else (row["url"], row["active"])

    async def is_registered(self, unit: str) -> bool:
        """Tell whether a unit has a system here, active or not."""
        return bool(await self._pool.fetchval(_SQL["is_registered"], unit))

    async def systems(self, now: datetime) -> list[UnitSystem]:
        """Return all systems."""
        return [UnitSystem(**row) for row in await self._pool.fetch(_SQL["systems"], now)]

    async def unit_of_token(self, token_hash: bytes) -> str | None:
        """Return whose token this is, None where nobody's or the system is not active."""
        unit: str | None = await self._pool.fetchval(_SQL["unit_of_token"], token_hash)
        return unit

    # ── webhooks: from the log ───────────────────────────────────────────────────────────────────
    async def gather_deliveries(self, now: datetime) -> int:
        """Make webhooks of the next events of the log; return how many events were read.

        A durable reader: the cursor moves in the transaction that writes webhooks and jobs, so each is made once.
        """
        if not await self._pool.fetchval(_SQL["anything_new"]):
            return 0
        async with self._pool.acquire() as connection, connection.transaction():
            cursor = await connection.fetchval(_SQL["hold_reader"])
            if cursor is None:
                return 0  # another process reads
            systems = {row["unit"]: row["id"] for row in await connection.fetch(_SQL["systems_told"])}
            if not systems:
                await connection.execute(_SQL["move_reader"], await connection.fetchval(_SQL["horizon"]))
                return 0
            found = await connection.fetch(_SQL["events_after"], cursor, BATCH)
            if found:
                await _add(connection, found, systems, now)
                await connection.execute(_SQL["move_reader"], found[-1]["position"])
            return len(found)

    async def gather_all(self, now: datetime) -> None:
        """Make webhooks until the reader has caught up."""
        while await self.gather_deliveries(now) == BATCH:
            pass

    # ── webhooks: one by one ─────────────────────────────────────────────────────────────────────
    async def begin_delivery(self, id_: str, now: datetime, *, last_from: datetime) -> Attempt | Rest | None:
        """Count an attempt; None where nothing is left to do. What began before `last_from` is tried in any case."""
        row = await self._pool.fetchrow(_SQL["begin_delivery"], id_, now, last_from)
        if row is not None:
            return Attempt(**dict(row) | {"secret": open_text(row["secret"], context=f"unit {row['unit']}")})
        why = await self._pool.fetchrow(_SQL["why_not"], id_)
        if why is None or why["state"] != "pending":
            return None
        if why["reachable"]:
            return Rest(why["resting_until"])
        await self.fail_delivery(
            id_, status=0, error="the unit's system is switched off or has no address", dead=True, now=now, rest=False
        )
        return None

    async def settle_delivery(self, id_: str, *, status: int, now: datetime) -> None:
        """The unit has it; its system answers again."""
        await self._pool.execute(_SQL["settle_delivery"], id_, status, now)

    async def fail_delivery(
        self, id_: str, *, status: int, error: str, dead: bool, now: datetime, rest: bool
    ) -> None:
        """An attempt failed; `dead` gives the webhook up, `rest` leaves the system alone for 2 s, 4 s … 5 minutes."""
        await self._pool.execute(_SQL["fail_delivery"], id_, status, starred(error)[:500], dead, now, rest)

    async def deliveries(self, *, unit: str = "", state: str = "dead", cursor: str = "", limit: int) -> list[Delivery]:
        """Return webhooks of a unit ("" for all) in a state, newest first. Raises InvalidInput for a made-up cursor."""
        at, id_ = _position(cursor)
        if unit:
            found = await self._pool.fetch(_SQL["deliveries_of"], state, at, id_, limit, unit)
        else:
            found = await self._pool.fetch(_SQL["deliveries"], state, at, id_, limit)
        return [Delivery(**row) for row in found]

    async def resend(self, id_: str, *, unit: str = "", now: datetime) -> None:
        """Try a webhook that was given up anew for 24 hours, at once, under the same id. Raises NotFound."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["resend"], id_, unit, now) is None:
                raise NotFound(f"there is no webhook {id_[:80]} that was given up")
            await enqueue(connection, Job.DELIVER, [id_])

    # ── upkeep ───────────────────────────────────────────────────────────────────────────────────
    async def restore_jobs(self, before: datetime) -> None:
        """Make sure that webhooks waiting since before a moment have a job; one that has is left alone."""
        async with self._pool.acquire() as connection, connection.transaction():
            waiting = await connection.fetch(_SQL["waiting_deliveries"], before)
            await restore(connection, Job.DELIVER, [row["id"] for row in waiting])

    async def forget(self, now: datetime) -> None:
        """Delete webhooks that were taken long ago; what was given up stays."""
        await self._pool.execute(_SQL["forget_sent"], now - _SENT_KEPT)


async def _add(
    connection: asyncpg.Connection, found: Sequence[asyncpg.Record], systems: dict[str, int], now: datetime
) -> None:
    made = []
    for row in found:
        event = event_from_row(row)
        units = {topic.removeprefix(_NAMESPACE) for topic in event.topics if topic.startswith(_NAMESPACE)}
        for unit in sorted(units & systems.keys()) if is_told(event) else ():
            id_ = delivery_id(event.seq, systems[unit])
            payload = to_json(unit_event(event, unit, delivery=id_))
            made.append((id_, unit, row["ticket_id"], event.type, payload))
    if made:
        new = await connection.fetch(_SQL["add_deliveries"], *columns(made, 5), now)
        await enqueue(connection, Job.DELIVER, [row["id"] for row in new])


def _position(cursor: str) -> tuple[datetime, str]:
    if not cursor:
        return _TOP
    at, _, id_ = cursor.partition("~")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is not None and id_:
            return moment, id_
    except ValueError:
        pass  # told below, as any other made-up cursor
    raise InvalidInput("the cursor is not one that a page gave as `next`")
