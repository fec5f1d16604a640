"""Log-in with a second factor, one's own account, and the administrators' work, in a real browser."""

from __future__ import annotations

import base64
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from agent_ui.second_factor import STEP, code_at
from tests.processes import PASSWORD, House
from tests.web.conftest import PHONE, UNIT, Site

DRAWN = os.environ.get("HOTLINE_ADMIN_PICTURES", "")
"""A folder for pictures of every view, where somebody wants to look."""
NEW = "Another-Password-9"


@pytest.fixture(scope="module")
def staffed(house: House) -> House:
    house.add_staff("coded", "agent")
    return house


async def draw(page: Any, name: str) -> None:
    if DRAWN:
        await page.wait_for_timeout(500)
        await page.screenshot(path=Path(DRAWN) / f"{name}.png")


async def entered(site: Site, name: str, password: str, code: str = "") -> Any:
    page = await site.visit("/login")
    await page.get_by_label("账号").fill(name)
    await page.get_by_label("密码", exact=True).fill(password)
    await page.keyboard.press("Enter")
    if code:
        await expect(page.get_by_label("动态验证码")).to_be_focused()
        site.errors.clear()  # the browser itself logs a 401
        await draw(page, "login-code")
        await page.keyboard.type(code)
        await page.keyboard.press("Enter")
    return page


async def test_a_second_factor_is_bound_and_asked_for(site: Site, staffed: House) -> None:
    page = await entered(site, "coded", PASSWORD)
    await expect(page).to_have_url(re.compile("/console"))
    await page.goto("/login/account")
    await page.get_by_role("button", name="绑定身份验证器").click()
    secret = (await page.locator("code.secret").inner_text()).replace(" ", "")
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    await expect(page.get_by_role("img", name="绑定身份验证器的二维码")).to_be_visible()
    await draw(page, "account-bind")
    await page.get_by_label("验证码", exact=True).fill(code_at(key, datetime.now(UTC)))
    await page.get_by_role("button", name="确认绑定").click()
    await expect(page.locator(".codes code")).to_have_count(10)
    recovery = await page.locator(".codes code").first.inner_text()
    await page.get_by_role("button", name="我已保存").click()
    await expect(page.get_by_text("已绑定动态验证码")).to_be_visible()
    await draw(page, "account")
    await page.get_by_role("button", name="退出登录").click()
    # The step of the first code is used up; the next one is within the skew.
    following = code_at(key, datetime.now(UTC) + timedelta(seconds=STEP))
    page = await entered(site, "coded", PASSWORD, following)
    await expect(page).to_have_url(re.compile("/console"))
    page = await entered(site, "coded", PASSWORD, recovery)
    await expect(page).to_have_url(re.compile("/console"))
    await page.goto("/login/account")
    await expect(page.locator("ul li")).to_have_count(2)
    await page.get_by_role("button", name="结束其他全部登录").click()
    await expect(page.locator("ul li")).to_have_count(1)
    assert site.errors == []


async def test_an_administrator_places_a_units_system_and_the_unit_makes_its_secrets(site: Site, house: House) -> None:
    system = await site.visit("/admin", name="sys")
    placed = await system.evaluate(
        """async (unit) => (await fetch(`/api/v1/unit-systems/${encodeURIComponent(unit)}`, {
             method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{}' })).json()""", UNIT,
    )
    assert placed == {"unit": UNIT, "url": "", "active": True}
    page = await site.visit("/login/account", name="dept")
    await page.get_by_role("button", name="生成新密钥").click()
    await page.get_by_role("dialog").get_by_role("button", name="生成新密钥").click()
    await expect(page.locator("dd code")).to_have_count(2)
    token = await page.locator("dd code").first.inner_text()
    pulled = await page.request.get(
        f"{house.url}/api/v1/units/{quote(UNIT, safe='')}/tickets", headers={"Authorization": f"Bearer {token}"}
    )
    assert pulled.ok
    await page.get_by_role("button", name="我已保存").click()
    await expect(page.locator("dd code")).to_have_count(0)
    assert site.errors == []


async def test_one_proposes_another_grants_and_the_new_one_chooses_a_password(site: Site, staffed: House) -> None:
    page = await site.visit("/admin", name="sys")
    await page.get_by_role("button", name="新建人员").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("账号名").fill("li.na")
    await dialog.get_by_label("显示姓名").fill("李娜")
    await draw(page, "person-new")
    await dialog.get_by_role("button", name="提交").click()
    await expect(page.get_by_role("complementary", name="李娜")).to_contain_text("等待安全管理员授权")
    await draw(page, "people-system")

    page = await site.visit("/admin", name="sec")
    await page.get_by_role("button", name="李娜").click()
    panel = page.get_by_role("complementary", name="李娜")
    await panel.get_by_role("button", name="授权").click()
    await expect(panel.get_by_text("正常")).to_be_visible()
    await panel.get_by_role("button", name="重置密码").click()
    await page.get_by_role("dialog").get_by_role("button", name="重置密码").click()
    given = await panel.locator(".given code").inner_text()
    await draw(page, "people-security")

    person = await entered(site, "li.na", given)
    await expect(person).to_have_url(re.compile("/login/account"))
    await expect(person.get_by_role("alert").first).to_contain_text("请先设置新密码")
    await draw(person, "account-duty")
    await person.get_by_label("当前密码").fill(given)
    await person.get_by_label("新密码", exact=True).fill(NEW)
    await person.get_by_label("再输一次新密码").fill(NEW)
    await person.get_by_role("button", name="修改密码").click()
    await expect(person).to_have_url(re.compile("/console"))

    await panel.get_by_role("button", name="停用账号").click()
    await page.locator(".el-message-box__input input").fill("借调")
    await page.locator(".el-message-box").get_by_role("button", name="停用账号").click()
    await expect(panel.get_by_text("已停用")).to_be_visible()
    await expect(person.get_by_text("请重新登录").or_(person.get_by_label("账号")).first).to_be_visible(timeout=20_000)
    await person.context.close()
    site.errors.clear()

    page = await site.visit("/admin", name="aud")
    table = page.locator("table").first
    for act in ("停用账号", "重置密码", "授权", "新建人员"):
        await expect(table.get_by_text(act, exact=True).first).to_be_visible()
    await page.get_by_role("button", name="校验完整性").click()
    await expect(page.get_by_text("完整，未被改动")).to_be_visible()
    await draw(page, "audit")


async def test_a_contact_is_marked_by_a_ticket_looked_into_and_lifted(site: Site, staffed: House) -> None:
    for text in ("你们都是骗子", "你们全是骗子", "骗子，我13900139000天天打"):
        ticket = await site.appeal(text, name="王小明", phone="13911139111")
    page = await site.visit(f"/admin?view=nuisance&ticket={ticket['number']}", name="boss")
    dialog = page.get_by_role("dialog", name="标记联系人")
    await expect(dialog.get_by_label("证据", exact=True)).to_contain_text("共 3 次来访，近30天 3 次")
    await dialog.get_by_label("理由").fill("反复辱骂")
    await dialog.get_by_role("button", name="标记联系人").click()
    panel = page.get_by_role("complementary", name="+86139****9111")
    await expect(panel.get_by_label("来访记录")).to_contain_text("139****9000天天打")
    assert await site.violations(page) == []
    await page.set_viewport_size(PHONE)
    assert await site.violations(page) == []
    await draw(page, "nuisance")
    box = page.locator(".el-message-box")
    async with page.expect_download() as saved:
        await panel.get_by_role("button", name="导出证据包").click()
        await box.locator("input").fill("移送公安")
        await box.get_by_role("button", name="导出证据包").click()
    assert (await saved.value).suggested_filename.endswith(".zip")
    await expect(panel).to_contain_text("移送公安")
    await panel.get_by_role("button", name="解除标记").click()
    await box.locator("input").fill("核实为家属代拨")
    await box.get_by_role("button", name="解除标记").click()
    await expect(panel.get_by_text("已解除", exact=True)).to_be_visible()
    await expect(panel.locator("h3")).to_be_focused()
    assert "王小明" not in await page.locator("body").inner_text()

    page = await site.visit("/admin", name="aud")
    looked = page.get_by_role("row").filter(has_text="/nuisance/tickets/").filter(has_text=ticket["number"])
    await expect(looked.first).to_be_visible()


async def test_days_off_are_set_by_a_click(site: Site, staffed: House) -> None:
    page = await site.visit("/admin?view=calendar", name="sys")
    await page.get_by_role("button", name="下一年").click()
    year = datetime.now(UTC).year + 1
    day = page.get_by_role("button", name=re.compile(f"{year}-03-1[0-2] 上班")).first
    label = await day.get_attribute("aria-label")
    assert label is not None
    await day.click()
    async with page.expect_response(lambda answer: answer.request.method == "PUT"):  # a reload would cut it off
        await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("button", name=re.compile(f"{label.split()[0]} 放假"))).to_be_visible()
    await draw(page, "calendar")
    await page.reload()
    await page.get_by_role("button", name="下一年").click()
    await expect(page.get_by_role("button", name=re.compile(f"{label.split()[0]} 放假"))).to_be_visible()


VIEWS = {
    "sys": ("people", "directory", "categories", "queues", "thresholds", "calendar", "models"),
    "sec": ("people", "security", "access"), "aud": ("audit", "access"), "boss": ("knowledge", "directory"),
}


@pytest.mark.parametrize(("name", "view"), [(name, view) for name, views in VIEWS.items() for view in views])
async def test_every_view_shows_something(site: Site, staffed: House, name: str, view: str) -> None:
    page = await site.visit(f"/admin?view={view}", name=name)
    await expect(page.locator("main h2").first).to_be_visible()
    await expect(page.get_by_text("正在加载…")).to_have_count(0)
    await draw(page, f"{name}-{view}")
    await page.set_viewport_size(PHONE)
    await draw(page, f"{name}-{view}-phone")
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert await site.violations(page) == []


@pytest.mark.parametrize(("name", "view"), [("aud", "people"), ("sys", "audit"), ("sec", "models")])
async def test_views_of_others_are_not_there(site: Site, staffed: House, name: str, view: str) -> None:
    page = await site.visit(f"/admin?view={view}", name=name)
    words = {"people": "人员与角色", "audit": "审计", "models": "模型"}[view]
    await expect(page.locator("main h2").first).not_to_have_text(words)
    await expect(page.get_by_role("navigation").get_by_text(words, exact=True)).to_have_count(0)
