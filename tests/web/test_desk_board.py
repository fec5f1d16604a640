"""The department signs and replies, the follow-up closes; the board moves as it happens, and every number leads on."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import asyncpg
from playwright.async_api import expect

from tests.web.conftest import UNIT, WALL, Site

LIGHT = "南城街道鸿福路的路灯坏了三天,晚上很黑"
ALL_COUNTED = "SELECT position >= (SELECT max(position) FROM ticket_events) FROM tally_readers WHERE active"


async def console(page: Any, ask: dict[str, Any]) -> dict[str, Any]:
    """Ask something at the console over a WebSocket of its own; return the answer."""
    answer: dict[str, Any] = await page.evaluate("""async (ask) => {
        const given = await (await fetch('/api/v1/console-ticket', { method: 'POST' })).json()
        const socket = new WebSocket(given.url)
        return await new Promise((resolve, reject) => {
            socket.onerror = () => reject(new Error('no socket'))
            socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', ticket: given.ticket }))
            socket.onmessage = (message) => {
                const frame = JSON.parse(message.data)
                if (frame.type === 'welcome') socket.send(JSON.stringify({ ...ask, id: 1 }))
                else if (frame.id === 1) { socket.close(); resolve(frame) }
            }
        })
    }""", ask)
    return answer


async def act(page: Any, number: str, **command: Any) -> dict[str, Any]:
    return await console(page, {"type": "command", "number": number, "command": command})


async def dispatched(site: Site, centre: Any, text: str = LIGHT) -> dict[str, Any]:
    """Send an appeal; where no model has sent it on, an agent gives it to the department."""
    receipt = await site.appeal(text, name="王小明", phone="13812345678", place={"town": "南城"})
    number = receipt["number"]
    opened = await console(centre, {"type": "open", "number": number})
    if opened["opened"]["ticket"].get("lead") != UNIT:
        if opened["opened"]["ticket"]["state"] == "received":
            await act(centre, number, type="accept")
        answer = await act(centre, number, type="dispatch", lead=UNIT)
        assert answer["type"] == "ok", answer
    return receipt


async def counted(site: Site) -> None:
    """Wait until the figures hold all that has happened, also in the tests before."""
    connection = await asyncpg.connect(site.house.dsn)
    try:
        async with asyncio.timeout(30):
            while not await connection.fetchval(ALL_COUNTED):
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def open_on_desk(desk: Any, number: str) -> None:
    await desk.get_by_role("textbox").first.fill(number)
    await desk.get_by_role("option").first.click()
    await expect(desk.locator("section.ticket .number")).to_have_text(number)


async def test_the_department_signs_and_replies_and_the_follow_up_closes(site: Site) -> None:
    centre = await site.visit("/console", name="agent")
    receipt = await dispatched(site, centre)
    number = receipt["number"]
    desk = await site.visit("/desk", name="dept")
    await open_on_desk(desk, number)
    await expect(desk.locator(".person")).to_contain_text("王*")
    await expect(desk.locator(".person")).not_to_contain_text("13812345678")

    await desk.keyboard.press("Escape")
    await desk.locator("section.ticket h2").click()
    await desk.keyboard.press("s")
    await expect(desk.locator("section.ticket header")).to_contain_text("办理中")

    await desk.get_by_role("button", name="办复").click()
    public, internal = desk.locator("form textarea").first, desk.locator("form textarea").nth(1)
    await public.fill("王小明您好,请联系13812345678")
    await expect(desk.locator(".found")).to_contain_text("13812345678")
    await internal.fill("更换灯头两只")
    await desk.keyboard.press("Control+Enter")
    await expect(desk.locator("form.form")).to_be_visible()  # personal data is never sent

    await desk.reload()  # what was written is still there
    await desk.get_by_role("tab", name="办理中").click()
    await open_on_desk(desk, number)
    await desk.get_by_role("button", name="办复").click()
    await expect(internal).to_have_value("更换灯头两只")
    await public.fill("鸿福路的路灯已于今日修复,感谢您的反映。")
    await desk.keyboard.press("Control+Enter")
    await expect(desk.locator("section.ticket header")).to_contain_text("待审核")
    await expect(desk.locator("form.form")).to_have_count(0)
    await expect(desk.locator("section.ticket h2")).to_be_focused()

    assert (await act(centre, number, type="accept_reply"))["state"] == "pending_follow_up"
    await expect(desk.locator("section.ticket header")).to_contain_text("待回访")
    settled = await act(centre, number, type="settle_follow_up", solved=True, rating="satisfied")
    assert settled["state"] == "closed", settled
    progress = await site.progress(receipt)
    assert "已于今日修复" in str(progress)


async def test_the_citizen_is_shown_in_full_for_a_reason_that_is_recorded(site: Site) -> None:
    centre = await site.visit("/console", name="agent")
    number = (await dispatched(site, centre))["number"]
    desk = await site.visit("/desk", name="dept")
    await open_on_desk(desk, number)
    await desk.get_by_role("button", name="查看完整信息").click()
    await desk.locator(".person input").fill("需联系诉求人确认位置")
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".person")).to_contain_text("王小明")
    await expect(desk.locator(".steps")).to_contain_text("需联系诉求人确认位置")


async def test_a_return_states_its_basis_and_another_owner(site: Site) -> None:
    centre = await site.visit("/console", name="agent")
    number = (await dispatched(site, centre))["number"]
    desk = await site.visit("/desk", name="dept")
    await open_on_desk(desk, number)
    await desk.get_by_role("button", name="申请退单").click()
    await desk.get_by_role("button", name="提交").click()
    await expect(desk.locator(".field.bad")).to_have_count(2)
    await desk.locator("form textarea").fill("依据《派单目录》,路灯由供电部门维护")
    await desk.locator("form .el-select").click()
    await desk.get_by_role("option", name="供电局").click()
    await desk.get_by_role("button", name="提交").click()
    await expect(desk.locator("section.ticket header")).to_contain_text("退单待审")


async def test_the_wallboard_moves_as_appeals_come(site: Site) -> None:
    await site.appeal("东城街道垃圾没人清")  # a board of nothing shows no number
    await counted(site)
    wall = await site.visit("/board?wall", name="boss", size=WALL)
    received = wall.locator(".volumes li").first.locator("strong")
    await expect(received).not_to_have_text("–")
    before = int((await received.inner_text()).replace(",", ""))
    await site.appeal("虎门大道积水严重")
    await expect(received).to_have_text(str(before + 1), timeout=10_000)  # it moves as it happens
    await expect(wall.locator(".tile")).to_have_count(8)
    overflow = await wall.evaluate("document.documentElement.scrollHeight - innerHeight")
    assert overflow <= 0, "a wallboard is never scrolled"


async def test_a_number_leads_to_exactly_its_tickets(site: Site) -> None:
    for n in range(3):
        await site.appeal(f"南城体育路第{n}盏路灯不亮")
    await counted(site)
    page = await site.visit("/board", name="boss")
    tile = page.locator("[data-tile=受理诉求] .value")
    await expect(tile).not_to_have_text("0")
    await tile.click()
    drawer = page.get_by_role("dialog")
    rows, more = drawer.locator("ul.tickets > li"), drawer.get_by_role("button", name="更多")
    await expect(rows.first).to_be_visible()  # rows and button come with the same answer
    while await more.is_visible():
        shown = await rows.count()
        await more.click()
        await expect(rows).not_to_have_count(shown)
    figure = int((await tile.inner_text()).replace(",", ""))
    await expect(rows).to_have_count(figure)
    await drawer.locator("ul.tickets > li button").first.click()
    await expect(drawer.locator(".peek .steps")).to_contain_text("收到诉求")


async def test_reports_are_taken_along_as_files(site: Site) -> None:
    await site.appeal(LIGHT)
    await counted(site)
    page = await site.visit("/board?view=reports", name="boss")
    await page.get_by_label("按什么统计").select_option("channel")
    cell = page.locator("table.report tbody tr", has_text="应用").locator("td").first
    await expect(cell).not_to_have_text("0")
    for format_, start in (("CSV", b"\xef\xbb\xbf"), ("XLSX", b"PK")):
        async with page.expect_download() as download:
            await page.get_by_role("link", name=f"导出 {format_}").click()
        path = await (await download.value).path()
        body = path.read_bytes()
        assert body.startswith(start)
        if format_ == "CSV":
            rows = {row[0]: row for row in csv.reader(io.StringIO(body.decode("utf-8-sig")))}
            assert rows["应用"][1] == (await cell.inner_text()).replace(",", "")


async def test_the_heat_map_is_a_table_too_and_leads_to_its_tickets(site: Site) -> None:
    centre = await site.visit("/console", name="agent")
    number = (await dispatched(site, centre))["number"]
    place = {"town": "南城", "village": "", "address": "鸿福路"}
    await act(centre, number, type="correct", l1="03", l2="路灯", place=place)
    await counted(site)
    page = await site.visit("/board?view=heat", name="boss")
    await page.get_by_role("button", name="以表格显示").click()
    row = page.locator("tbody tr", has=page.get_by_role("rowheader", name="南城"))
    cell = row.get_by_role("button").first
    figure = int(await cell.inner_text())
    await cell.click()
    await expect(page.get_by_role("dialog").locator("ul.tickets > li")).to_have_count(figure)


async def test_an_alarm_is_acknowledged_for_all_to_see(site: Site) -> None:
    receipt = await site.appeal(LIGHT)
    centre = await site.visit("/console", name="agent")
    number = receipt["number"]
    opened = (await console(centre, {"type": "open", "number": number}))["opened"]
    if opened["ticket"].get("lead") != UNIT:
        await act(centre, number, type="accept")
        await act(centre, number, type="dispatch", lead=UNIT)
    await act(centre, number, type="correct", priority="P3", kind="report")  # 10 days of the ceiling's 15: room to ask
    desk = await site.visit("/desk", name="dept")
    assert (await act(desk, number, type="sign"))["type"] == "ok"
    assert (await act(desk, number, type="request_extension", days=1, reason="需要开挖"))["type"] == "ok"
    boss = await site.visit("/board", name="boss")
    alarm = boss.locator("li", has_text="延期申请待审").first
    await alarm.get_by_role("button", name="知悉").click()
    await expect(boss.locator("li.seen", has_text="延期申请待审").first).to_be_visible()
    summary = (await console(centre, {"type": "open", "number": number}))["opened"]["ticket"]
    assert summary["alarms_seen"] == ["extension_requested"]
