"""Intake over a real database: once in, nothing lost, refused before memory grows."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import asyncpg
import msgspec
import pytest

from channels.message import Inbound
from hotline import commands as c
from hotline.appeal import Appeal, Citizen, Evidence, Triage
from hotline.errors import KeyReused, NotFound
from hotline.events import SYSTEM
from hotline.ids import TicketNumber, is_ticket_number
from hotline.intake import Intake, Limits
from hotline.opening import CityRules
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.sealing import open_document
from hotline.store.tickets import TicketStore
from hotline.terms import Channel, State, Verdict
from hotline.terms import Service as Emergency
from hotline.ticket import Ticket, replay
from tests.cities import NOW, RULES, STREET_LIGHT


def triage(texts: Sequence[str], /) -> list[Triage]:
    """Dispatches street lights, hands off fires, leaves the rest to people."""
    return [_one(text) for text in texts]


def _one(text: str) -> Triage:
    if "着火" in text:
        evidence = (Evidence(rule="fire", text="着火", start=0, end=2),)
        return msgspec.structs.replace(
            STREET_LIGHT, verdict=Verdict.EMERGENCY, services=(Emergency.FIRE,), evidence=evidence
        )
    return STREET_LIGHT if "路灯" in text else Triage(category=None, needs_person=True)


_ids = itertools.count()


def inbound(text: str = "体育路路灯不亮", *, key: str = "", channel: Channel = Channel.WEB, **more: object) -> Inbound:
    fields = {"received_at": NOW, "appeal": Appeal(text=text), **more}
    return Inbound(channel=channel, external_id=key or f"k{next(_ids)}", **fields)  # type: ignore[arg-type]


@asynccontextmanager
async def intake_over(
    dsn: str, *, limits: Limits = Limits(), triage_with: object = triage, rules: CityRules = RULES
) -> AsyncIterator[Intake]:
    codes = random.Random(7)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await open_pool(dsn))
        yield await stack.enter_async_context(Intake(
            store=TicketStore(pool, prefix="DG"), triage=triage_with, rules=lambda: rules, clock=lambda: NOW,  # type: ignore[arg-type]
            new_code=lambda: f"{codes.randrange(1_000_000):06d}", limits=limits,
        ))


async def all_rows(dsn: str, query: str, *args: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(query, *args))
    finally:
        await connection.close()


async def test_an_appeal_becomes_a_ticket_that_is_dispatched(database: str) -> None:
    async with intake_over(database) as intake:
        receipt = await intake.submit(inbound())
    assert is_ticket_number(receipt.number)
    assert (receipt.status, receipt.department, receipt.category) == ("pending_sign", "城管局", "03/路灯")
    assert receipt.expected_by == datetime.fromisoformat("2026-12-04T17:30:00+08:00")
    types = [row["type"] for row in await all_rows(database, "SELECT type FROM ticket_events ORDER BY position")]
    assert types == ["receive", "accept", "dispatch"]


@pytest.mark.parametrize("text", ["[图片]", "[图片] http://mmbiz.qpic.cn/路灯/着火", "[视频]", "🙂🙂", "……"])
async def test_nobody_guesses_at_a_message_without_words(database: str, text: str) -> None:
    def guessing(texts: Sequence[str], /) -> list[Triage]:
        return [_one("着火") for _ in texts]

    async with intake_over(database, triage_with=guessing) as intake:
        receipt = await intake.submit(inbound(text))
        spoken = await intake.submit(inbound("[图片] 家里着火了"))
    assert (receipt.status, receipt.verdict, receipt.category) == ("received", Verdict.NON_EMERGENCY, "")
    assert spoken.verdict is Verdict.EMERGENCY


async def test_events_in_the_database_rebuild_the_ticket(database: str) -> None:
    async with intake_over(database) as intake:
        receipt = await intake.submit(inbound("厂房着火了"))
        pool = await open_pool(database)
        store = TicketStore(pool, prefix="DG")
        stored = await store.read(receipt.number)
        assert replay(await store.history(stored.id)) == stored.ticket
        await pool.close()


async def test_fifty_parallel_deliveries_make_one_ticket(database: str) -> None:
    async with intake_over(database) as one, intake_over(database) as other:
        receipts = await asyncio.gather(*((one, other)[n % 2].submit(inbound(key="same")) for n in range(50)))
    assert len({receipt.number for receipt in receipts}) == 1
    assert sum(not receipt.repeat for receipt in receipts) == 1
    assert len(await all_rows(database, "SELECT 1 FROM tickets")) == 1


async def test_a_key_with_other_content_is_refused(database: str) -> None:
    async with intake_over(database) as intake:
        await intake.submit(inbound("路灯不亮", key="k"))
        with pytest.raises(KeyReused):
            await intake.submit(inbound("路灯又不亮", key="k"))
        assert (await intake.submit(inbound("路灯不亮", key="k"))).repeat


async def test_the_same_key_on_another_channel_is_another_delivery(database: str) -> None:
    async with intake_over(database) as intake:
        numbers = {(await intake.submit(inbound(key="k", channel=channel))).number for channel in Channel}
    assert len(numbers) == len(Channel)


async def test_an_emergency_is_handed_off_with_an_incident_and_a_job(database: str) -> None:
    async with intake_over(database) as intake:
        receipt = await intake.submit(inbound("厂房着火了"))
    assert (receipt.status, receipt.verdict) == ("handed_off", "emergency")
    [incident] = await all_rows(database, "SELECT * FROM incidents")
    payload = open_document(incident["payload"], context=f"incident {incident['key']}")
    assert msgspec.json.decode(payload)["services"] == ["119"]
    [job] = await all_rows(database, "SELECT entrypoint, payload FROM pgqueuer")
    assert (job["entrypoint"], job["payload"].decode()) == ("push_incident", incident["key"])


async def test_a_transfer_from_110_is_never_sent_back_by_the_machine(database: str) -> None:
    async with intake_over(database) as intake:
        receipt = await intake.submit(inbound("厂房着火了", channel=Channel.POLICE))
    assert receipt.status == State.RECEIVED
    assert await all_rows(database, "SELECT 1 FROM incidents") == []


# ── conversations ────────────────────────────────────────────────────────────────────────────────
def said(text: str, *, at: datetime = NOW, key: str = "") -> Inbound:
    return inbound(
        text, key=key, channel=Channel.WECHAT, conversation="openid", received_at=at,
        appeal=Appeal(text=text, citizen=Citizen(key="openid")),
    )


async def test_messages_of_a_conversation_join_its_open_ticket(database: str) -> None:
    async with intake_over(database) as intake:
        first = await intake.submit(said("路灯不亮"))
        second = await intake.submit(said("就在体育路口"))
        assert (second.number, second.code, second.continued) == (first.number, first.code, True)
        later = await intake.submit(said("路灯又不亮", at=NOW + timedelta(hours=3)))
        assert later.number != first.number


async def test_a_citizen_may_say_that_it_is_another_matter(database: str) -> None:
    async with intake_over(database) as intake:
        first = await intake.submit(said("路灯不亮"))
        other = await intake.submit(said("新诉求:楼下烧烤油烟大"))
        assert (other.number != first.number, other.continued) == (True, False)
        more = await intake.submit(said("每天到半夜"))
        assert more.number == other.number


async def test_messages_of_a_conversation_that_arrive_together_make_one_ticket(database: str) -> None:
    async with intake_over(database) as one, intake_over(database) as other:
        receipts = await asyncio.gather(*((one, other)[n % 2].submit(said(f"第{n}句")) for n in range(20)))
    assert len({receipt.number for receipt in receipts}) == 1
    assert sum(receipt.continued for receipt in receipts) == 19
    assert len(await all_rows(database, "SELECT 1 FROM ticket_events")) == 20


async def test_a_conversation_that_has_to_wait_holds_up_nobody_else(database: str) -> None:
    limits = Limits(singly=1)
    async with (
        intake_over(database, limits=limits) as intake, await open_pool(database) as pool, pool.acquire() as connection,
    ):
        first = await intake.submit(said("路灯不亮"))
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM tickets WHERE number = $1 FOR UPDATE", first.number)
            held = asyncio.create_task(intake.submit(said("就在体育路口")))
            others = await asyncio.gather(*(intake.submit(inbound()) for _ in range(20)))
            assert len({other.number for other in others}) == 20
            assert not held.done()
        assert (await held).number == first.number


async def test_the_same_message_fifty_times_in_parallel_joins_once(database: str) -> None:
    async with intake_over(database) as one, intake_over(database) as other:
        await one.submit(said("路灯不亮"))
        receipts = await asyncio.gather(
            *((one, other)[n % 2].submit(said("就在体育路口", key="MsgId-1")) for n in range(50))
        )
    assert sum(not receipt.repeat for receipt in receipts) == 1
    assert len(await all_rows(database, "SELECT 1 FROM ticket_events")) == 4


async def test_a_further_message_raises_the_verdict(database: str) -> None:
    async with intake_over(database) as intake:
        await intake.submit(said("电线垂下来了"))
        receipt = await intake.submit(said("现在着火了"))
    assert (receipt.status, receipt.verdict) == ("handed_off", "emergency")
    assert len(await all_rows(database, "SELECT 1 FROM incidents")) == 1


async def test_danger_that_may_not_be_handed_off_is_taken_however_often_it_is_told(database: str) -> None:
    """A transfer of 110's is never sent back: each message is kept, and sounds anew for who has seen the last alarm."""
    async with intake_over(database) as intake, await open_pool(database) as pool:
        store = TicketStore(pool, prefix="DG")
        service = Service(store=store, intake=intake, rules=lambda: RULES, clock=lambda: NOW)
        number = (await intake.submit(inbound(channel=Channel.POLICE))).number

        async def told(text: str) -> Ticket:
            receipt = await intake.submit(inbound(text, channel=Channel.POLICE, continues=number))
            assert (receipt.continued, receipt.verdict) == (True, Verdict.EMERGENCY)
            await service.act(number, c.Reassess(verdict=Verdict.NON_EMERGENCY, reason="已核实"), actor=SYSTEM)
            return (await store.read(number)).ticket

        await told("现在着火了")
        unseen = await told("又着火了, 救命")
        assert (unseen.alarms, unseen.alarms_seen) == ({"verdict_raised"}, frozenset())
        await service.act(number, c.AcknowledgeAlarm(alarm="verdict_raised"), actor=SYSTEM)
        anew = await told("还在着火")
        assert (anew.alarms, anew.alarms_seen) == ({"verdict_raised"}, frozenset())
        types = [event.type for event in await store.history((await store.read(number)).id)]
        assert (types.count("add_message"), types.count("raise_alarm")) == (3, 2)


async def test_a_message_may_name_its_ticket(database: str) -> None:
    async with intake_over(database) as intake:
        first = await intake.submit(inbound())
        more = await intake.submit(inbound("补充:已经三天了", continues=first.number))
        assert (more.number, more.continued) == (first.number, True)
        with pytest.raises(NotFound):
            await intake.submit(inbound("补充", continues=TicketNumber("DG20261120300000000")))


async def test_numbers_are_never_given_twice(database: str) -> None:
    async with intake_over(database) as one, intake_over(database) as other:
        receipts = await asyncio.gather(*((one, other)[n % 2].submit(inbound()) for n in range(700)))
    assert len({receipt.number for receipt in receipts}) == 700
