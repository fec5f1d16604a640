"""Messages to citizens: by SMS where their channel cannot deliver, quietly where no way is set up, with a link."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestServer

from channels import sms_codec, wechat_api
from channels.message import Outbound
from channels.sms import Gateway
from channels.wechat_api import OutsideWindow
from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.errors import HotlineError, NotFound, RateLimited, RuleViolation, Unavailable
from hotline.events import SYSTEM
from hotline.handoff import Later
from hotline.messages import Messages
from hotline.ports import Sender
from hotline.rating_links import RatingLinks
from hotline.reach import Contact, address, letters
from hotline.standins.sms import SmsStandIn
from hotline.store.database import open_pool
from hotline.store.incidents import JobStore
from hotline.store.links import link_key
from hotline.store.sealing import sealed_message
from hotline.terms import Channel
from tests.hotline.test_handoff import Phone
from tests.hotline.test_intake import all_rows
from tests.hotline.test_sweep import House, house

PHONE = "+8613800138000"
NUMBER = "DG20261120300000015"


def message(channel: Channel = Channel.WECHAT, **more: object) -> Outbound:
    fields = {"key": "m1", "to": "openid", "text": "您好", "number": None, **more}
    return Outbound(channel=channel, **fields)  # type: ignore[arg-type]


@asynccontextmanager
async def post(dsn: str, senders: Mapping[Channel, Sender], owed: Outbound) -> AsyncIterator[tuple[Messages, House]]:
    async with house(dsn) as w:
        rows = JobStore(w.pool)
        await rows.owe(owed, w.now())
        yield Messages(rows=rows, senders=senders, service=w.service, clock=w.now), w


async def state(dsn: str) -> tuple[str, str]:
    [[found, error]] = await all_rows(dsn, "SELECT state, last_error FROM outbox WHERE key = 'm1'")
    return found, error


@pytest.mark.parametrize("refusal", [OutsideWindow("48 hours"), RuleViolation("unsubscribed")])
async def test_what_wechat_refuses_goes_by_sms(database: str, refusal: HotlineError) -> None:
    sms = Phone()
    senders = {Channel.WECHAT: Phone(refusal), Channel.CALL: sms}
    async with post(database, senders, message(phone=PHONE)) as (messages, _):
        await messages.send("m1")
    assert (sms.sent, await state(database)) == (["m1"], ("sent", ""))


async def test_an_app_without_push_gets_an_sms(database: str) -> None:
    sms = Phone()
    async with post(database, {Channel.CALL: sms}, message(Channel.APP, phone=PHONE)) as (messages, _):
        await messages.send("m1")
    assert sms.sent == ["m1"]


@pytest.mark.parametrize("channel", [Channel.CALL, Channel.APP])
async def test_where_no_way_is_set_up_nobody_is_alarmed(database: str, channel: Channel) -> None:
    async with post(database, {}, message(channel, phone="")) as (messages, w):
        [number] = await w.open(1)
        owed = sealed_message(msgspec.structs.replace(message(channel, phone=""), number=number))
        await w.pool.execute("UPDATE outbox SET message = $1::jsonb", owed)
        await messages.send("m1")
        assert (await w.store.read(number)).ticket.alarms == frozenset()
    assert (await state(database))[0] == "failed"


async def test_a_channel_that_stays_silent_falls_back_at_the_last_attempt(database: str) -> None:
    sms, silent = Phone(), Phone(*[Unavailable("down")] * 20)
    async with post(database, {Channel.WECHAT: silent, Channel.CALL: sms}, message(phone=PHONE)) as (messages, _):
        for _ in range(20):
            try:
                await messages.send("m1")
                break
            except Later:
                assert sms.sent == []
    assert sms.sent == ["m1"]


async def test_why_it_failed_is_kept_without_the_phone(database: str) -> None:
    refusal = RuleViolation(f"the gateway said: {PHONE} is no number")
    async with post(database, {Channel.CALL: Phone(refusal)}, message(Channel.CALL, to=PHONE)) as (messages, _):
        await messages.send("m1")
    assert (await state(database)) == ("failed", "the gateway said: +86138****8000 is no number")


async def test_a_sender_with_a_mistake_is_given_up_with_an_alarm(database: str) -> None:
    class Mistaken(Phone):
        async def send(self, message: Outbound) -> None:
            raise ZeroDivisionError

    async with house(database) as w:
        [number] = await w.open(1)
        rows = JobStore(w.pool)
        await rows.owe(message(number=number), w.now())
        messages = Messages(rows=rows, senders={Channel.WECHAT: Mistaken()}, service=w.service, clock=w.now)
        for _ in range(8):
            with pytest.raises(ZeroDivisionError):
                await messages.send("m1")
        await messages.send("m1")
        assert (await w.store.read(number)).ticket.alarms == {"message_undeliverable"}
    assert (await state(database))[0] == "failed"


async def test_waiting_for_the_quota_uses_up_no_attempt(database: str) -> None:
    """The account's calls of the day may be used up for hours; the first hiccup afterwards is the first failure."""
    quota = [RateLimited("45009", retry_after=600)] * 12
    wechat = Phone(*quota, Unavailable("hiccup"))
    async with post(database, {Channel.WECHAT: wechat, Channel.CALL: Phone()}, message(phone=PHONE)) as (messages, _):
        for delay in (*[600] * 12, 1):
            with pytest.raises(Later) as later:
                await messages.send("m1")
            assert later.value.delay == timedelta(seconds=delay)
        await messages.send("m1")
    assert (wechat.sent, await state(database)) == (["m1"], ("sent", ""))


async def test_a_refused_sms_is_given_up_with_an_alarm(database: str) -> None:
    async with house(database) as w:
        [number] = await w.open(1)
        rows = JobStore(w.pool)
        await rows.owe(message(Channel.CALL, to=PHONE, number=number), w.now())
        senders = {Channel.CALL: Phone(RuleViolation("no such number"))}
        await Messages(rows=rows, senders=senders, service=w.service, clock=w.now).send("m1")
        assert (await w.store.read(number)).ticket.alarms == {"message_undeliverable"}


# ── where ────────────────────────────────────────────────────────────────────────────────────────
CITIZENS: tuple[tuple[Channel, Citizen, list[tuple[Channel, str]]], ...] = (
    (Channel.CALL, Citizen(phone=PHONE, key=PHONE), [(Channel.CALL, PHONE)]),
    (Channel.CALL, Citizen(), []),
    (Channel.WECHAT, Citizen(key="openid", phone=PHONE), [(Channel.WECHAT, "openid")]),
    (Channel.WEB, Citizen(key="chat:s"), [(Channel.WEB, "chat:s")]),
    (Channel.WEB, Citizen(phone=PHONE, key=PHONE), [(Channel.CALL, PHONE)]),
    (Channel.WEB, Citizen(), []),
    (Channel.APP, Citizen(phone=PHONE, key=PHONE), [(Channel.APP, PHONE)]),
    (Channel.APP, Citizen(), [(Channel.APP, NUMBER)]),
    (Channel.POLICE, Citizen(key="J1", phone=PHONE), [(Channel.POLICE, "J1"), (Channel.CALL, PHONE)]),
    (Channel.POLICE, Citizen(key="J1"), [(Channel.POLICE, "J1")]),
)


@pytest.mark.parametrize(("channel", "citizen", "expected"), CITIZENS)
def test_where_a_citizen_is_written_to(channel: Channel, citizen: Citizen, expected: list[tuple[Channel, str]]) -> None:
    from hotline.notices import Notice

    contact = Contact(number=NUMBER, channel=channel, citizen=citizen)  # type: ignore[arg-type]
    found = letters(contact, Notice(text="您好"), key="k")
    assert [(one.channel, one.to) for one in found] == expected
    assert len({one.key for one in found}) == len(found)
    assert address(contact) == (expected[0] if expected else None)


# ── the whole way ────────────────────────────────────────────────────────────────────────────────
async def test_a_caller_gets_the_result_by_sms_and_rates_by_its_link(database: str) -> None:
    standin = SmsStandIn(secret="a shared secret", fault="twice")
    server = TestServer(standin.app())
    await server.start_server()
    citizen = Citizen(phone=PHONE, key=PHONE)
    async with house(database) as w, aiohttp.ClientSession() as session, await open_pool(database) as pool:
        now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
        gateway = Gateway(session, name="sms", url=str(server.make_url("/sms")), secret="a shared secret", clock=now)

        async def key() -> bytes:
            return await link_key(pool)

        links = RatingLinks(key=key, base="https://12345.example.cn/", clock=w.now)
        rows = JobStore(pool)
        messages = Messages(
            rows=rows, senders={Channel.CALL: gateway}, service=w.service, clock=w.now, finish=links.finish
        )
        [number] = await w.open(1, appeal=Appeal(text="路灯不亮", citizen=citizen), channel=Channel.CALL)
        for command in (c.Sign(), c.Reply(internal="x", public="灯已修好"), c.AcceptReply()):
            await w.service.act(number, command, actor=SYSTEM)
        for [owed] in await all_rows(database, "SELECT key FROM outbox ORDER BY created_at, key"):
            while True:
                try:
                    await messages.send(owed)
                    break
                except Later:
                    continue
        texts = [arrived.letter.text for arrived in standin.messages.values()]
        assert [text for text in texts if "已签收" in text]
        [result] = [text for text in texts if "灯已修好" in text]
        assert "评价:https://12345.example.cn/r/DG" in result
        token = re.search(r"/r/(\S+)", result)[1]  # type: ignore[index]
        assert await links.number_of(token) == number
        with pytest.raises(NotFound):
            await links.number_of(token[:-1])
        assert all(arrived.sends == 2 for arrived in standin.messages.values()), "taken once, answered the second time"
    await server.close()


async def test_110_is_asked_for_no_rating() -> None:
    async def key() -> bytes:
        return b"k" * 32

    links = RatingLinks(key=key, base="http://x", clock=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    asked = message(Channel.POLICE, number=NUMBER, rating=True)
    assert await links.finish(asked) == asked
    assert "/r/" in (await links.finish(msgspec.structs.replace(asked, channel=Channel.CALL))).link


async def test_a_long_result_is_cut_before_its_link() -> None:
    async def key() -> bytes:
        return b"k" * 32

    links = RatingLinks(key=key, base="http://x", clock=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    finished = await links.finish(message(number=NUMBER, rating=True, text="答" * 1000))
    sent = wechat_api.customer_message(finished)["text"]["content"], sms_codec.decode(sms_codec.encode(finished)).text
    for text, most in zip(sent, (wechat_api.TEXT_BYTES, sms_codec.LONGEST), strict=True):
        assert text.endswith(f"答… 评价:{finished.link}")
        assert len(text.encode()) <= most
