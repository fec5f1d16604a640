"""Every way out to citizens keeps the contract of `tests.channels.sending`, against its other side over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from channels import chat_codec
from channels.sms import Gateway
from channels.wechat_api import OutsideWindow, WeChatApi
from channels.wechat_client import WeChatClient
from hotline.config import Settings
from hotline.core import Core
from hotline.errors import RateLimited, RuleViolation, Unavailable
from hotline.ids import TicketId
from hotline.ports import Sender, Stored
from hotline.roles import jobs
from hotline.senders import ChatSender, OutcomeSender
from hotline.standins.desk110 import Desk
from hotline.standins.sms import SmsStandIn
from hotline.standins.wechat import Faults, WeChatStandIn
from hotline.terms import Channel
from routing.police110 import PoliceDesk
from tests.channels.sending import SenderContract, Way
from tests.channels.test_wechat_client import MemoryTokens
from tests.hotline.test_decide import ticket

SECRET, PATIENCE, SLOW = "shared with the other side", 1.0, 60.0


def now() -> datetime:
    return datetime.now(UTC)


# ── an SMS gateway, an app's push ────────────────────────────────────────────────────────────────
class OverGateway(Way):
    def __init__(self, standin: SmsStandIn, session: aiohttp.ClientSession, url: str) -> None:
        self.standin = standin
        self.make = lambda: Gateway(session, name="it", url=url, secret=SECRET, clock=now, timeout=PATIENCE)

    async def arrived(self) -> list[tuple[str, str]]:
        return [(one.letter.to, one.letter.text) for one in self.standin.messages.values()]

    def fail(self, fault: str) -> None:
        self.standin.fault = fault or "none"


class TestSms(SenderContract):
    sender, channel, to, path = Gateway, Channel.CALL, "+8613800138000", "/sms"
    faults = {  # noqa: RUF012
        "slow": Unavailable, "down": Unavailable, "error": Unavailable, "twice": Unavailable, "busy": RateLimited,
        "refusing": RuleViolation,
    }

    @pytest.fixture
    async def way(self) -> AsyncIterator[Way]:
        standin = SmsStandIn(secret=SECRET, delay=SLOW)
        async with TestServer(standin.app()) as server, aiohttp.ClientSession() as session:
            yield OverGateway(standin, session, str(server.make_url(self.path)))


class TestPush(TestSms):
    channel, to, path = Channel.APP, "user-77", "/push"
    faults = {"down": Unavailable, "twice": Unavailable}  # noqa: RUF012


# ── WeChat ───────────────────────────────────────────────────────────────────────────────────────
class OverWeChat(Way):
    FAULTS = {  # noqa: RUF012
        "": Faults(), "down": Faults(down=True), "busy": Faults(busy=100), "no token": Faults(expired=100),
        "48 hours": Faults(outside_window={"o-1"}), "five messages": Faults(counted_out={"o-1"}),
    }

    def __init__(self, standin: WeChatStandIn, session: aiohttp.ClientSession, base: str) -> None:
        self.standin, tokens = standin, MemoryTokens()
        api = WeChatApi(base=base, app_id="wx1", secret="s")
        self.make = lambda: WeChatClient(session, api, tokens, pause=0.001)

    async def arrived(self) -> list[tuple[str, str]]:
        return [(body["touser"], body["text"]["content"]) for _, body in self.standin.sent]

    def fail(self, fault: str) -> None:
        self.standin.faults = self.FAULTS[fault]


class TestWeChat(SenderContract):
    """WeChat knows no keys: what a process sent before it was killed may be read twice (docs/channels.md)."""

    sender, channel, to, forgets = WeChatClient, Channel.WECHAT, "o-1", True
    faults = {  # noqa: RUF012
        "down": Unavailable, "busy": Unavailable, "no token": Unavailable, "48 hours": OutsideWindow,
        "five messages": OutsideWindow,
    }

    @pytest.fixture
    async def way(self) -> AsyncIterator[Way]:
        standin = WeChatStandIn()
        async with TestServer(standin.app()) as server, aiohttp.ClientSession() as session:
            yield OverWeChat(standin, session, str(server.make_url("")).rstrip("/"))


# ── a chat on the web ────────────────────────────────────────────────────────────────────────────
class OverChat(Way):
    def __init__(self, core: Core) -> None:
        self.core, self.make = core, lambda: ChatSender(core.front)

    async def arrived(self) -> list[tuple[str, str]]:
        session = TestChat.to.removeprefix(chat_codec.KEY)
        return [(TestChat.to, line.text) for line in await self.core.front.chat_since({session: 0})]

    def fail(self, fault: str) -> None:
        raise AssertionError(f"the other side is our own database: no {fault}")


class TestChat(SenderContract):
    sender, channel, to = ChatSender, Channel.WEB, chat_codec.KEY + "s" * 43

    @pytest.fixture
    async def way(self, core: Core) -> Way:
        return OverChat(core)


# ── what became of a transfer, to 110 ────────────────────────────────────────────────────────────
async def read(number: str) -> Stored:
    return Stored(id=TicketId(1), code="004217", ticket=ticket(number=number))


class OverDesk(Way):
    def __init__(self, standin: Desk, client: PoliceDesk) -> None:
        self.standin, self.make = standin, lambda: OutcomeSender(client, read=read, clock=now)

    async def arrived(self) -> list[tuple[str, str]]:
        return [(f"incident:{told.incident}", told.outcome) for told in self.standin.outcomes.values()]

    def fail(self, fault: str) -> None:
        self.standin.fault = fault or "none"


class TestOutcome(SenderContract):
    """The desk is told all of it, and no link: it rates nothing."""

    sender, channel, to, links = OutcomeSender, Channel.POLICE, "incident:4419002026112100017", False
    faults = {  # noqa: RUF012
        "slow": Unavailable, "down": Unavailable, "error": Unavailable, "twice": Unavailable,
    }

    @pytest.fixture
    async def way(self) -> AsyncIterator[Way]:
        standin = Desk(secret=SECRET, delay=SLOW)
        async with TestServer(standin.app()) as server:
            client = PoliceDesk(url=str(server.make_url("")), secret=SECRET, clock=now, timeout=PATIENCE)
            yield OverDesk(standin, client)
            await client.close()


def test_every_way_that_is_wired_is_held_to_it() -> None:
    core: Any = SimpleNamespace(
        front=None, store=SimpleNamespace(read=read), clock=now,
        settings=Settings(sms_url="http://127.0.0.1:9/sms", push_url="http://127.0.0.1:9/push"),
    )
    there: Any = object()
    wired: dict[Channel, Sender] = jobs._senders(core, there, there, WeChatClient(there, there, there))
    suites = (TestSms, TestPush, TestWeChat, TestChat, TestOutcome)
    assert {channel: type(sender) for channel, sender in wired.items()} == {one.channel: one.sender for one in suites}
