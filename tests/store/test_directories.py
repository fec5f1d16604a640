"""Versions in the database: who made them, which one is in force, and how running processes learn of a new one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta

import asyncpg
import msgspec
import pytest

from hotline.deadlines import ZONE
from hotline.directories import Directories, DirectoryDesk
from hotline.errors import IllegalTransition, InvalidInput, NotFound, VersionConflict
from hotline.revisions import Watcher
from hotline.store.database import open_pool
from hotline.store.directories import DirectoryStore, revisions
from routing.directory_file import read, write_csv, write_xlsx
from routing.directory_office import Scope
from tests.routing.test_directory_office import BASE, CATEGORIES

NOON = datetime(2026, 11, 21, 12, tzinfo=ZONE)
TODAY = NOON.date()
NEXT_YEAR = date(2027, 1, 1)


class House:
    """One process: a store, what it keeps in memory, the owner's desk, and a clock of its own."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.now = NOON
        self.pool, self.store = pool, DirectoryStore(pool)
        self.directories = Directories(self.store, first=[BASE], clock=lambda: self.now)
        self.desk = DirectoryDesk(
            self.store, self.directories, categories=sorted(CATEGORIES), clock=lambda: self.now
        )
        self.watcher = Watcher(lambda: revisions(pool), {"directory": self.directories.reload})

    async def add(self, version: str, lead: str, day: date, *, author: str = "wang", base: str = "") -> None:
        csv = write_csv(await self.desk.version(base)).decode("utf-8-sig").replace("路灯,,,城管局", f"路灯,,,{lead}")
        table = read(csv.encode())
        await self.desk.import_table(
            table.rules, table.units, version=version, effective_from=day, author=author, base=base, note="试行"
        )


@asynccontextmanager
async def house(dsn: str) -> AsyncIterator[House]:
    async with await open_pool(dsn, size=4) as pool:
        opened = House(pool)
        await opened.directories.seed([BASE])
        yield opened


def lead(home: House) -> str:
    return home.directories.in_force().rules["03", "路灯"][0].lead


async def test_a_version_takes_over_at_midnight_in_the_city(database: str) -> None:
    async with house(database) as home:
        await home.add("v2", "水务局", NEXT_YEAR)
        assert lead(home) == "城管局"
        home.now = datetime(2026, 12, 31, 23, 59, 59, tzinfo=ZONE)
        assert lead(home) == "城管局"
        home.now += timedelta(seconds=1)
        assert (lead(home), home.directories.in_force().version) == ("水务局", "v2")
        assert (await home.desk.version("v1")).rules["03", "路灯"][0].lead == "城管局", "old tickets keep theirs"


async def test_another_process_knows_it_at_its_next_look(database: str) -> None:
    async with house(database) as home, house(database) as other:
        await other.watcher.step()
        await home.add("v2", "水务局", TODAY)
        assert (lead(home), lead(other)) == ("水务局", "城管局")
        await other.watcher.step()
        assert lead(other) == "水务局"


async def test_a_load_that_fails_is_tried_again(database: str) -> None:
    async with house(database) as home:
        calls: list[int] = []

        async def load() -> None:
            calls.append(1)
            if len(calls) == 1:
                raise OSError("away")

        watcher = Watcher(lambda: revisions(home.pool), {"directory": load})
        with pytest.raises(OSError, match="away"):
            await watcher.step()
        for _ in range(3):
            await watcher.step()
        assert len(calls) == 2, "again after the failure, and not once more than needed"


async def test_who_changed_what(database: str) -> None:
    async with house(database) as home:
        await home.add("v2", "水务局", TODAY)
        rows = await home.desk.versions()
        assert [(row.version, row.parent, row.author, row.changes) for row in rows] == [
            ("v1", "", "", 0), ("v2", "v1", "wang", 1)]
        [edit] = await home.desk.history(l1="03", l2="路灯")
        assert (edit.author, edit.version, edit.note) == ("wang", "v2", "试行")
        assert (edit.change.before, edit.change.after) == ({"lead": "城管局"}, {"lead": "水务局"})
        assert await home.desk.history(l1="09") == []
        assert await home.desk.diff("v1", "v2") == (edit.change,)
        assert await home.desk.diff("v1", "v1") == ()


async def test_versions_are_never_changed(database: str) -> None:
    async with house(database) as home:
        await home.add("v2", "水务局", TODAY)
        with pytest.raises(InvalidInput) as caught:
            await home.add("v2", "南城", TODAY, base="v1")
        assert caught.value.error_id == "version_taken"
        with pytest.raises(InvalidInput) as caught:
            await home.add("v3", "城管局", TODAY, base="v1")
        assert caught.value.error_id == "no_change"
        assert lead(home) == "水务局"
        with pytest.raises(NotFound):
            await home.desk.version("v9")


async def test_only_what_has_not_begun_is_withdrawn(database: str) -> None:
    async with house(database) as home:
        await home.add("v2", "水务局", NEXT_YEAR)
        await home.desk.withdraw("v2", actor="wang")
        home.now = datetime(2027, 2, 1, tzinfo=ZONE)
        assert lead(home) == "城管局"
        for name in ("v1", "v2"):
            with pytest.raises(IllegalTransition):
                await home.desk.withdraw(name, actor="wang")


async def test_files_that_changed_under_a_kept_version_are_told_and_not_taken(database: str) -> None:
    changed = msgspec.structs.replace(BASE, rules={**BASE.rules, ("03", "路灯"): ()})
    async with house(database) as home:
        assert await home.store.seed(BASE, NOON)
        assert not await home.store.seed(changed, NOON)
        assert lead(home) == "城管局"


async def test_a_unit_with_open_tickets_stays(database: str) -> None:
    async with house(database) as home:
        await home.pool.execute(
            "INSERT INTO tickets (number, code, version, state, channel, kind, verdict, priority, lead, created_at,"
            " updated_at, summary) SELECT 'DG' || n, '1', 1, state, 'web', 'complaint', 'non_emergency', 'P3', '南城',"
            " now(), now(), '{}' FROM unnest(ARRAY['handling', 'archived']) WITH ORDINALITY AS s (state, n)"
        )
        table = read(write_xlsx(await home.desk.version()))
        units = tuple(row for row in table.units if row[1]["name"] != "南城")
        rules = tuple((where, {**cells, "assisting": ""}, line) for where, cells, line in table.rules)

        async def imported() -> None:
            await home.desk.import_table(rules, units, version="v2", effective_from=TODAY, author="wang")

        with pytest.raises(InvalidInput, match=r"南城\(1件\)"):
            await imported()
        await home.pool.execute("UPDATE tickets SET state = 'archived'")
        await imported()
        assert "南城" not in home.directories.in_force().units


async def propose(pool: asyncpg.Pool, to_unit: str = "水务局") -> int:
    number: int = await pool.fetchval(
        "INSERT INTO directory_proposals (l1, l2, kind, town, from_unit, to_unit, first_at, last_at)"
        " VALUES ('03', '路灯', 'complaint', '', '城管局', $1, $2, $2) RETURNING id", to_unit, NOON,
    )
    return number


async def test_a_proposal_is_adopted_once(database: str) -> None:
    async with house(database) as home:
        number = await propose(home.pool)
        [proposal] = await home.desk.proposals()
        assert (proposal.id, proposal.to_unit, proposal.examples) == (number, "水务局", 0)
        both = await asyncio.gather(
            *(home.desk.adopt([number], version=f"v{n}", effective_from=TODAY, author="wang", scope=Scope.CATEGORY)
              for n in (2, 3)), return_exceptions=True,
        )
        refused = [result for result in both if isinstance(result, Exception)]
        assert len(refused) == 1
        assert isinstance(refused[0], InvalidInput | VersionConflict)
        assert await home.desk.proposals() == []
        assert lead(home) == "水务局"
        row = await home.pool.fetchrow("SELECT state, decided_by, note FROM directory_proposals")
        assert (row["state"], row["decided_by"]) == ("accepted", "wang")
        with pytest.raises(InvalidInput, match="no open proposal"):
            await home.desk.adopt([number, 99], version="v4", effective_from=TODAY, author="wang")


async def test_a_dry_run_keeps_nothing(database: str) -> None:
    async with house(database) as home:
        number = await propose(home.pool)
        changes = await home.desk.adopt(
            [number], version="v2", effective_from=TODAY, author="wang", dry_run=True
        )
        assert len(changes) == 1
        assert len(await home.desk.versions()) == 1
        assert len(await home.desk.proposals()) == 1
