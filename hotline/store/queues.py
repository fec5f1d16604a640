"""Queues and skills in PostgreSQL: every version is kept with who made it; the newest is in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import asyncpg
import msgspec

from hotline.errors import InvalidInput, VersionConflict
from hotline.store.database import statements
from routing.queue_file import AgentPhone
from routing.queue_plan import FIRST, Centre, checked

_SQL = statements("queues")
_centres = msgspec.json.Decoder(Centre)
_skills = msgspec.json.Decoder(dict[str, int])


class QueueStore:
    """Reads and writes on a pool; `centre` and its `version` are what `reload` read last."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.centre, self.version = FIRST, 0

    async def reload(self) -> None:
        """Read how the centre serves; the first way of all where nothing was set up."""
        row = await self._pool.fetchrow(_SQL["newest"])
        self.centre = checked(_centres.decode(row["doc"])) if row is not None else FIRST
        self.version = row["version"] if row is not None else 0

    async def keep(
        self, centre: Centre, agents: Mapping[str, AgentPhone], *, by: str, now: datetime, seen: int | None = None
    ) -> None:
        """Put a version in force, and telephones with it.

        Args:
            seen: the version that was changed; None puts this one in force whatever stood there (an import).

        Raises:
            InvalidInput: agents without an account. VersionConflict: `seen` is not the newest any more.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["one_at_a_time"])
            newest = await connection.fetchrow(_SQL["newest"])
            if seen is not None and seen != (newest["version"] if newest is not None else 0):
                raise VersionConflict("somebody else has changed the queues meanwhile: load them anew")
            strangers = [row["name"] for row in await connection.fetch(_SQL["strangers"], list(agents))]
            if strangers:
                raise InvalidInput(f"agents: no account for {'、'.join(strangers)}: `user add` makes it")
            await connection.execute(_SQL["keep"], now, by, msgspec.json.encode(checked(centre)).decode())
            skills = [msgspec.json.encode(agent.skills).decode() for agent in agents.values()]
            endpoints = [agent.endpoint for agent in agents.values()]
            await connection.execute(_SQL["put_agents"], list(agents), endpoints, skills)

    async def agents(self) -> dict[str, AgentPhone]:
        """Return everybody who has a telephone."""
        return {
            row["staff"]: AgentPhone(endpoint=row["endpoint"], skills=_skills.decode(row["skills"]))
            for row in await self._pool.fetch(_SQL["agents"])
        }
