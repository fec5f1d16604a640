"""A citizen's way in a browser: report, join, follow, add to it, rate, chat; a cut line loses or doubles nothing."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from channels.datum import gcj02
from hotline.terms import State
from tests.web.citizens import LAMP, SPOT, Ways, picture
from tests.web.conftest import LAPTOP, PHONE, Site


@pytest.fixture
def ways(site: Site) -> Ways:
    return Ways(site)


# ── reporting ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
async def test_a_report_with_words_picture_and_place_gets_number_and_code(ways: Ways, size: dict[str, int]) -> None:
    page = await ways.visit(size=size)
    await page.get_by_label("请说说是什么事").fill(LAMP)
    await page.locator("input[type=file]").set_input_files(picture())
    await expect(page.locator(".photos .done")).to_be_visible()
    await page.get_by_label("镇街（园区）").select_option("南城")
    await page.get_by_label("详细地址").fill("鸿福路88号")
    await page.get_by_label("您的称呼").fill("陈女士")
    await page.get_by_label("联系电话").fill("138-0013-8000")
    await page.get_by_text("更多选项").click()
    await page.get_by_label("什么时候发生的").fill("上周三晚上")
    await page.get_by_label("反映的是谁").fill("路灯管理所")
    await page.get_by_role("button", name="提交诉求").click()
    ticket = await ways.sent(page)
    appeal = (await ways.ticket(ticket))["ticket"]["appeal"]
    assert appeal["text"] == LAMP
    assert appeal["place"] == {"town": "南城", "address": "鸿福路88号"}
    assert (appeal["happened_at"], appeal["about"]) == ("上周三晚上", "路灯管理所")
    assert [file["media_type"] for file in appeal["attachments"]] == ["image/jpeg"]
    await page.reload()
    assert await ways.sent(page) == ticket, "number and code are there still"
    await page.get_by_role("button", name="再提交一件").click()
    await expect(page.get_by_label("请说说是什么事")).to_have_value("")  # what was sent is no draft


async def test_the_position_of_the_device_goes_with_it(ways: Ways) -> None:
    where = {"latitude": 23.0206, "longitude": 113.7518, "accuracy": 12}
    page = await ways.visit(geolocation=where, permissions=["geolocation"])
    await page.get_by_label("请说说是什么事").fill("这里的井盖不见了")
    await page.get_by_role("button", name="使用我现在的位置").click()
    await expect(page.get_by_text("误差约 12 米")).to_be_visible()
    await page.get_by_role("button", name="提交诉求").click()
    place = (await ways.ticket(await ways.sent(page)))["ticket"]["appeal"]["place"]
    assert (place["lat"], place["lon"]) == gcj02(23.0206, 113.7518)


async def test_what_is_missing_is_told_where_it_is_missing(ways: Ways) -> None:
    page = await ways.visit()
    await page.get_by_role("button", name="提交诉求").click()
    await expect(page.get_by_text("请先写几句话，或添加照片。")).to_be_visible()
    await expect(page.get_by_label("请说说是什么事")).to_be_focused()
    await page.get_by_label("请说说是什么事").fill("路灯不亮")
    await page.get_by_label("联系电话").fill("12")
    await page.get_by_role("button", name="提交诉求").click()
    await expect(page.get_by_label("联系电话")).to_be_focused()


async def test_danger_shows_whom_to_call_and_blocks_nothing(ways: Ways) -> None:
    page = await ways.visit()
    await page.get_by_label("请说说是什么事").fill("三楼着火了还有人被困")
    note = page.get_by_role("alert").filter(has_text="如遇紧急危险请立即拨打110/119/120")
    await expect(note).to_be_visible()
    await expect(note.get_by_role("link", name="拨打 119")).to_have_attribute("href", "tel:119")
    await page.get_by_role("button", name="提交诉求").click()
    await expect(page.get_by_text("已立即移交110等处置")).to_be_visible()


async def test_a_draft_outlives_the_browser(ways: Ways) -> None:
    page = await ways.visit()
    await page.get_by_label("请说说是什么事").fill("写到一半浏览器就没了")
    await page.get_by_label("详细地址").fill("体育路18号")
    await page.locator("input[type=file]").set_input_files(picture())
    await expect(page.locator(".photos .done")).to_be_visible()
    page = await ways.reborn(page)
    await expect(page.get_by_text("已恢复您上次没有提交的内容")).to_be_visible()
    await expect(page.get_by_label("请说说是什么事")).to_have_value("写到一半浏览器就没了")
    await expect(page.get_by_label("详细地址")).to_have_value("体育路18号")
    await expect(page.locator(".photos .done")).to_be_visible()
    await page.get_by_role("button", name="清空重填").click()
    await page.reload()
    await expect(page.get_by_label("请说说是什么事")).to_have_value("")


async def test_an_answer_that_was_lost_doubles_nothing(ways: Ways) -> None:
    """The service takes the report, the answer never arrives; what is sent again is the same report."""
    page = await ways.visit()
    text = f"{SPOT}答复丢了也不会重复"
    lost: list[str] = []

    async def lose(route: Any) -> None:
        if len(lost) < 2:
            lost.append((await (await route.fetch()).json())["number"])
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/api/v1/appeals", lose)
    await page.get_by_label("请说说是什么事").fill(text)
    await page.get_by_role("button", name="提交诉求").click()
    ticket = await ways.sent(page)
    assert lost == [ticket["number"]] * 2
    assert await ways.count(text) == 1


async def test_without_a_line_it_waits_on_the_device_even_over_a_killed_browser(ways: Ways) -> None:
    page = await ways.visit()
    text = f"{SPOT}断网提交"
    await page.get_by_label("请说说是什么事").fill(text)
    await page.context.set_offline(True)
    await page.get_by_role("button", name="提交诉求").click()
    await expect(page.get_by_text("已保存在本机，恢复后自动提交")).to_be_visible()
    assert await ways.count(text) == 0
    page = await ways.reborn(page)
    await ways.sent(page)
    assert await ways.count(text) == 1


async def test_a_report_under_way_is_sent_while_the_citizen_looks_elsewhere(ways: Ways) -> None:
    page = await ways.visit()
    text = f"{SPOT}边等边看"
    await page.get_by_label("请说说是什么事").fill(text)
    await page.context.set_offline(True)
    await page.get_by_role("button", name="提交诉求").click()
    await expect(page.get_by_text("已保存在本机，恢复后自动提交")).to_be_visible()
    await page.get_by_role("link", name="查进度").click()
    await page.context.set_offline(False)
    async with asyncio.timeout(30):
        while await page.evaluate("localStorage.getItem('hotline.outbox')") is not None:
            await asyncio.sleep(0.1)
    await page.get_by_role("link", name="我要诉求").click()
    await ways.sent(page)
    assert await ways.count(text) == 1


# ── similar reports ──────────────────────────────────────────────────────────────────────────────
async def test_a_similar_report_is_shown_and_joined_with_a_tap(ways: Ways) -> None:
    first = await ways.site.appeal("我是欧阳建国,大朗镇巷头社区停水一天了,什么时候恢复供水", phone="13812345678")
    await ways.compared(first)
    page = await ways.visit()
    await page.get_by_label("请说说是什么事").fill("大朗巷头整晚停水,几时才来水")
    similar = page.locator(".similar")
    await expect(similar).to_contain_text("大朗巷头 · 停水")
    await expect(similar).not_to_contain_text("欧阳")
    await similar.get_by_role("button", name="我也遇到").first.click()
    await expect(page.get_by_role("heading", name="已加入同一事项")).to_be_visible()
    ticket = await ways.sent(page)
    assert ticket["number"] != first["number"]
    assert (await ways.progress(ticket))["status"] == State.MERGED
    await page.get_by_role("button", name="查看进度").click()
    await expect(page.get_by_role("heading", name="已合并办理")).to_be_visible()


# ── following ────────────────────────────────────────────────────────────────────────────────────
async def test_the_citizen_sees_each_step_and_rates_the_answer(ways: Ways) -> None:
    ticket = await ways.site.appeal(f"{SPOT}路灯不亮了,请维修")
    page = await ways.follow(ticket)
    await expect(ways.now(page)).to_have_text(re.compile("已派单"))
    await ways.act(ticket, {"type": "sign"}, by="dept")
    await ways.refreshed(page, "已签收")
    await expect(ways.now(page)).to_have_text(re.compile("办理中"))
    await ways.act(ticket, {"type": "reply", "internal": "换灯泡", "public": "路灯已修好,请放心"}, by="dept")
    await ways.act(ticket, {"type": "accept_reply"}, by="agent")
    await ways.refreshed(page, "路灯已修好")
    await expect(page.get_by_text("已有办理结果，请您评价。")).to_be_visible()
    await page.get_by_label("非常满意").check()
    await page.get_by_label("已解决").check()
    await page.get_by_role("button", name="提交评价").click()
    await expect(page.get_by_text("感谢您的评价。")).to_be_visible()
    await expect(page.get_by_text("您的评价：非常满意")).to_be_visible()
    assert (await ways.progress(ticket))["rating"] == "very_satisfied"


async def test_a_wrong_code_is_told_in_words(ways: Ways) -> None:
    ticket = await ways.site.appeal(f"{SPOT}垃圾没人清")
    page = await ways.visit("/?at=track")
    await page.get_by_label("工单号").fill(ticket["number"])
    await page.get_by_label("查询码").fill("999999" if ticket["code"] != "999999" else "111111")
    await page.get_by_role("button", name="查询", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("没有找到")
    ways.site.errors.clear()  # the browser itself logs a 404


async def test_a_link_opens_the_ticket_and_leaves_no_code_in_the_address(ways: Ways) -> None:
    ticket = await ways.site.appeal(f"{SPOT}公交站牌倒了")
    page = await ways.visit(f"/?at=track#t={ticket['number']}-{ticket['code']}")
    await expect(page.get_by_text(ticket["number"])).to_be_visible()
    assert ticket["code"] not in page.url


async def test_words_are_added_once_whatever_happens_to_the_answer(ways: Ways) -> None:
    ticket = await ways.site.appeal(f"{SPOT}路灯坏了")
    page = await ways.follow(ticket)
    lost: list[int] = []

    async def lose(route: Any) -> None:
        lost.append((await route.fetch()).status)
        await route.abort()

    await page.route("**/messages", lose)
    await page.get_by_label("补充说明").fill("第二盏也坏了")
    await page.get_by_role("button", name="提交补充").click()
    await expect(page.get_by_role("alert").filter(has_text="网络不通")).to_be_visible()
    await page.unroute("**/messages")
    await expect(page.get_by_label("补充说明")).to_have_value("第二盏也坏了")
    await page.get_by_role("button", name="提交补充").click()
    await expect(page.get_by_text("已补充，承办人员会看到。")).to_be_visible()
    assert lost == [201]
    messages = [event for event in (await ways.ticket(ticket))["events"] if event["fact"]["type"] == "add_message"]
    assert [event["fact"]["text"] for event in messages] == ["第二盏也坏了"]


async def test_a_report_is_withdrawn_after_asking(ways: Ways) -> None:
    ticket = await ways.site.appeal(f"{SPOT}路灯闪烁")
    page = await ways.follow(ticket)
    await page.get_by_role("button", name="撤回诉求").click()
    await page.get_by_role("button", name="不撤回").click()
    assert (await ways.progress(ticket))["status"] == State.PENDING_SIGN
    await page.get_by_role("button", name="撤回诉求").click()
    await page.get_by_role("button", name="确定撤回").click()
    await expect(page.get_by_role("heading", name="已撤回")).to_be_visible()
    assert (await ways.progress(ticket))["status"] == State.WITHDRAWN


# ── the chat ─────────────────────────────────────────────────────────────────────────────────────
async def say(page: Page, text: str) -> None:
    await page.get_by_label("输入您想说的话").fill(text)
    await page.get_by_role("button", name="发送", exact=True).click()


async def test_a_chat_goes_on_over_a_cut_line_and_nothing_is_lost_or_doubled(ways: Ways) -> None:
    page = await ways.visit("/?at=talk")
    await say(page, "想问一下社保卡丢了怎么办")
    ticket = await ways.talked(page)
    await expect(page.get_by_role("status").filter(has_text=re.compile("排队|下一位"))).to_be_visible()
    await page.context.set_offline(True)
    await expect(page.get_by_text("连接中断，正在自动重连")).to_be_visible()
    await say(page, "断网时说的第一句")
    await say(page, "断网时说的第二句")
    await expect(page.get_by_text("待发送，连接恢复后自动发出")).to_have_count(2)
    await ways.act(ticket, {"type": "claim", "agent": "agent"}, by="agent")
    await ways.act(ticket, {"type": "add_message", "text": "您好,请带身份证到社保窗口", "inbound": False}, by="agent")
    await page.context.set_offline(False)
    await expect(page.locator("li.theirs").filter(has_text="请带身份证到社保窗口")).to_have_count(1)
    for text in ("断网时说的第一句", "断网时说的第二句"):
        await expect(page.locator("li.own").filter(has_text=text)).to_have_count(1)
    await expect(page.locator("li.waits")).to_have_count(0)
    await expect(page.get_by_text("坐席已接入")).to_be_visible()
    facts = [event["fact"] for event in (await ways.ticket(ticket))["events"]]
    added = [fact for fact in facts if fact["type"] == "add_message" and fact.get("inbound", True)]
    assert [fact["text"] for fact in added] == ["断网时说的第一句", "断网时说的第二句"]


async def test_a_chat_outlives_the_browser(ways: Ways) -> None:
    page = await ways.visit("/?at=talk")
    await say(page, "想问一下落户需要什么材料")
    ticket = await ways.talked(page)
    page = await ways.reborn(page)
    await ways.act(ticket, {"type": "add_message", "text": "请准备居住证", "inbound": False}, by="agent")
    await expect(page.locator("li.own").filter(has_text="落户需要什么材料")).to_have_count(1)
    await expect(page.locator("li.theirs").filter(has_text="请准备居住证")).to_have_count(1)
    await page.get_by_role("button", name="结束并清除本机记录").click()
    await page.get_by_role("button", name="清除", exact=True).click()
    await expect(page.locator("li.own")).to_have_count(0)


# ── the device ───────────────────────────────────────────────────────────────────────────────────
async def test_reports_are_remembered_only_if_the_citizen_wants(ways: Ways) -> None:
    page = await ways.visit()
    await page.get_by_label("请说说是什么事").fill(f"{SPOT}绿化带缺水")
    await page.get_by_role("button", name="提交诉求").click()
    ticket = await ways.sent(page)
    assert ticket["number"] not in str(await page.evaluate("JSON.stringify(localStorage)"))
    await page.get_by_role("button", name="记住", exact=True).click()
    await page.get_by_role("link", name="我的诉求").click()
    await page.get_by_role("button", name=f"查看 {ticket['number']} 的进度").click()
    await expect(page.get_by_text(ticket["number"])).to_be_visible()
    await page.get_by_role("link", name="我的诉求").click()
    await page.get_by_label("在这台设备上记住我的诉求").uncheck()
    assert ticket["number"] not in str(await page.evaluate("JSON.stringify(localStorage)"))


async def test_large_type_and_language_stay_chosen(ways: Ways) -> None:
    page = await ways.visit()
    before = await page.get_by_label("请说说是什么事").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    await page.get_by_role("button", name="大字").click()
    await page.reload()
    after = await page.get_by_label("请说说是什么事").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert after >= 1.25 * before
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing stands beside the page"
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


async def test_a_report_is_sent_with_the_keyboard_alone(ways: Ways) -> None:
    page = await ways.visit()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="跳到主要内容")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type(f"{SPOT}只用键盘")
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement?.type === 'submit'"):
            break
    await page.keyboard.press("Enter")
    await ways.sent(page)
    await expect(page.get_by_role("heading", name="已收到您的诉求")).to_be_focused()
