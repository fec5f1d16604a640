"""The agents' console in a real browser: the whole path, an emergency, a cut line, two agents on one ticket."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import aiohttp
import pytest
from playwright.async_api import expect

from tests.web.conftest import UNIT, WALL, Site
from tests.web.seats import seat, wire

VAGUE = "鸿福路八号门口的东西一直没有人管，该哪个部门处理"
LAMP = "南城体育路{}号门前的路灯坏了三天，晚上很黑"
FIRE = "厂房着火了，有人被困在里面，快来救人"


async def find(page: Any, number: str) -> None:
    """Open a ticket by the search, with the keyboard alone."""
    await expect(page.get_by_role("searchbox")).to_be_visible()  # the page is there, and hears keys
    await page.keyboard.press("Escape")  # out of any text
    await page.locator("body").press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type(number)
    await page.keyboard.press("Enter")
    await expect(page.locator("aside.right").get_by_text(number)).to_be_visible()
    await page.locator("body").press("Escape")


async def note(page: Any, text: str) -> None:
    """Write a note with the keyboard alone, and leave it unsent."""
    await page.locator("body").press("i")
    await expect(page.get_by_label("内容", exact=True)).to_be_focused()
    await page.keyboard.type(text)


async def until(condition: Any) -> None:
    """Wait for a condition of the service."""
    async with asyncio.timeout(25):
        while not await condition():
            await asyncio.sleep(0.1)


async def test_the_whole_path_of_a_ticket(site: Site) -> None:
    page = await seat(site)
    await page.locator("body").press("4")
    receipt = await site.appeal(VAGUE, title="门口的东西", place={"town": "南城"})
    number = receipt["number"]
    ticket = await site.progress(receipt)
    await expect(page.get_by_role("option").filter(has_text="门口的东西").first).to_be_visible()  # it appears by itself
    await find(page, number)
    right = page.locator("aside.right")
    await page.locator("body").press("r")
    await page.keyboard.type("您好，我们正在为您核实")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("main .bubble.us").get_by_text("您好，我们正在为您核实")).to_be_visible()
    await page.keyboard.press("Escape")
    await choose_category(page, "路灯")
    await expect(right.get_by_text("/ 路灯").first).to_be_visible()
    await expect(right.get_by_text(re.compile("派单目录第.*行"))).to_be_visible()
    await expect(right.get_by_text(UNIT).first).to_be_visible()
    await page.locator("body").press("d")
    await expect(right.get_by_text("待签收")).to_be_visible()
    async with wire(site, "dept") as dept:
        await dept.act(number, type="sign")
        await expect(right.get_by_text("办理中")).to_be_visible()
        await dept.act(number, type="record_contact", note="已联系")
        await dept.act(number, type="reply", internal="已修好", public="路灯已经修好，感谢反映。")
    async with wire(site, "boss") as boss:
        if (await boss.opened(number))["ticket"]["state"] == "pending_review":
            await boss.act(number, type="accept_reply")
        await boss.act(number, type="settle_follow_up", rating="satisfied", solved=True)
    await expect(right.get_by_text("办结", exact=True).first).to_be_visible()
    progress = await site.progress(receipt)
    assert "您好，我们正在为您核实" in [step["text"] for step in progress["steps"]], "the citizen reads what is written"
    steps = [step["kind"] for step in progress["steps"]]
    assert len(steps) > len(ticket["steps"])
    assert {"receive", "dispatch", "sign", "reply", "settle_follow_up"} <= set(steps), steps


async def choose_category(page: Any, name: str) -> None:
    """Pick a category by typing a part of its name, from the key `g` on."""
    await page.locator("body").press("g")
    await page.keyboard.type(name)
    await page.get_by_role("option", name=re.compile(name)).first.click()


async def pick(page: Any, label: str, value: str) -> None:
    """Pick from a list with a filter."""
    box = page.get_by_label(label).first
    await box.click()
    await box.fill(value)
    await page.get_by_role("option", name=value, exact=True).first.click()


async def test_what_comes_is_seen_at_once_and_taken_by_keys(site: Site) -> None:
    page = await seat(site)
    await page.locator("body").press("4")
    await expect(page.get_by_text("正在载入…")).to_have_count(0)  # who waited before is counted
    before = int(await page.locator("[data-queue=received] .count").inner_text())
    numbers = [
        (await site.appeal(f"我要咨询一下{place}的事情，不知道归谁管", title=f"不清楚{place}"))["number"]
        for place in ("甲处", "乙处")
    ]
    async with wire(site, "boss") as boss:
        new = [n for n in numbers if (await boss.opened(n))["ticket"]["state"] == "received"]
    await expect(page.locator("[data-queue=received] .count")).to_have_text(str(before + len(new)))
    await find(page, numbers[0])
    await page.locator("body").press("c")
    await expect(page.get_by_text("由 agent 处理")).to_be_visible()
    await note(page, "请同事留意")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("main .bubble.note").get_by_text("请同事留意")).to_be_visible()
    await page.locator("body").press("Escape")
    await page.locator("body").press(".")
    await expect(page.get_by_label("输入操作名称")).to_be_focused()
    await page.keyboard.type("内部备注")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").locator("textarea")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.locator("body").press("?")
    await expect(page.get_by_role("dialog").get_by_text("键盘快捷键").first).to_be_visible()


async def test_an_emergency_reaches_110_and_its_acknowledgement_is_seen(site: Site) -> None:
    page = await seat(site)
    receipt = await site.appeal(FIRE)
    number = receipt["number"]
    await page.locator("body").press("2")
    await find(page, number)
    await expect(page.get_by_text(re.compile("110 已接警，警情号"))).to_be_visible()
    await expect(page.locator("main mark.danger").first).to_have_attribute("title", re.compile("^危险信号：[一-龥]+"))

    async def at_desk() -> bool:
        return any(number in json.dumps(incident) for incident in site.house.incidents())
    await until(at_desk)


async def test_one_key_pushes_to_110(site: Site) -> None:
    page = await seat(site)
    number = (await site.appeal("隔壁仓库的货堆得很高，想问一下归哪个部门管", title="隔壁仓库"))["number"]
    await find(page, number)
    await page.locator("body").press("F9")
    await expect(page.get_by_role("dialog").get_by_text("移交 110 等")).to_be_visible()
    await expect(page.get_by_role("button", name="推送警情")).to_be_focused()
    await page.keyboard.press("F9")
    await expect(page.get_by_text(re.compile("110 已接警，警情号"))).to_be_visible()


async def test_an_alarm_that_nobody_acknowledges_stands_on_top_and_clears(site: Site) -> None:
    page = await seat(site)
    await desk(site, "down")
    try:
        number = (await site.appeal(FIRE + "，在莞太路"))["number"]
        strip = page.get_by_role("alert").get_by_text("110 报警未确认")
        await expect(strip).to_be_visible(timeout=40_000)
        await page.get_by_role("button", name="去处理").click()
        await expect(page.locator("aside.right").get_by_text(number)).to_be_visible()
        await expect(page.get_by_text(re.compile("已推送.*等待确认"))).to_be_visible()
    finally:
        await desk(site, "none")
    await expect(page.get_by_text(re.compile("110 已接警，警情号"))).to_be_visible(timeout=90_000)
    await expect(strip).to_have_count(0)


async def desk(site: Site, fault: str) -> None:
    """Give the 110 desk a fault, or take it away."""
    url = f"{site.house.desk_url}/faults"
    async with aiohttp.ClientSession() as session, session.put(url, json={"fault": fault}) as answer:
        assert answer.status < 300, await answer.text()


async def test_a_cut_line_loses_and_doubles_nothing(site: Site) -> None:
    page = await seat(site)
    number = (await site.appeal("我要咨询断线的时候会怎样", title="断线"))["number"]
    await find(page, number)
    await note(page, "断线时写的备注")
    await page.context.set_offline(True)
    await expect(page.get_by_text("连接中断，正在重连")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("项操作待发送")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("上一步还没有答复，这一步没有执行")).to_be_visible()
    async with wire(site, "agent2") as other:
        others = [(await site.appeal(LAMP.format(f"断{n}")))["number"] for n in range(3)]
        await other.ask(type="search", text="断线")
    await page.context.set_offline(False)
    await expect(page.get_by_text("已连接").or_(page.get_by_text("连接已恢复")).first).to_be_visible()
    await expect(page.locator("main .bubble.note").get_by_text("断线时写的备注")).to_have_count(1)
    async with wire(site, "boss") as boss:
        events = (await boss.opened(number))["events"]
    assert [event["fact"]["text"] for event in events if event["fact"]["type"] == "add_note"] == ["断线时写的备注"]
    await find(page, others[-1])
    site.errors[:] = [error for error in site.errors if "offline" not in error.lower()]


async def test_a_draft_survives_a_reload_and_goes_when_sent(site: Site) -> None:
    page = await seat(site)
    number = (await site.appeal("我要咨询草稿", title="草稿"))["number"]
    await find(page, number)
    await note(page, "写了一半")
    await page.reload()
    await find(page, number)
    area = page.get_by_label("内容", exact=True)
    await expect(area).to_have_value("写了一半")
    await page.locator("body").press("i")
    await page.keyboard.press("Control+Enter")
    await expect(area).to_have_value("")
    assert await page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('hotline.draft.')).length") == 0


async def test_two_agents_on_one_ticket_see_each_other_and_never_overwrite(site: Site) -> None:
    first, second = await seat(site), await seat(site, "agent2", size=WALL)
    number = (await site.appeal("我要咨询两个人同时处理", title="两人"))["number"]
    await find(first, number)
    await find(second, number)
    await expect(first.get_by_text("agent2 也在看这件工单")).to_be_visible()
    await expect(second.get_by_text("agent 也在看这件工单")).to_be_visible()
    await note(second, "第二人正在写")  # unsent: news must be confirmed first
    await first.locator("body").press("y")
    await expect(second.get_by_role("alert").get_by_text("agent 刚刚：受理")).to_be_visible()
    await second.keyboard.press("Control+Enter")
    await expect(second.get_by_text("工单刚被他人更新")).to_be_visible()
    await expect(second.get_by_label("内容", exact=True)).to_have_value("第二人正在写")
    await second.keyboard.press("Control+Enter")
    await expect(second.locator("main .bubble.note").get_by_text("第二人正在写")).to_be_visible()
    await first.locator("body").press("x")
    await expect(second.get_by_text("也在看这件工单")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_no_serious_violation_of_accessibility(site: Site, language: str) -> None:
    number = (await site.appeal(LAMP.format("十")))["number"]
    page = await seat(site, language=language)
    await find(page, number)
    await page.wait_for_timeout(500)
    assert await site.violations(page) == []
