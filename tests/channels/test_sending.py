"""Every way out to citizens keeps the contract of `tests.channels.sending`, against its other side over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
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
from hotline.standins.kit import StandIn
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


class OverStandIn(Way):
    def __init__(
        self, standin: StandIn, make: Callable[[], Sender], arrived: Callable[[], list[tuple[str, str]]]
    ) -> None:
        self.standin, self.make, self._arrived = standin, make, arrived

    async def arrived(self) -> list[tuple[str, str]]:
        return self._arrived()

    def fail(self, fault: str) -> None:
        self.standin.fault = fault or "none"


# ── an SMS gateway, an app's push ────────────────────────────────────────────────────────────────
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
            url = str(server.make_url(self.path))
            yield OverStandIn(
                standin, lambda: Gateway(session, name="it", url=url, secret=SECRET, clock=now, timeout=PATIENCE),
                lambda: [(one.letter.to, one.letter.text) for one in standin.messages.values()],
            )


class TestPush(TestSms):
    channel, to, path = Channel.APP, "user-77", "/push"
    faults = {"down": Unavailable, "twice": Unavailable}  # noqa: RUF012


# ── WeChat ───────────────────────────────────────────────────────────────────────────────────────
class OverWeChat(Way):
    FAULTS = {  # noqa: RUF012
        "": Faults(), "down": Faults(down=True), "busy": Faults(busy=100), "no token": Faults(expired=100),
        "no new token": Faults(expired=1, refuse_token=True),
        "48 hours": Faults(outside_window={"o-1"}), "five messages": Faults(counted_out={"o-1"}),
    }

    def __init__(self, standin: WeChatStandIn, session: aiohttp.ClientSession, base: str) -> None:
        self.standin, tokens = standin, MemoryTokens()
        api = WeChatApi(base=base, app_id="wx1", secret="s")
        self.make = lambda: WeChatClient(session, api, tokens, pause=0.001)

    async def arrived(self) -> list[tuple[str, str]]:
        return [(body["touser"], body["text"]["content"]) for _, body in self.standin.sent]

    def fail(self, fault: str) -> None:
        self.standin.faults = msgspec.structs.replace(self.FAULTS[fault])  # it counts down


class TestWeChat(SenderContract):
    """WeChat knows no keys: what a process sent before it was killed may be read twice (docs/channels.md)."""

    sender, channel, to, forgets = WeChatClient, Channel.WECHAT, "o-1", True
    faults = {  # noqa: RUF012
        "down": Unavailable, "busy": Unavailable, "no token": Unavailable, "no new token": Unavailable,
        "48 hours": OutsideWindow, "five messages": OutsideWindow,
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


async def read_id(id_: TicketId) -> Stored:
    raise AssertionError("no ticket here is merged")


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
            yield OverStandIn(
                standin, lambda: OutcomeSender(client, read=read, read_id=read_id, clock=now),
                lambda: [(f"incident:{told.incident}", told.outcome) for told in standin.outcomes.values()],
            )
            await client.close()


def test_every_fault_of_a_stand_in_that_a_message_can_meet_is_tried() -> None:
    assert {*TestSms.faults} == {*SmsStandIn.FAULTS} - {"none"}
    of_incidents = {"refusing", "unsigned"}
    assert {*TestOutcome.faults} == {*Desk.FAULTS} - {"none"} - of_incidents
    default, tried = msgspec.structs.asdict(Faults()), map(msgspec.structs.asdict, OverWeChat.FAULTS.values())
    fields = {name for fault in tried for name, value in fault.items() if value != default[name]}
    of_notices, of_files = {"not_subscribed"}, {"files_answer"}
    assert fields == {*default} - of_notices - of_files - {"slow"}, "`slow` is longer than tests wait"
    assert {*TestWeChat.faults} == {*OverWeChat.FAULTS} - {""}


def test_every_way_that_is_wired_is_held_to_it() -> None:
    core: Any = SimpleNamespace(
        front=None, store=SimpleNamespace(read=read, read_id=read_id), clock=now,
        settings=Settings(sms_url="http://127.0.0.1:9/sms", push_url="http://127.0.0.1:9/push"),
    )
    there: Any = object()
    wired: dict[Channel, Sender] = jobs._senders(core, there, there, WeChatClient(there, there, there))
    suites = (TestSms, TestPush, TestWeChat, TestChat, TestOutcome)
    assert {channel: type(sender) for channel, sender in wired.items()} == {one.channel: one.sender for one in suites}
