"""Logging in, languages, and who lands where."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.processes import PASSWORD
from tests.web.conftest import PHONE, Site


@pytest.mark.parametrize(("name", "home"), [("agent", "/console"), ("boss", "/board"), ("dept", "/desk")])
async def test_people_land_where_they_work(site: Site, name: str, home: str) -> None:
    page = await site.visit("/login")
    await page.get_by_label("账号").fill(name)
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(re.escape(home)))


async def test_a_wrong_password_is_told_and_what_was_typed_stays(site: Site) -> None:
    page = await site.visit("/login", size=PHONE)
    await page.get_by_label("账号").fill("agent2")
    await page.get_by_label("密码", exact=True).fill("not the password")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("alert")).to_contain_text("账号或密码不正确")
    await expect(page.get_by_label("账号")).to_have_value("agent2")
    site.errors.clear()  # the browser itself logs a 401


async def test_a_page_that_needs_a_log_in_comes_back_after_it(site: Site) -> None:
    page = await site.visit("/console")
    await expect(page).to_have_url(re.compile("/login"))
    site.errors.clear()
    await page.get_by_label("账号").fill("agent")
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/console"))


async def test_who_may_not_enter_lands_at_home(site: Site) -> None:
    page = await site.visit("/console", name="dept")
    await expect(page).to_have_url(re.compile("/desk"))


async def test_english_stays_chosen(site: Site) -> None:
    page = await site.visit("/login")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("button", name="Log in")).to_be_visible()
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.get_by_role("button", name="Log in")).to_be_visible()
