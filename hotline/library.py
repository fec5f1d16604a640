"""The knowledge base while the house runs: who may do what with an article, and the index that answers agents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from agent_ui.staff import Staff, StaffRole
from hotline.deadlines import ZONE
from hotline.errors import Forbidden, InvalidInput
from hotline.knowledge import Article, Content, Hit, Index, Row, Words, check_review
from hotline.ports import Clock

REVIEW_AFTER = timedelta(days=180)
"""[P] When an article is looked at again, if nobody says otherwise."""
MAX_TEXT = 4000
_SUGGESTED = 0.35


class ArticleRows(Protocol):
    """Where articles are kept (`hotline.store.knowledge.KnowledgeStore`)."""

    async def published(self) -> dict[int, Content]:
        """Return what is published."""
        ...

    async def listed(self, *, department: str, state: str, limit: int, offset: int) -> list[Row]:
        """Return articles."""
        ...

    async def overdue(self, today: date, *, department: str = "") -> list[Row]:
        """Return published articles whose review is due."""
        ...

    async def find(self, id_: int, version: int | None = None) -> Article:
        """Return an article. Raises NotFound."""
        ...

    async def add(
        self, content: Content, *, author: str, review_on: date, now: datetime, key: str | None = None
    ) -> int | None:
        """Add a draft; None where the key came before."""
        ...

    async def change(self, id_: int, content: Content, *, seen: int, author: str, note: str, now: datetime) -> int:
        """Add a version. Raises NotFound, VersionConflict."""
        ...

    async def publish(
        self, id_: int, version: int, content: Content, *, review_on: date, actor: str, note: str, now: datetime
    ) -> None:
        """Show a version. Raises NotFound, VersionConflict."""
        ...

    async def withdraw(self, id_: int, *, actor: str, note: str, now: datetime) -> None:
        """Show it no longer. Raises NotFound, IllegalTransition."""
        ...

    async def review(self, id_: int, *, review_on: date, actor: str, note: str, now: datetime) -> None:
        """Note that it still holds. Raises NotFound, IllegalTransition."""
        ...


def _check_writer(staff: Staff, department: str) -> None:
    """A department writes its own articles, a supervisor all. Raises Forbidden."""
    own = staff.role is StaffRole.DEPARTMENT and staff.department == department
    if not own and staff.role is not StaffRole.SUPERVISOR:
        raise Forbidden(f"{staff.name} ({staff.role}) may not write articles of {department}")


def _check_editor(staff: Staff) -> None:
    if staff.role is not StaffRole.SUPERVISOR:
        raise Forbidden("articles are published, withdrawn and reviewed by supervisors")


class Library:
    """What staff ask of the knowledge base."""

    def __init__(self, rows: ArticleRows, *, words: Words, clock: Clock) -> None:
        self._rows, self._clock = rows, clock
        self._index = Index(words)

    async def reload(self) -> None:
        """Bring the index up to what is published."""
        self._index.replace(await self._rows.published())

    # ── agents ───────────────────────────────────────────────────────────────────────────────────
    def search(self, text: str, *, department: str = "", limit: int = 20) -> list[Hit]:
        """Return published articles that hold the words asked for, the best first."""
        if not text.strip():
            raise InvalidInput("a search needs some words")
        return self._index.find(text[:MAX_TEXT], department=department, limit=min(limit, 100))

    def suggest(self, text: str, *, l1: str = "", l2: str = "", limit: int = 5) -> list[Hit]:
        """Return published articles that fit an appeal; few, and none that fits far worse than the best."""
        return self._index.find(text[:MAX_TEXT], l1=l1, l2=l2, limit=min(limit, 20), least=_SUGGESTED)

    # ── writers and editors ──────────────────────────────────────────────────────────────────────
    async def listed(self, *, department: str = "", state: str = "", limit: int = 100, offset: int = 0) -> list[Row]:
        """Return articles, those changed last first."""
        return await self._rows.listed(department=department, state=state, limit=limit, offset=offset)

    async def overdue(self, *, department: str = "") -> list[Row]:
        """Return published articles whose review is due, the longest first."""
        return await self._rows.overdue(self._today(), department=department)

    async def article(self, id_: int, version: int | None = None) -> Article:
        """Return an article with its history. Raises NotFound."""
        return await self._rows.find(id_, version)

    async def write(self, staff: Staff, content: Content, *, key: str | None = None) -> Article | None:
        """Add a draft; None where `key` (of an imported file) came before. Raises Forbidden."""
        _check_writer(staff, content.department)
        id_ = await self._rows.add(
            content, author=staff.name, review_on=self._today() + REVIEW_AFTER, now=self._clock(), key=key
        )
        return None if id_ is None else await self._rows.find(id_, 1)

    async def change(self, staff: Staff, id_: int, content: Content, *, seen: int, note: str = "") -> Article:
        """Add a version as a draft; what is published stays until this is. Raises Forbidden, VersionConflict."""
        before = await self._rows.find(id_)
        for department in (before.row.department, content.department):
            _check_writer(staff, department)
        version = await self._rows.change(
            id_, content, seen=seen, author=staff.name, note=note, now=self._clock()
        )
        return await self._rows.find(id_, version)

    async def publish(
        self, staff: Staff, id_: int, version: int, *, review_on: date | None = None, note: str = ""
    ) -> Article:
        """Show the latest version from now on. Raises Forbidden, NotFound, VersionConflict, InvalidInput."""
        _check_editor(staff)
        content = (await self._rows.find(id_, version)).content
        await self._rows.publish(
            id_, version, content, review_on=self._review(review_on), actor=staff.name, note=note, now=self._clock()
        )
        self._index.put(id_, content)
        return await self._rows.find(id_)

    async def withdraw(self, staff: Staff, id_: int, *, note: str = "") -> Article:
        """Show it no longer. Raises Forbidden, NotFound, IllegalTransition."""
        _check_editor(staff)
        await self._rows.withdraw(id_, actor=staff.name, note=note, now=self._clock())
        self._index.remove(id_)
        return await self._rows.find(id_)

    async def review(self, staff: Staff, id_: int, *, review_on: date | None = None, note: str = "") -> Article:
        """Note that it still holds. Raises Forbidden, NotFound, IllegalTransition, InvalidInput."""
        _check_editor(staff)
        day = self._review(review_on)
        await self._rows.review(id_, review_on=day, actor=staff.name, note=note, now=self._clock())
        return await self._rows.find(id_)

    def _today(self) -> date:
        return self._clock().astimezone(ZONE).date()

    def _review(self, day: date | None) -> date:
        return check_review(day or self._today() + REVIEW_AFTER, self._today())


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a city's knowledge.jsonl."""

    key: str
    content: Content


async def plant(library: Library, staff: Staff, seeds: Sequence[Seed]) -> int:
    """Write and publish articles of a file, each once by its key; return how many were new."""
    new = 0
    for seed in seeds:
        article = await library.write(staff, seed.content, key=seed.key)
        if article is not None:
            await library.publish(staff, article.row.id, 1, note="演示内容")
            new += 1
    return new
