"""Uploads that nobody claims are swept with their bytes; what a ticket or evidence has stays, whoever was first."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import random
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest

from hotline import commands as c
from hotline.appeal import Appeal, Attachment
from hotline.durable import write_durably
from hotline.errors import NotFound
from hotline.events import SYSTEM, Actor, Role
from hotline.ids import TicketNumber
from hotline.nuisance import Outcome
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.nuisance import NuisanceStore
from hotline.store.tickets import TicketStore
from hotline.store.uploads import KEPT, STEP, UNFINISHED, Uploads, claim
from tests.cities import NOW, RULES
from tests.hotline.test_intake import all_rows, inbound
from tests.privacy.house import intake

LATER = NOW + KEPT + timedelta(seconds=1)


class House:
    """Uploads as one process has them, with an intake and a service."""

    def __init__(self, pool: asyncpg.Pool, files: Path) -> None:
        self.pool, self.uploads, self.moment = pool, Uploads(pool, files=files), NOW
        self.intake = intake(pool)
        self.service = Service(
            store=TicketStore(pool, prefix="DG"), intake=self.intake, rules=lambda: RULES, clock=lambda: self.moment,
            files=self.uploads,
        )

    async def upload(self, content: bytes, now: datetime = NOW) -> Attachment:
        key = hashlib.sha256(content).hexdigest()
        file = Attachment(key=key, name="a.png", media_type="image/png", size=len(content))
        await self.uploads.keep_attachment(file, content, now)
        return file

    async def appeal(self, file: Attachment, key: str) -> TicketNumber:
        claimed = await self.uploads.attachment(file.key, self.moment)
        appeal = Appeal(text="体育路路灯不亮", attachments=(claimed,))
        return (await self.intake.submit(inbound(key=key, appeal=appeal))).number

    def there(self, file: Attachment) -> bool:
        return self.uploads.path_of(file.key).exists()


@pytest.fixture
async def houses(database: str, tmp_path: Path) -> AsyncIterator[list[House]]:
    """Two processes' worth over one database and one folder."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            house = House(await stack.enter_async_context(await open_pool(database, size=6)), tmp_path)
            await stack.enter_async_context(house.intake)
            made.append(house)
        yield made


@pytest.fixture
def house(houses: list[House]) -> House:
    return houses[0]


async def kept(database: str) -> set[str]:
    return {row["key"] for row in await all_rows(database, "SELECT key FROM attachments")}


async def test_what_nobody_claims_goes_in_its_time_and_not_before(house: House, database: str) -> None:
    old, young = await house.upload(b"old"), await house.upload(b"young", NOW + timedelta(hours=1))
    assert await house.uploads.sweep(NOW + KEPT) == 0, "a day is not over yet"
    assert await house.uploads.sweep(LATER) == 1
    assert (await kept(database), house.there(old), house.there(young)) == ({young.key}, False, True)
    with pytest.raises(NotFound, match="upload it first") as refused:
        await house.uploads.attachment(old.key, LATER)
    assert refused.value.field == "attachments"


async def test_all_that_is_old_goes_in_one_sweep(house: House, database: str) -> None:
    for n in range(STEP + 3):
        await house.upload(b"%d" % n)
    assert await house.uploads.sweep(LATER) == STEP + 3
    assert await kept(database) == set()


async def test_what_is_claimed_stays(house: House, database: str) -> None:
    """By an appeal, by an answer to it, by a command, by evidence against a nuisance."""
    names = (b"appeal", b"message", b"command", b"evidence", b"nobody")
    files = [await house.upload(name) for name in names]
    number = await house.appeal(files[0], "one")
    stored = await TicketStore(house.pool, prefix="DG").read(number)
    await house.service.supplement(number, stored.code, "补充", (files[1],), "two")
    wang = Actor(role=Role.AGENT, name="wang")
    await house.service.act(number, c.Attach(attachments=(files[2],)), actor=wang)
    told = inbound(key="three", appeal=Appeal(text="骚扰", attachments=(files[3],)))
    await NuisanceStore(house.pool).note("+8613800138000", told, Outcome.REFUSED, NOW)
    assert await house.uploads.sweep(LATER + timedelta(days=4000)) == 1
    assert await kept(database) == {file.key for file in files[:4]}
    assert [house.there(file) for file in files] == [True] * 4 + [False]


async def test_a_delivery_that_came_before_claims_nothing(house: House, database: str) -> None:
    first, other = await house.upload(b"first"), await house.upload(b"other")
    await house.appeal(first, "same")
    with pytest.raises(Exception, match="was used before"):
        await house.appeal(other, "same")
    await house.uploads.sweep(LATER)
    assert await kept(database) == {first.key}


async def test_nobody_learns_by_what_name_another_sent_the_same(house: House) -> None:
    """Neither who names the key of an upload, nor whose command does, in whatever order they came."""
    mine = await house.upload(b"same")
    theirs = msgspec.structs.replace(mine, name="张三的身份证.png")
    await house.uploads.keep_attachment(theirs, b"same", NOW)
    number = await house.appeal(mine, "one")
    await house.pool.execute("UPDATE attachments SET doc = $1", msgspec.json.encode(theirs).decode())  # as of before
    await house.appeal(mine, "two")
    for name in ("李四.png", ""):
        await house.service.act(number, c.Attach(attachments=(msgspec.structs.replace(mine, name=name),)), actor=SYSTEM)
    docs = "".join(row["doc"] for row in await house.pool.fetch("SELECT doc FROM ticket_events ORDER BY position"))
    assert re.findall(r'"name":"([^"]*\.png)"', docs) == ["file.png", "file.png", "李四.png", "file.png"]


async def test_asking_and_uploading_again_let_it_live(house: House, database: str) -> None:
    asked, again, claimed = [await house.upload(name) for name in (b"asked", b"again", b"claimed")]
    await house.appeal(claimed, "one")
    await house.uploads.attachment(asked.key, NOW + timedelta(hours=23))
    await house.upload(b"again", NOW + timedelta(hours=23))
    await house.upload(b"claimed", NOW + timedelta(hours=23))
    assert await house.uploads.sweep(LATER) == 0
    assert await house.uploads.sweep(LATER + timedelta(hours=23)) == 2
    assert await kept(database) == {claimed.key}, "uploaded again it still has its owner"
    assert not house.there(asked)
    assert not house.there(again)


async def test_a_sweep_passes_over_what_is_being_claimed(house: House, database: str) -> None:
    file = await house.upload(b"just now")
    async with house.pool.acquire() as connection, connection.transaction():
        await claim(connection, {file.key})
        assert await house.uploads.sweep(LATER) == 0, "it does not wait either"
    assert await house.uploads.sweep(LATER) == 0
    assert await kept(database) == {file.key}


async def test_a_row_whose_bytes_are_gone_is_told_so(house: House) -> None:
    file = await house.upload(b"lost")
    house.uploads.path_of(file.key).unlink()
    with pytest.raises(NotFound, match="upload it first"):
        await house.uploads.attachment(file.key, NOW)


async def test_whoever_is_first_a_claimed_file_is_whole(houses: list[House], database: str) -> None:
    """Two processes sweep while citizens claim, or upload again, what is just expiring."""
    rng, house = random.Random(12345), houses[0]
    files = [await house.upload(b"picture %d" % n) for n in range(120)]
    for one in houses:
        one.moment = LATER
    claimed, again = set(), set()

    async def citizen(n: int) -> None:
        await asyncio.sleep(rng.uniform(0, 0.2))
        mine = houses[n % 2]
        if n % 3 == 0:
            await mine.upload(b"picture %d" % n, LATER)
            again.add(files[n].key)
        try:
            await mine.appeal(files[n], f"c{n}")
        except NotFound:
            return
        claimed.add(files[n].key)

    async def sweeper(mine: House) -> int:
        swept = 0
        for _ in range(15):
            swept += await mine.uploads.sweep(LATER)
            await asyncio.sleep(rng.uniform(0, 0.02))
        return swept

    order = rng.sample(range(120), 120)
    late = [citizen(n) for n in order[:80]]  # the others claim nothing
    *_, one, two = await asyncio.gather(*late, sweeper(houses[0]), sweeper(houses[1]))
    assert one + two > 0, "some were swept"
    await house.uploads.sweep(LATER)
    left = await kept(database)
    assert left == claimed, "those that were claimed, and only those"
    assert again <= claimed, "what is uploaded anew is there to be claimed"
    assert {file.key for file in files if house.there(file)} == claimed


def test_pages_offer_no_file_of_a_draft_that_is_swept() -> None:
    """Drafts live for two weeks: the pages know how long their files do, and leave an hour for sending."""
    [hours] = re.findall(r"KEPT_HOURS = (\d+)$", Path("agent_ui/web/src/drafts/files.ts").read_text(), re.MULTILINE)
    assert timedelta(hours=int(hours) + 1) <= KEPT


@pytest.mark.parametrize("aside", [True, False])
def test_what_a_full_disk_did_not_take_whole_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aside: bool
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_durably(tmp_path / "ab/abcd", b"half", aside=tmp_path / UNFINISHED if aside else None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_what_a_killed_process_left_half_written_is_swept(database: str, tmp_path: Path) -> None:
    async with await open_pool(database) as pool:
        house = House(pool, tmp_path)
        file = await house.upload(b"whole")
        for name, moment in (("tmp_old", NOW - timedelta(minutes=1)), ("tmp_young", NOW + timedelta(minutes=1))):
            path = tmp_path / UNFINISHED / name
            path.write_bytes(b"half")
            os.utime(path, (moment.timestamp(), moment.timestamp()))
        await house.uploads.sweep(NOW + KEPT)
        assert [path.name for path in (tmp_path / UNFINISHED).iterdir()] == ["tmp_young"]
        assert house.there(file)
