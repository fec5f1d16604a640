"""Articles in PostgreSQL: every version is kept, and who wrote, published, withdrew and reviewed it."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg
import msgspec

from hotline.errors import IllegalTransition, NotFound, VersionConflict
from hotline.knowledge import Act, Article, Content, Row, review_state
from hotline.store.database import statements
from hotline.store.rows import to_json

_SQL = statements("knowledge")
_contents = msgspec.json.Decoder(Content)


class KnowledgeStore:
    """The articles of one database. Fulfils `hotline.library.ArticleRows`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def published(self) -> dict[int, Content]:
        """Return what is published, by id."""
        return {row["id"]: _contents.decode(row["doc"]) for row in await self._pool.fetch(_SQL["published"])}

    async def listed(self, *, department: str, state: str, limit: int, offset: int) -> list[Row]:
        """Return articles, those changed last first; "" stands for every department and state."""
        return [_row(row) for row in await self._pool.fetch(_SQL["list"], department, state, limit, offset)]

    async def overdue(self, today: date, *, department: str = "") -> list[Row]:
        """Return published articles whose review is due, the longest first."""
        return [_row(row) for row in await self._pool.fetch(_SQL["overdue"], today, department)]

    async def find(self, id_: int, version: int | None = None) -> Article:
        """Return an article: the version asked for, else the published one, else the latest. Raises NotFound."""
        row = await self._pool.fetchrow(_SQL["find"], id_, version)
        if row is None:
            raise NotFound(f"there is no article {id_}" + (f" with a version {version}" if version else ""))
        acts = tuple(Act(**act) for act in await self._pool.fetch(_SQL["acts"], id_))
        return Article(row=_row(row), version=row["version"], content=_contents.decode(row["doc"]), acts=acts)

    async def add(
        self, content: Content, *, author: str, review_on: date, now: datetime, key: str | None = None
    ) -> int | None:
        """Add a draft and return its id; None where the key came before."""
        async with self._pool.acquire() as connection, connection.transaction():
            id_: int | None = await connection.fetchval(
                _SQL["add"], key, content.department, content.title, review_on, now
            )
            if id_ is not None:
                await _write(connection, id_, 1, content, author, now, "")
            return id_

    async def change(self, id_: int, content: Content, *, seen: int, author: str, note: str, now: datetime) -> int:
        """Add a version as a draft and return its number.

        Raises:
            NotFound, VersionConflict: there is a version after the one that was `seen`.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            held = await _hold(connection, id_)
            if held["latest"] != seen:
                raise VersionConflict(f"article {id_} is at version {held['latest']}, you saw {seen}: reload")
            await _write(connection, id_, seen + 1, content, author, now, note)
            await connection.execute(_SQL["advance"], id_, seen + 1, content.department, content.title, now)
            return seen + 1

    async def publish(
        self, id_: int, version: int, content: Content, *, review_on: date, actor: str, note: str, now: datetime
    ) -> None:
        """Show a version from now on. Raises NotFound, VersionConflict (it is not the latest)."""
        async with self._pool.acquire() as connection, connection.transaction():
            held = await _hold(connection, id_)
            if held["latest"] != version:
                raise VersionConflict(f"article {id_} is at version {held['latest']}: publish that one")
            await connection.execute(
                _SQL["publish"], id_, version, content.department, content.title, review_on, now
            )
            await connection.execute(_SQL["act"], id_, version, "published", actor, now, note)

    async def withdraw(self, id_: int, *, actor: str, note: str, now: datetime) -> None:
        """Show it no longer. Raises NotFound, IllegalTransition (it is not published)."""
        async with self._pool.acquire() as connection, connection.transaction():
            version = _shown(await _hold(connection, id_), id_)
            await connection.execute(_SQL["withdraw"], id_, now)
            await connection.execute(_SQL["act"], id_, version, "withdrawn", actor, now, note)

    async def review(self, id_: int, *, review_on: date, actor: str, note: str, now: datetime) -> None:
        """Note that it still holds, until the next review. Raises NotFound, IllegalTransition."""
        async with self._pool.acquire() as connection, connection.transaction():
            version = _shown(await _hold(connection, id_), id_)
            await connection.execute(_SQL["review"], id_, review_on, now)
            await connection.execute(_SQL["act"], id_, version, "reviewed", actor, now, note)


async def _hold(connection: asyncpg.Connection, id_: int) -> asyncpg.Record:
    held = await connection.fetchrow(_SQL["hold"], id_)
    if held is None:
        raise NotFound(f"there is no article {id_}")
    return held


def _shown(held: asyncpg.Record, id_: int) -> int:
    version: int | None = held["published"]
    if version is None:
        raise IllegalTransition(f"article {id_} is not published")
    return version


async def _write(
    connection: asyncpg.Connection, id_: int, version: int, content: Content, author: str, now: datetime, note: str
) -> None:
    await connection.execute(_SQL["add_version"], id_, version, to_json(content), author, now, note)
    await connection.execute(_SQL["act"], id_, version, "written", author, now, note)


def _row(row: asyncpg.Record) -> Row:
    return Row(
        id=row["id"], title=row["title"], department=row["department"], latest=row["latest"],
        published=row["published"], review_on=row["review_on"], updated_at=row["updated_at"],
        state=review_state(row["published"], row["withdrawn"]),
    )
