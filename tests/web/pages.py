"""Every page as people meet it: what is looked at for accessibility, and drawn for the README.

A new page is put here; a test compares this table with the router's addresses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from tests.web.citizens import LAMP, SPOT, Ways, picture
from tests.web.conftest import Site

Act = Callable[[Site, Any], Awaitable[None]]


class Scene(NamedTuple):
    """A page in one state.

    Attributes:
        name: of the picture and the test.
        path: what is visited.
        account: who is logged in, "" for nobody.
        ready: a selector that is there once the page is.
        act: brings it into the state that is looked at.
        wall: it is drawn at the size of a wallboard too.
        drawn: it is shown in the README.
        settle: milliseconds after which a picture is taken.
    """

    name: str
    path: str
    account: str = ""
    ready: str = "main"
    act: Act | None = None
    wall: bool = False
    drawn: bool = True
    settle: int = 500


async def _filled(site: Site, page: Any) -> None:
    ways = Ways(site)
    for text in (f"{SPOT}的路灯坏了三天,晚上很黑", f"{SPOT}路灯不亮,老人晚上出门容易摔倒"):
        await ways.compared(await site.appeal(text))
    await page.get_by_label("请说说是什么事").fill(LAMP)
    await page.locator("input[type=file]").set_input_files(picture())
    await page.locator(".photos .done").wait_for()
    await page.locator(".similar").wait_for()


async def _danger(site: Site, page: Any) -> None:
    await page.get_by_label("请说说是什么事").fill("三楼着火了还有人被困")
    await page.get_by_role("button", name="提交诉求").focus()


async def _sent(site: Site, page: Any) -> None:
    await page.get_by_label("请说说是什么事").fill(LAMP)
    await page.get_by_role("button", name="提交诉求").click()
    await page.locator(".slip").wait_for()


async def _followed(site: Site, page: Any) -> None:
    ways = Ways(site)
    ticket = await site.appeal(f"{SPOT}路灯不亮了,请维修")
    await ways.act(ticket, {"type": "sign"}, by="dept")
    told = "您好,鸿福路88号前的路灯已更换,今晚恢复照明。"
    await ways.act(ticket, {"type": "reply", "internal": "换灯泡", "public": told}, by="dept")
    await ways.act(ticket, {"type": "accept_reply"}, by="agent")
    await page.get_by_label("工单号").fill(ticket["number"])
    await page.get_by_label("查询码").fill(ticket["code"])
    await page.get_by_role("button", name="查询", exact=True).click()
    await page.locator(".track").wait_for()


async def _talked(site: Site, page: Any) -> None:
    ways = Ways(site)
    await page.get_by_label("输入您想说的话").fill("想问一下社保卡丢了怎么补办?")
    await page.get_by_role("button", name="发送", exact=True).click()
    ticket = await ways.talked(page)
    await ways.act(ticket, {"type": "claim", "agent": "agent"}, by="agent")
    text = "您好,请带身份证到任意社保窗口,当场就可以补办。"
    await ways.act(ticket, {"type": "add_message", "text": text, "inbound": False}, by="agent")
    await page.locator("li.theirs").nth(1).wait_for()


async def _opened(site: Site, page: Any) -> None:
    words = "你好,想反映一件事,说来话长,能不能找个人听我说一说"
    ticket = await site.appeal(words, name="陈女士", phone="13812345678")
    await page.get_by_role("searchbox").fill(ticket["number"])  # found wherever triage has put it
    await page.get_by_role("searchbox").press("Enter")
    await page.locator(".ticket").first.wait_for()
    await page.get_by_text("智能判断").first.wait_for()


async def _large(site: Site, page: Any) -> None:
    await page.get_by_role("button", name="大字").click()


async def _in_hand(site: Site, page: Any) -> None:
    ways = Ways(site)
    ticket = await site.appeal(f"{SPOT}路灯不亮三天了,晚上出门要打手电", name="陈女士", phone="13812345678")
    await ways.act(ticket, {"type": "sign"}, by="dept")
    await page.get_by_role("tab").nth(3).click()
    await page.get_by_role("textbox").first.fill(ticket["number"])
    await page.get_by_role("option").first.click()
    await page.get_by_role("button", name="办复").click()
    await page.locator("form textarea").first.fill("您好,鸿福路88号前的路灯已更换灯头,今晚恢复照明。")


async def _picked(site: Site, page: Any) -> None:
    await page.get_by_role("button", name="agent2", exact=True).click()
    await page.locator("aside.panel").wait_for()


SCENES: tuple[Scene, ...] = (
    Scene("citizen-report", "/", act=_filled),
    Scene("citizen-danger", "/", act=_danger, drawn=False),
    Scene("citizen-sent", "/", act=_sent),
    Scene("citizen-follow", "/?at=track", act=_followed),
    Scene("citizen-look", "/?at=track", drawn=False),
    Scene("citizen-chat", "/?at=talk", act=_talked),
    Scene("citizen-mine", "/?at=mine", drawn=False),
    Scene("citizen-large", "/", act=_large, drawn=False),
    Scene("citizen-rate", "/r/none", ready="body", drawn=False),
    Scene("login", "/login", drawn=False),
    Scene("account", "/login/account", "dept", drawn=False),
    Scene("lost", "/login/nowhere", drawn=False),
    Scene("console", "/console", "agent", act=_opened, settle=1500),
    Scene("desk", "/desk", "dept", act=_in_hand),
    Scene("desk-lists", "/desk", "dept", drawn=False),
    Scene("board", "/board", "boss", ready=".tiles", settle=2500),
    Scene("board-heat", "/board?view=heat", "boss", ready=".heat", settle=2000),
    Scene("board-spots", "/board?view=spots", "boss", drawn=False),
    Scene("board-reports", "/board?view=reports", "boss", ready="table.report", settle=2000),
    Scene("wallboard", "/board?wall", "boss", ready=".tile", wall=True, settle=1500),
    Scene("admin", "/admin", "boss", ready="tr.row"),
    Scene("admin-nuisance", "/admin?view=nuisance", "boss", ready=".view", drawn=False),
    Scene("admin-system", "/admin", "sys", ready="tr.row", act=_picked),
    Scene("admin-security", "/admin", "sec", ready="tr.row", act=_picked),
    Scene("admin-audit", "/admin", "aud", ready="tbody td"),
)
