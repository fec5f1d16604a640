"""The dispatch directory while the house runs: the versions that every process keeps, and the owner's desk.

New tickets go by the version in force today in the city; a ticket that was dispatched names its own version, which
stays in the database for good.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Protocol

import structlog

from hotline.deadlines import ZONE
from hotline.errors import IllegalTransition, InvalidInput
from hotline.ports import Clock
from routing.directory import Directory
from routing.directory_diff import Change, diff
from routing.directory_office import Edit, Proposal, Scope, VersionRow, adopt, check_name, from_table
from routing.directory_table import Placed

log = structlog.get_logger(__name__)


class DirectoryRows(Protocol):
    """Where versions are kept (`hotline.store.directories.DirectoryStore`)."""

    async def seed(self, directory: Directory, now: datetime) -> bool:
        """Keep a version of the city's files; False if another content has this name already."""
        ...

    async def versions(self) -> tuple[Directory, ...]:
        """Return the versions not withdrawn, in the order in which they take over."""
        ...

    async def version(self, name: str) -> Directory:
        """Return one version. Raises NotFound."""
        ...

    async def listed(self) -> list[VersionRow]:
        """Return what is known of every version."""
        ...

    async def add(
        self, directory: Directory, changes: Sequence[Change], *, parent: str, author: str, note: str, now: datetime,
        proposals: Sequence[int] = (),
    ) -> None:
        """Write a version. Raises InvalidInput, VersionConflict."""
        ...

    async def busy(self, units: Collection[str]) -> dict[str, int]:
        """Return how many open tickets each of these units leads."""
        ...

    async def withdraw(self, name: str, *, actor: str, now: datetime) -> bool:
        """Withdraw a version that is not in force yet."""
        ...

    async def history(self, *, l1: str = "", l2: str = "", limit: int = 200) -> list[Edit]:
        """Return who changed what."""
        ...

    async def proposals(self, ids: Sequence[int] | None = None) -> list[Proposal]:
        """Return open proposals."""
        ...


class Directories:
    """The versions as this process knows them; `reload` when the database tells that they changed."""

    def __init__(self, rows: DirectoryRows, *, first: Sequence[Directory], clock: Clock) -> None:
        self._rows, self._clock = rows, clock
        self._versions = tuple(first)

    def in_force(self, day: date | None = None) -> Directory:
        """Return the version in force on a day (today in the city); the oldest one before all begin."""
        day = day or self.today()
        begun = [version for version in self._versions if version.effective_from <= day]
        return begun[-1] if begun else self._versions[0]

    def today(self) -> date:
        """Return today's date in the city: a version begins at its midnight."""
        return self._clock().astimezone(ZONE).date()

    async def reload(self) -> None:
        """Read the versions anew; what was there stays if the database has none."""
        versions = await self._rows.versions()
        if versions:
            before, self._versions = self.in_force().version, versions
            if (now := self.in_force().version) != before:
                log.info("directory_in_force", version=now, before=before)

    async def seed(self, directories: Sequence[Directory]) -> None:
        """Keep the versions of the city's files, and begin with what the database has."""
        for directory in directories:
            if not await self._rows.seed(directory, self._clock()):
                log.warning("directory_differs", version=directory.version,
                            mend="the city's files changed under a version that is kept already: import them as a new "
                            "version (python -m hotline directory import)")
        await self.reload()


class DirectoryDesk:
    """What the directory's owner asks for. `categories` are the city's pairs of first level and second level."""

    def __init__(
        self, rows: DirectoryRows, directories: Directories, *, categories: Sequence[tuple[str, str]], clock: Clock
    ) -> None:
        self._rows, self._directories, self._clock = rows, directories, clock
        self._categories = frozenset(categories)

    async def versions(self) -> list[VersionRow]:
        """Return every version, the oldest first."""
        return await self._rows.listed()

    async def version(self, name: str = "") -> Directory:
        """Return a version, "" for the one in force. Raises NotFound."""
        if name:
            return await self._rows.version(name)
        await self._directories.reload()
        return self._directories.in_force()

    async def diff(self, old: str, new: str) -> tuple[Change, ...]:
        """Return what differs between two versions. Raises NotFound."""
        return diff(await self.version(old), await self.version(new))

    async def history(self, *, l1: str = "", l2: str = "") -> list[Edit]:
        """Return who changed what, the newest first."""
        return await self._rows.history(l1=l1, l2=l2)

    async def proposals(self) -> list[Proposal]:
        """Return the open proposals."""
        return await self._rows.proposals()

    async def import_table(
        self, rules: Sequence[Placed], units: Sequence[Placed], *, version: str, effective_from: date, author: str,
        base: str = "", note: str = "", dry_run: bool = False,
    ) -> tuple[Change, ...]:
        """Add the version that a table describes; return what it changes in `base` ("": the one in force on that day).

        Raises:
            InvalidInput: mistakes in the table (all are told), a name that is taken, a day that has passed, no change.
        """
        old = await self._base(base, effective_from)
        new = from_table(
            version=version, effective_from=effective_from, rules=rules, units=units, base=old,
            categories=self._categories, today=self._directories.today(),
        )
        return await self._added(old, new, author=author, note=note, dry_run=dry_run)

    async def adopt(
        self, ids: Sequence[int], *, version: str, effective_from: date, author: str, scope: Scope = Scope.EXACT,
        base: str = "", note: str = "", dry_run: bool = False,
    ) -> tuple[Change, ...]:
        """Add a version that takes proposals up; return what it changes. Raises InvalidInput, VersionConflict."""
        found = await self._rows.proposals(ids)
        if missing := sorted(set(ids) - {proposal.id for proposal in found}):
            raise InvalidInput(f"no open proposal has the number {', '.join(map(str, missing))}")
        old = await self._base(base, effective_from)
        new = adopt(
            found, version=version, effective_from=effective_from, base=old, scope=scope,
            categories=self._categories, today=self._directories.today(),
        )
        return await self._added(old, new, author=author, note=note, dry_run=dry_run, proposals=ids)

    async def _base(self, name: str, day: date) -> Directory:
        if name:
            return await self._rows.version(name)
        await self._directories.reload()
        return self._directories.in_force(day)

    async def _added(
        self, old: Directory, new: Directory, *, author: str, note: str, dry_run: bool, proposals: Sequence[int] = ()
    ) -> tuple[Change, ...]:
        changes = diff(old, new)
        if not changes:
            raise InvalidInput(f"nothing differs from {old.version}: there is nothing to add", error_id="no_change")
        if busy := await self._rows.busy(set(old.units) - set(new.units)):
            told = "、".join(f"{unit}({tickets}件)" for unit, tickets in busy.items())
            raise InvalidInput(
                f"units with open tickets cannot leave the directory, close or take them back first: {told}",
                error_id="unit_busy",
            )
        if not dry_run:
            await self._rows.add(
                new, changes, parent=old.version, author=author, note=note, now=self._clock(), proposals=proposals
            )
            await self._directories.reload()
        return changes

    async def withdraw(self, name: str, *, actor: str) -> None:
        """Withdraw a version before its day. Raises NotFound, IllegalTransition once it has been in force."""
        check_name(name)
        await self._rows.version(name)
        if not await self._rows.withdraw(name, actor=actor, now=self._clock()):
            raise IllegalTransition(f"the version {name} has been in force or is withdrawn: add a new version instead")
        await self._directories.reload()
