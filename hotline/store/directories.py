"""Versions of the dispatch directory in PostgreSQL: read, added with what they change, withdrawn, never altered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time

import asyncpg
import msgspec

from hotline.deadlines import ZONE
from hotline.errors import InvalidInput, NotFound, VersionConflict
from hotline.lifecycle import OPEN_STATES
from hotline.store.database import statements
from hotline.store.rows import columns, to_json
from routing.directory import Directory, Rule, Unit, build_directory
from routing.directory_diff import Change, diff
from routing.directory_office import Edit, Proposal, VersionRow

_SQL = statements("directory")


class _Doc(msgspec.Struct, frozen=True):
    units: tuple[Unit, ...]
    rules: tuple[Rule, ...]


_docs = msgspec.json.Decoder(_Doc)
_changes = msgspec.json.Decoder(Change)


def midnight(day: date) -> datetime:
    """Return the moment at which a version of this day takes over: midnight in the city."""
    return datetime.combine(day, time(), ZONE)


class DirectoryStore:
    """The versions of one database. Fulfils `hotline.directories.DirectoryRows`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def seed(self, directory: Directory, now: datetime) -> bool:
        """Keep a version of the city's files; False if it is there already with other content, which then stays."""
        doc, start = _doc_of(directory), midnight(directory.effective_from)
        if await self._pool.fetchval(_SQL["seed"], directory.version, start, now, doc) is not None:
            return True
        return not diff(await self.version(directory.version), directory)

    async def versions(self) -> tuple[Directory, ...]:
        """Return the versions that are not withdrawn, in the order in which they take over from each other."""
        return tuple(_directory(row) for row in await self._pool.fetch(_SQL["versions"]))

    async def version(self, name: str) -> Directory:
        """Return one version, withdrawn ones too. Raises NotFound."""
        row = await self._pool.fetchrow(_SQL["version"], name)
        if row is None:
            raise NotFound(f"there is no version {name!r} of the dispatch directory")
        return _directory(row)

    async def listed(self) -> list[VersionRow]:
        """Return what is known of every version, the oldest first."""
        return [
            VersionRow(**{**row, "effective_from": row["effective_from"].astimezone(ZONE).date()})
            for row in await self._pool.fetch(_SQL["list"])
        ]

    async def add(
        self, directory: Directory, changes: Sequence[Change], *, parent: str, author: str, note: str, now: datetime,
        proposals: Sequence[int] = (),
    ) -> None:
        """Write a version, what it changes and which proposals it takes up, all in one transaction.

        Raises:
            InvalidInput: the name is taken.
            VersionConflict: a proposal was decided by somebody else meanwhile.
        """
        lines = [(change.l1, change.l2, to_json(change)) for change in changes]
        async with self._pool.acquire() as connection, connection.transaction():
            added = await connection.fetchval(
                _SQL["add"], directory.version, midnight(directory.effective_from), now, _doc_of(directory), parent,
                author, note,
            )
            if added is None:
                raise InvalidInput(f"the version {directory.version!r} exists already: versions are never changed, "
                                   "choose a new name", error_id="version_taken")
            await connection.execute(_SQL["add_changes"], directory.version, *columns(lines, 3))
            if proposals:
                note = f"派单目录 {directory.version}"
                taken = await connection.fetch(_SQL["accept_proposals"], list(proposals), now, author, note)
                if len(taken) != len(set(proposals)):
                    raise VersionConflict("a proposal was decided by somebody else meanwhile: list them again")

    async def busy(self, units: Collection[str]) -> dict[str, int]:
        """Return how many open tickets each of these units leads, of those that lead any."""
        found = await self._pool.fetch(_SQL["busy"], sorted(units), sorted(OPEN_STATES)) if units else []
        return {row["lead"]: row["tickets"] for row in found}

    async def withdraw(self, name: str, *, actor: str, now: datetime) -> bool:
        """Withdraw a version that is not in force yet; False if it is, or is not there."""
        return await self._pool.fetchval(_SQL["withdraw"], name, now, actor, now) is not None

    async def history(self, *, l1: str = "", l2: str = "", limit: int = 200) -> list[Edit]:
        """Return who changed what, the newest first."""
        return [
            Edit(
                version=row["version"], effective_from=row["effective_from"].astimezone(ZONE).date(),
                at=row["loaded_at"], author=row["author"], note=row["note"], withdrawn=row["withdrawn"],
                change=_changes.decode(row["doc"]),
            )
            for row in await self._pool.fetch(_SQL["history"], l1, l2, limit)
        ]

    async def proposals(self, ids: Sequence[int] | None = None) -> list[Proposal]:
        """Return open proposals, those with most examples first; only `ids` where given."""
        found = await self._pool.fetch(_SQL["proposals"], None if ids is None else list(ids))
        return [Proposal(**row) for row in found]


async def revisions(pool: asyncpg.Pool) -> dict[str, int]:
    """Return how often each of the things that processes keep in memory has changed."""
    return {row["name"]: row["revision"] for row in await pool.fetch(_SQL["revisions"])}


def _doc_of(directory: Directory) -> str:
    rules = [rule for group in directory.rules.values() for rule in group]
    return to_json({"units": list(directory.units.values()), "rules": rules})


def _directory(row: asyncpg.Record) -> Directory:
    """What was kept was checked when it came in: mistakes found by rules that are newer do not take it back."""
    doc = _docs.decode(row["doc"])
    directory, _ = build_directory(
        version=row["version"], effective_from=row["effective_from"].astimezone(ZONE).date(), units=doc.units,
        rules=doc.rules,
    )
    return directory
