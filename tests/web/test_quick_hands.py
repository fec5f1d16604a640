"""People in a hurry: a key held down, words typed while others are sent, a dialog left, a file on its way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from tests.web.conftest import Site
from tests.web.seats import seat, wire
from tests.web.test_console import find, note
from tests.web.test_desk_board import act, dispatched, open_on_desk


async def asked(site: Site, title: str) -> str:
    """Return the number of a ticket that waits for a person."""
    return str((await site.appeal(f"我想问一下{title}的事归哪个部门管", title=title))["number"])


async def facts(site: Site, number: str) -> list[str]:
    """Return what has happened to a ticket."""
    async with wire(site, "boss") as boss:
        return [event["fact"]["type"] for event in (await boss.opened(number))["events"]]


async def test_a_key_held_down_is_pressed_once_and_a_dialog_is_no_place_for_other_keys(site: Site) -> None:
    page = await seat(site)
    number = await asked(site, "按住不放")
    await find(page, number)
    dialog = page.get_by_role("dialog").filter(has_text="移交 110 等")
    for _ in range(4):  # the browser tells all but the first as repeated
        await page.keyboard.down("F9")
    await page.keyboard.up("F9")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="推送警情").focus()
    await page.keyboard.press("c")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    assert not {"hand_off", "claim"} & set(await facts(site, number))
    await page.evaluate("window.dispatchEvent(new KeyboardEvent('keydown', { key: 'C' }))")  # Caps Lock is on
    await expect(page.get_by_text("由 agent 处理")).to_be_visible()


async def test_what_is_written_while_a_message_is_sent_stays(site: Site) -> None:
    page = await seat(site)
    number = await asked(site, "边发边写")
    await find(page, number)
    await note(page, "先记这一句")
    await page.context.set_offline(True)
    await expect(page.get_by_text("连接中断，正在重连")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("项操作待发送")).to_be_visible()
    await page.keyboard.type("，后面这一句还没写完")
    await page.context.set_offline(False)
    await expect(page.locator("main .bubble.note").get_by_text("先记这一句", exact=True)).to_be_visible()
    await expect(page.get_by_label("内容", exact=True)).to_have_value("，后面这一句还没写完")
    site.errors[:] = [error for error in site.errors if "offline" not in error.lower()]


async def test_what_was_begun_for_one_ticket_is_kept_for_it_and_not_sent_with_another(site: Site) -> None:
    page = await seat(site)
    first, second = await asked(site, "写了一半的"), await asked(site, "另外一件")
    area = page.get_by_role("dialog").get_by_role("textbox").first

    async def begin(number: str) -> None:
        await find(page, number)
        await page.locator("body").press(".")
        await page.get_by_role("dialog").get_by_role("button", name="不予受理").click()

    await begin(first)
    await area.fill("理由写了一半")
    await page.keyboard.press("Escape")
    await begin(second)
    await expect(area).to_have_value("")
    await page.keyboard.press("Escape")
    await begin(first)
    await expect(area).to_have_value("理由写了一半")


async def test_a_reply_waits_for_its_files(site: Site, tmp_path: Path) -> None:
    centre = await site.visit("/console", name="agent")
    number = (await dispatched(site, centre))["number"]
    desk = await site.visit("/desk", name="dept")
    await open_on_desk(desk, number)
    await act(desk, number, type="sign")
    await act(desk, number, type="record_contact", note="已联系")
    there = asyncio.Event()

    async def late(route: Any) -> None:
        await there.wait()
        await route.continue_()

    await desk.route("**/api/v1/staff/attachments*", late)
    await desk.get_by_role("button", name="办复").click()
    await desk.locator("form textarea").first.fill("路灯已经修好，感谢反映。")
    await desk.locator("form textarea").nth(1).fill("更换灯头两只")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    await desk.locator("form input[type=file]").set_input_files(tmp_path / "a.pdf")
    await desk.keyboard.press("Control+Enter")
    await expect(desk.get_by_text("文件还在上传，请稍候再提交")).to_be_visible()
    there.set()
    await expect(desk.locator("form .file")).to_contain_text("a.pdf")
    await desk.locator("form textarea").first.press("Control+Enter")
    await expect(desk.locator("form.form")).to_have_count(0)
    async with wire(site, "boss") as boss:
        replies = [event["fact"] for event in (await boss.opened(number))["events"] if event["fact"]["type"] == "reply"]
    assert [[file["name"] for file in reply["attachments"]] for reply in replies] == [["a.pdf"]]
