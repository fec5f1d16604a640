"""The agent's and the supervisor's pages in real calls: a browser, a real Asterisk, sipp as everybody's telephone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.processes import House
from tests.voice.centre import NEEDS_PBX
from tests.voice.phones import Phones, answering, calling
from tests.voice.test_calls import tone
from tests.web.conftest import Site
from tests.web.floor import HEARD, Floor, at_pbx, until_so
from tests.web.seats import seat, wire

pytestmark = NEEDS_PBX
CHEN = {"name": "陈女士", "phone": "13812345678"}
MASKED = "+86138****5678"


@pytest.fixture(scope="module")
def floor() -> Iterator[Floor]:
    floor = Floor()
    try:
        floor.start()
        yield floor
    finally:
        floor.stop()


@pytest.fixture(scope="module")
def house(floor: Floor) -> House:
    """The service that `site` is about."""
    return floor.house


@pytest_asyncio.fixture(loop_scope="session")
async def phones(floor: Floor, tmp_path: Path) -> AsyncIterator[Phones]:
    """Telephones; at the end of the test the PBX hangs up whatever still talks."""
    async with Phones(tmp_path, pbx_port=floor.pbx.sip_port) as phones, at_pbx(floor) as pbx:
        yield phones
        while lines := await pbx.found("channels"):
            for line in lines:
                await pbx.hang_up(line["id"])
            await asyncio.sleep(0.2)


async def ready(site: Site, name: str = "agent") -> Any:
    """Sit an agent down who takes calls."""
    page = await seat(site, name)
    pill = page.locator("button.presence")
    await expect(pill).to_contain_text(re.compile("示忙|示闲|话后"))
    if "示闲" not in await pill.inner_text():
        await page.locator("body").press("p")
    await expect(pill).to_contain_text("示闲")
    return page


async def away(page: Any) -> None:
    """Take no more calls, so that the next test finds nobody free but whom it seats itself."""
    pill = page.locator("button.presence")
    await expect(pill).to_contain_text(re.compile("话后|示闲"))
    await page.locator("body").press("Escape")
    if "话后" in await pill.inner_text():
        await page.locator("body").press("p")
        await expect(pill).to_contain_text("示闲")
    await page.locator("body").press("p")
    await expect(pill).to_contain_text("示忙")


async def talks(page: Any, phones: Phones, floor: Floor, *, seconds: float = 300, **more: Any) -> Any:
    """Let a citizen call and an agent answer; return the panel of the call."""
    await phones.phone(answering(), port=floor.ports["agent"])
    await phones.call(calling("13812345678", seconds=seconds, **more))
    panel = page.locator("section.call")
    await expect(panel).to_contain_text("通话中")
    return panel


async def test_a_call_from_the_ringing_to_the_end_of_wrap_up(site: Site, floor: Floor, phones: Phones) -> None:
    known = await site.appeal("我要咨询老旧小区加装电梯的补贴", title="加装电梯补贴", **CHEN)
    page = await ready(site)
    await phones.phone(answering(after=6000), port=floor.ports["agent"])
    await phones.call(calling("13812345678", seconds=300))
    panel = page.locator("section.call")
    await expect(panel).to_contain_text("振铃")
    await expect(panel).to_contain_text(MASKED)
    await expect(panel).to_contain_text("陈*")
    await expect(panel.get_by_role("button", name="加装电梯补贴")).to_be_visible()
    await expect(panel).to_contain_text("请在话机上接听")
    await expect(page.locator("button.presence")).to_contain_text("振铃")

    await expect(panel).to_contain_text("通话中")
    await panel.get_by_role("button", name="加装电梯补贴").click()
    await expect(page.locator("aside.right")).to_contain_text(known["number"])
    await page.keyboard.press("F2")
    await expect(panel).to_contain_text("保持中")
    await expect(page.locator("button.presence")).to_contain_text("保持")
    await page.keyboard.press("F2")
    await expect(panel).to_contain_text("通话中")

    numbers = []
    for text in ("南城体育路8号门前的路灯坏了三天", "另外小区门口的垃圾好几天没有清运"):
        await page.locator("body").press("n")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("诉求内容").fill(text)
        if numbers:  # the citizen's last matter is written down as they hang up
            await page.keyboard.press("F4")
            await expect(panel).to_have_count(0)
            await expect(dialog.get_by_text("工单将记到先前的那通来电")).to_be_visible()
        await dialog.get_by_role("button", name="生成工单").click()
        await expect(dialog).to_be_hidden()
        await expect(page.locator("main .bubble").first).to_contain_text(text)
        numbers.append(await page.locator("aside.right .number").inner_text())
    assert len({known["number"], *numbers}) == 3, "each matter of a call is a ticket of its own"
    async with wire(site, "agent") as other:
        opened = await other.opened(numbers[1])
        assert opened["ticket"]["appeal"]["citizen"]["phone"] == MASKED
        assert opened["ticket"]["channel"] == "call"

    wrap_up = page.get_by_role("button", name=re.compile("话后处理 0:"))
    await expect(wrap_up).to_be_visible()
    await expect(wrap_up).to_contain_text(re.compile("0:(0[3-9]|[1-9])"))
    await page.locator("body").press("p")
    await expect(page.locator("button.presence")).to_contain_text("示闲")
    await away(page)


async def test_one_key_brings_110_into_the_talk_without_a_ticket(site: Site, floor: Floor, phones: Phones) -> None:
    page = await ready(site)
    await phones.phone(answering(after=4000), port=floor.ports["desk"])
    panel = await talks(page, phones, floor)
    await page.locator("body").press("F9")
    await expect(page.get_by_role("dialog").get_by_text("移交 110 等")).to_be_visible()
    await page.keyboard.press("F9")
    await expect(panel.locator(".party")).to_contain_text("110 振铃")
    await expect(panel.locator(".party")).to_contain_text("110 已接通")
    await until_so(floor, together=3)
    await panel.get_by_role("button", name="我退出，他们继续").click()
    await expect(panel).to_have_count(0)
    await until_so(floor, together=2)
    await expect(page.get_by_role("button", name=re.compile("话后处理"))).to_be_visible()
    await away(page)


async def test_a_call_is_handed_to_110_and_the_incident_pushed(site: Site, floor: Floor, phones: Phones) -> None:
    page = await ready(site)
    await phones.phone(answering(after=500), port=floor.ports["desk"])
    panel = await talks(page, phones, floor)
    await page.locator("body").press("n")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("诉求内容").fill("我要咨询，隔壁仓库的情况不太清楚，有点害怕")
    await dialog.get_by_role("button", name="生成工单").click()
    await expect(page.locator("aside.right .number")).to_be_visible()
    await page.locator("body").press("F9")
    await page.get_by_role("dialog").get_by_role("button", name="一键转接").click()
    await expect(panel).to_have_count(0)
    await until_so(floor, together=2)
    await page.locator("body").press("F9")
    await page.keyboard.press("F9")
    await expect(page.get_by_text(re.compile("110 已接警，警情号"))).to_be_visible()
    await away(page)


async def consult(page: Any, whom: str) -> None:
    """Ask a colleague about the call, by keys."""
    await page.keyboard.press("F8")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("radiogroup").get_by_text("先咨询").click()
    await dialog.get_by_role("button", name=whom).click()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()


async def test_a_colleague_is_asked_first_and_takes_the_call(site: Site, floor: Floor, phones: Phones) -> None:
    page = await ready(site)
    panel = await talks(page, phones, floor)
    colleague = await ready(site, "agent2")
    asked = colleague.locator("section.asked")
    for turn in ("declined", "taken"):
        await phones.phone(answering(after=8000), port=floor.ports["agent2"])
        await consult(page, "agent2")
        await expect(panel).to_contain_text("保持中")
        await expect(asked).to_contain_text("咨询：来自 agent")  # who asks, and who calls, while it rings
        await expect(asked).to_contain_text(MASKED)
        await expect(asked).to_contain_text("请在话机上接听")
        await expect(colleague).to_have_title(re.compile(r"^\(1\) "))
        await expect(colleague.locator("section.call")).to_have_count(0)
        if turn == "declined":
            await colleague.keyboard.press("F4")
            await expect(asked).to_have_count(0)
            await expect(panel).to_contain_text("通话中")
            await expect(colleague.locator("button.presence")).to_contain_text("示闲")
    await expect(asked).to_contain_text("已接通")
    await colleague.reload()
    await expect(asked).to_contain_text("咨询：来自 agent")
    await expect(asked).to_contain_text(MASKED)
    assert await site.violations(colleague) == []
    await panel.get_by_role("button", name="交给agent2，我退出").click()
    await expect(panel).to_have_count(0)
    await until_so(floor, together=2)
    theirs = colleague.locator("section.call")
    await expect(theirs).to_contain_text(MASKED)
    await expect(theirs).to_contain_text("通话中")
    await expect(asked).to_have_count(0)
    await colleague.locator("body").press("F4")  # it is their call now
    await expect(theirs).to_have_count(0)
    await away(page)
    await away(colleague)


async def test_a_call_goes_to_a_skill_group_and_rings_at_the_next(site: Site, floor: Floor, phones: Phones) -> None:
    page = await ready(site)
    panel = await talks(page, phones, floor)
    colleague = await ready(site, "agent2")
    await phones.phone(answering(after=500), port=floor.ports["agent2"])
    await panel.get_by_role("button", name="转接").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator("fieldset").first.get_by_role("button").first.click()
    await dialog.get_by_role("button", name="转接").last.click()
    await expect(panel).to_have_count(0)
    theirs = colleague.locator("section.call")
    await expect(theirs).to_contain_text(MASKED)
    await expect(theirs).to_contain_text("通话中")
    await colleague.locator("body").press("F4")
    await expect(theirs).to_have_count(0)
    await away(page)
    await away(colleague)


async def test_a_page_that_comes_back_shows_the_call_it_has(site: Site, floor: Floor, phones: Phones) -> None:
    page = await ready(site)
    panel = await talks(page, phones, floor)
    await page.reload()
    await expect(panel).to_contain_text("通话中")
    await expect(panel).to_contain_text(MASKED)
    await page.context.set_offline(True)
    await expect(page.get_by_text("连接中断，正在重连")).to_be_visible()
    async with wire(site, "boss") as boss:
        (call,) = (await boss.ask(type="floor"))["floor"]["calls"]
        await boss.ask(type="call", call=call["call"], act="hang_up")
    await page.context.set_offline(False)
    await expect(panel).to_have_count(0)
    site.errors[:] = [error for error in site.errors if "offline" not in error.lower()]
    await away(page)


async def test_what_is_said_is_read_as_it_is_said_and_danger_raises_the_alarm(
    site: Site, floor: Floor, phones: Phones, tmp_path: Path
) -> None:
    page = await ready(site)
    panel = await talks(page, phones, floor, speaking=tone(tmp_path / "tone.ulaw"))
    await expect(panel.get_by_role("log")).to_contain_text(HEARD[0])
    await expect(panel.get_by_role("alert")).to_contain_text("通话中出现危险信号")
    await page.locator("body").press("n")
    await expect(page.get_by_label("诉求内容")).to_have_value(re.compile("|".join(HEARD)))  # both sides are heard
    await page.keyboard.press("Escape")
    await page.locator("body").press("F4")
    await expect(panel).to_have_count(0)
    await away(page)


async def test_a_supervisor_listens_whispers_and_joins(site: Site, floor: Floor, phones: Phones) -> None:
    page = await ready(site)
    panel = await talks(page, phones, floor)
    board = await site.visit("/board", name="boss")
    row = board.locator(".floor li")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("agent")
    await expect(row).to_contain_text(MASKED)
    await expect(row).to_contain_text("通话")
    await phones.phone(answering(after=500), port=floor.ports["boss"])
    ways = (("监听", "监听中", 2), ("耳语", "耳语中", 2), ("强插", "已加入", 3), ("监听", "监听中", 2))
    for act, told, together in ways:
        await row.get_by_role("button", name=act).click()
        await expect(row).to_contain_text(f"班长 boss {told}")
        await expect(row.get_by_role("button", name=act)).to_have_attribute("aria-pressed", "true")
        await until_so(floor, together=together, overheard=together == 2)
        seen = panel.get_by_text("班长 boss 已加入通话")
        await expect(seen).to_have_count(1 if together == 3 else 0)  # who only listens is not shown
    await page.locator("body").press("F4")
    await expect(panel).to_have_count(0)
    await expect(row).to_have_count(0)
    await away(page)
