"""Chats that the switchboard gives: they ring in the console until they are looked at."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.web.citizens import Ways
from tests.web.conftest import Site
from tests.web.seats import seat, wire


async def answer_chats(site: Site) -> None:
    """Leave nobody waiting in a chat."""
    async with wire(site, "boss") as boss:
        for row in (await boss.ask(type="snapshot", topic="centre", limit=500))["rows"]:
            if row.get("chat") and row["state"] in ("received", "pending_dispatch"):
                await boss.act(row["number"], type="answer", text="请带身份证到社保窗口")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_chat_that_is_given_rings_until_it_is_opened(site: Site, language: str) -> None:
    await answer_chats(site)
    page = await seat(site, language=language)
    given, pill = page.locator(".given .one"), page.locator("button.presence")
    plain = await page.title()
    await expect(given).to_have_count(0)
    await page.locator("body").press("p")
    await expect(pill).to_contain_text(re.compile("示闲|Available"))
    words = {"zh": "想问一下老年卡怎么办理", "en": "想问一下居住证怎么续签"}[language]
    number = (await Ways(site).chatted(words))["number"]
    mine = given.filter(has_text=words[4:8])
    await expect(mine).to_have_count(1)
    await expect(page).to_have_title(re.compile(r"^\(\d+\) "))
    assert await site.violations(page) == []
    await page.context.set_offline(True)
    await expect(page.locator(".line.online")).to_have_count(0)
    await page.context.set_offline(False)
    await expect(page.locator(".line.online")).to_be_visible()
    await expect(mine).to_have_count(1)
    await page.reload()
    await expect(mine).to_have_count(1)
    await expect(pill).to_contain_text(re.compile("示闲|Available"))
    await page.locator("body").press("p")  # takes no more of them
    await expect(pill).not_to_contain_text(re.compile("示闲|Available"))
    await page.locator("body").press("/")
    while await mine.count():  # the longest waiting first; also while one writes
        await page.keyboard.press("F6")
        await expect(page.locator("aside.right .number")).to_be_visible()
    await expect(page.locator("aside.right .number")).to_have_text(number)
    await page.reload()
    await expect(page.locator(".line.online")).to_be_visible()
    await page.locator("body").press("1")
    await expect(page.get_by_role("option").filter(has_text=words[4:8])).to_be_visible()
    await expect(mine).to_have_count(0)
    async with wire(site, "agent") as me:  # by hand, at another desk of theirs
        by_hand = (await Ways(site).chatted("想问一下公积金怎么提取"))["number"]
        await me.act(by_hand, type="claim", agent="agent")
        await expect(page.get_by_role("option").filter(has_text="公积金").first).to_be_visible()
        await expect(given.filter(has_text="公积金")).to_have_count(0)
    await answer_chats(site)
    await expect(given).to_have_count(0)
    await expect(page).to_have_title(plain)
    site.errors[:] = [error for error in site.errors if "offline" not in error.lower()]
