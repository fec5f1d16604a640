"""Files left at WeChat come home by jobs: whatever is killed, full or refused, once or told on the ticket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from aiohttp.test_utils import TestServer

from channels import attachments
from channels.message import Inbound, Receipt
from channels.wechat_api import Refused
from hotline import commands as c
from hotline.appeal import UNTRIAGED, Appeal, Attachment, Citizen
from hotline.city import load_city
from hotline.config import Settings
from hotline.core import Core, open_core
from hotline.errors import Overloaded, RateLimited, RuleViolation, Unavailable
from hotline.events import SYSTEM, Actor, Role
from hotline.handoff import Later
from hotline.ids import DepartmentCode
from hotline.media import KEPT, Media, MediaFile
from hotline.ports import Acted
from hotline.roles.jobs import jobs_role
from hotline.standins.wechat import WeChatStandIn
from hotline.store.persons import PersonStore
from hotline.terms import Channel, RejectReason, State
from tests.channels.test_appeals import PNG

AGENT = Actor(Role.AGENT, "zhang")
PICTURE = "诉求人的微信文件“图片.jpg”"
_JOBS = "SELECT payload FROM pgqueuer WHERE entrypoint = 'fetch_media' ORDER BY id"


def picture(number: int, *, citizen: str = "o1", text: str = "[图片]", received_at: datetime | None = None) -> Inbound:
    file = Attachment(key=f"wechat:m{number}", name="图片.jpg", media_type="image/jpeg", size=0)
    return Inbound(
        channel=Channel.WECHAT, external_id=f"pic-{number}", received_at=received_at or datetime.now(UTC),
        conversation=citizen, appeal=Appeal(text=text, citizen=Citizen(key=citizen), attachments=(file,)),
    )


def fetching(outcome: bytes | Exception) -> Callable[[str], Awaitable[bytes]]:
    async def fetch(_: str) -> bytes:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return fetch


def media(core: Core, outcome: bytes | Exception) -> Media:
    return Media(port=core.front, tickets=core.store, service=core.service, fetch=fetching(outcome))


async def owed(core: Core) -> list[str]:
    return [row["payload"].decode() for row in await core.pool.fetch(_JOBS)]


async def facts(core: Core, number: str) -> list[c.Command]:
    history = await core.store.history((await core.store.read(number)).id)
    return [event.fact for event in history]  # type: ignore[misc]


async def kept(core: Core, number: str) -> list[str]:
    """Return what is said of the files that came home."""
    return [one.note for one in await facts(core, number) if isinstance(one, c.Attach)]


async def test_a_job_is_there_for_each_file_and_each_once(core: Core) -> None:
    inbounds = [picture(1), picture(2), picture(1)]
    receipts: list[Receipt] = [await core.front.submit(one) for one in inbounds]
    files = [msgspec.json.decode(one, type=MediaFile) for one in await owed(core)]
    assert len({one.number for one in receipts}) == 1, "the second goes on with the first's ticket"
    assert [(one.key, one.name, one.number) for one in files] == [
        ("wechat:m1", "图片.jpg", receipts[0].number), ("wechat:m2", "图片.jpg", receipts[0].number),
    ]


async def test_a_message_that_is_not_committed_leaves_no_job(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise asyncpg.PostgresError("no room")

    monkeypatch.setattr("hotline.store.arrivals.enqueue", broken)
    with pytest.raises(Unavailable):
        await core.front.submit(picture(1))
    assert await core.pool.fetchval("SELECT count(*) FROM tickets") == 0
    monkeypatch.undo()
    await core.front.submit(picture(1))
    assert len(await owed(core)) == 1


async def test_what_comes_home_twice_is_there_once(core: Core) -> None:
    receipt = await core.front.submit(picture(1))
    [payload] = await owed(core)
    for _ in range(2):
        await media(core, PNG).bring_home(payload)
    assert await kept(core, receipt.number) == [PICTURE]
    assert len(await owed(core)) == 1, "the file that we have is not fetched again"


async def test_a_merged_citizens_file_comes_to_the_matter(core: Core) -> None:
    parent = await core.front.submit(picture(1))
    kid = await core.front.submit(picture(2, citizen="o2"))
    await core.service.act(kid.number, c.Merge(parent=(await core.store.read(parent.number)).id), actor=AGENT)
    await core.front.submit(picture(3, citizen="o2"))
    for payload in await owed(core):
        await media(core, PNG).bring_home(payload)
    marked = f"[并单{kid.number}] {PICTURE}"
    assert await kept(core, parent.number) == [PICTURE, marked, marked]


@pytest.mark.parametrize("asked_in", ["centre", "department"])
async def test_a_file_that_is_late_answers_no_question_that_was_asked_meanwhile(core: Core, asked_in: str) -> None:
    receipt = await core.front.submit(picture(1))
    unit = DepartmentCode(next(iter(core.rules().directory.units)))
    steps = [c.Accept(), c.Dispatch(lead=unit), c.Sign()] if asked_in == "department" else []
    for step in (*steps, c.AskInfo(question="在哪里?")):
        await core.service.act(receipt.number, step, actor=SYSTEM)
    [payload] = await owed(core)
    await media(core, PNG).bring_home(payload)
    ticket = (await core.store.read(receipt.number)).ticket
    assert (ticket.state, ticket.clocks.paused_at is None) == (State.NEED_INFO, False), "it waits for the answer"
    assert await kept(core, receipt.number) == [PICTURE]


@pytest.mark.parametrize("error", [
    Unavailable("WeChat does not answer"), Overloaded("full", retry_after=1), OSError("no space left"), TimeoutError(),
    Refused("WeChat answered 40164"), RateLimited("WeChat answered 45011", retry_after=3),
])
async def test_what_may_pass_is_tried_again_as_long_as_wechat_keeps_it(core: Core, error: Exception) -> None:
    receipt = await core.front.submit(picture(1))
    [payload] = await owed(core)
    file = msgspec.json.decode(payload, type=MediaFile)
    delays = []
    for waited in (timedelta(), timedelta(minutes=10), timedelta(days=2)):
        older = msgspec.structs.replace(file, since=core.clock() - waited)
        with pytest.raises(Later) as later:
            await media(core, error).bring_home(msgspec.json.encode(older).decode())
        delays.append(round(later.value.delay.total_seconds()))
    assert delays == [5, 600, 3600]
    late = msgspec.structs.replace(file, since=core.clock() - KEPT - timedelta(minutes=1))
    await media(core, error).bring_home(msgspec.json.encode(late).decode())
    assert isinstance((await facts(core, receipt.number))[-1], c.AddNote)
    await media(core, PNG).bring_home(payload)
    assert await kept(core, receipt.number) == [PICTURE]


async def test_a_quota_is_waited_for_as_long_as_it_asks(core: Core) -> None:
    receipt = await core.front.submit(picture(1))
    [payload] = await owed(core)
    with pytest.raises(Later) as later:
        await media(core, RateLimited("WeChat answered 45009", retry_after=3600)).bring_home(payload)
    assert later.value.delay == timedelta(hours=1)
    await media(core, PNG).bring_home(payload)
    assert await kept(core, receipt.number) == [PICTURE]


@pytest.mark.parametrize("outcome", [RuleViolation("WeChat answered 40007"), b"MZ no picture"])
async def test_what_cannot_be_had_is_told_on_the_ticket_once(core: Core, outcome: bytes | Exception) -> None:
    receipt = await core.front.submit(picture(1))
    [payload] = await owed(core)
    for _ in range(2):
        await media(core, outcome).bring_home(payload)
    notes = [one.text for one in await facts(core, receipt.number) if isinstance(one, c.AddNote)]
    assert [note.partition(":")[0] for note in notes] == ["微信文件“图片.jpg”未能取回"]


@pytest.mark.parametrize("end", [
    c.Answer(text="路灯已报修。"), c.Reject(reason=RejectReason.PETITION), c.Withdraw(reason="不用了"),
], ids=lambda end: type(end).__name__)
async def test_a_file_for_a_ticket_that_ended_meanwhile_is_on_it_once(core: Core, end: c.Command) -> None:
    receipt = await core.front.submit(picture(1))
    await core.service.act(receipt.number, end, actor=AGENT)
    [payload] = await owed(core)
    for _ in range(2):
        await media(core, PNG).bring_home(payload)
    since = (await facts(core, receipt.number))[2:]
    assert [(file.key, file.size) for one in since for file in getattr(one, "attachments", ())] == [
        ((await core.front.store_attachment(PNG, "图片.jpg")).key, len(PNG)),
    ]


async def test_without_an_app_id_files_stay_where_they_are(core: Core) -> None:
    receipt = await core.front.submit(picture(1))
    [payload] = await owed(core)
    before = await facts(core, receipt.number)
    media = Media(port=core.front, tickets=core.store, service=core.service, fetch=None)
    await media.bring_home(payload)
    assert await facts(core, receipt.number) == before


async def test_a_restart_loses_no_picture_and_neither_do_many_at_once(database: str, tmp_path: Path) -> None:
    """What took the messages is gone before anything was fetched; WeChat is busy when jobs begin."""
    city, count = load_city(Path("cities/441900")), 80
    wechat = WeChatStandIn()
    wechat.media = {f"m{number}": ("image/png", PNG) for number in range(count)}
    wechat.faults.expired = 1
    async with TestServer(wechat.app()) as server:
        settings = Settings(
            data_dir=str(tmp_path), wechat_token="t", wechat_app_id="wx1", wechat_secret="s",
            wechat_api=str(server.make_url("")),
        )
        opening = {"triage": lambda texts: [UNTRIAGED] * len(texts), "city": city, "dsn": database}
        async with open_core(settings, **opening) as first:  # type: ignore[arg-type]
            await asyncio.gather(*(first.front.submit(picture(n, citizen=f"o{n}")) for n in range(count)))
        async with open_core(settings, **opening) as second, jobs_role(second):  # type: ignore[arg-type]
            async with asyncio.timeout(60):
                while await second.pool.fetchval("SELECT count(*) FROM ticket_events WHERE type = 'attach'") < count:
                    await asyncio.sleep(0.05)
            assert await second.pool.fetchval("SELECT count(*) FROM tickets") == count


async def test_a_file_is_hashed_beside_the_loop(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 20 MiB of it: meanwhile nobody else would be answered."""
    threads, describe = [], attachments.describe

    def noted(data: bytes, name: str) -> Attachment:
        threads.append(threading.current_thread())
        return describe(data, name)

    monkeypatch.setattr(attachments, "describe", noted)
    assert (await core.front.store_attachment(PNG, "a.png")).name == "a.png"
    assert len(threads) == 1
    assert threading.main_thread() not in threads


class ErasedFirst:
    """A service before whose act the citizens of finished tickets are erased."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def act_once(self, number: str, command: c.Command, **how: Any) -> Acted:
        await erase(self._core)
        return await self._core.service.act_once(number, command, **how)


async def erase(core: Core) -> None:
    await PersonStore(core.pool).sweep(core.clock() + timedelta(days=366), years=1)


@pytest.mark.parametrize("when", ["before it is fetched", "meanwhile", "before it is attached"])
async def test_nothing_of_an_erased_citizen_comes_home(core: Core, when: str) -> None:
    receipt = await core.front.submit(picture(1))
    await core.service.act(receipt.number, c.Withdraw(reason="不用了"), actor=AGENT)
    [payload], fetched = await owed(core), []

    async def fetch(key: str) -> bytes:
        fetched.append(key)
        if when == "meanwhile":
            await erase(core)
        return PNG

    if when == "before it is fetched":
        await erase(core)
    service = ErasedFirst(core) if when == "before it is attached" else core.service
    before = await facts(core, receipt.number)
    await Media(port=core.front, tickets=core.store, service=service, fetch=fetch).bring_home(payload)
    assert len(await facts(core, receipt.number)) == len(before)
    assert await core.pool.fetchval("SELECT count(*) FROM attachments WHERE expires_at IS NULL") == 0, "none for good"
    assert fetched == ([] if when == "before it is fetched" else ["m1"])


async def test_nothing_of_an_erased_citizen_comes_to_the_matter_they_were_merged_into(core: Core) -> None:
    parent, kid = [await core.front.submit(picture(n, citizen=f"o{n}")) for n in (1, 2)]
    await core.service.act(kid.number, c.Merge(parent=(await core.store.read(parent.number)).id), actor=AGENT)
    await core.service.act(parent.number, c.Withdraw(reason="不用了"), actor=AGENT)
    held = PersonStore(core.pool).hold(number=parent.number, by="audit", reason="取证", now=core.clock())
    assert await held == 1
    await erase(core)
    for payload in await owed(core):
        await media(core, PNG).bring_home(payload)
    assert await kept(core, parent.number) == [PICTURE], "the parent is held, and keeps its own"
