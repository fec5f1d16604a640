"""A dump of the database tells of nobody who they are; the house does all its work with it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from agent_ui.protocol import Search
from channels.message import Outbound
from hotline import commands as c
from hotline.appeal import Appeal, Citizen, Place
from hotline.callbacks import Callbacks
from hotline.events import Actor, Role
from hotline.keyring import Damaged, is_blind
from hotline.service import Service
from hotline.store.call_floor import CallDeskStore
from hotline.store.callbacks import CallbackStore
from hotline.store.channels import ChannelStore
from hotline.store.console import ConsoleStore
from hotline.store.incidents import JobStore
from hotline.store.indexer import index_all
from hotline.store.nuisance import NuisanceStore
from hotline.store.portal import PortalStore
from hotline.store.queues import QueueStore
from hotline.store.sealing import blind, ring, seal_document, seal_text
from hotline.store.telephone import TelephoneStore
from hotline.store.tickets import TicketStore
from hotline.store.transcripts import TranscriptStore
from hotline.store.units import UnitStore
from hotline.terms import Channel
from routing.call_news import CallWords
from routing.call_orders import CallAct, CallOrder
from routing.callbacks import MissedCall
from routing.calls import Role as Side
from tests.cities import NOW, RULES
from tests.hotline.test_intake import inbound
from tests.privacy.house import ZHANG, intake

SECRETS = ("13800138000", "张三丰", "app:zhang", "441900199001011234", "鸿福路200号", "13912345678", "wx-open-id",
           "portal-citizen", "the unit's secret", "139 1234 5678")
TEXT = "我是张三丰,电话13800138000,身份证441900199001011234,路灯不亮"
NOTE = "回电 13912345678,找张三丰,地址另记"
SESSION = "session-" + "x" * 32
AGENT = Actor(Role.AGENT, "li")


async def whole(pool: asyncpg.Pool) -> str:
    """Return every row of every table as text."""
    tables = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [row[0] for (name,) in tables for row in await pool.fetch(f"SELECT t::text FROM {name} AS t")]
    return "\n".join(rows)


async def lived_in(pool: asyncpg.Pool) -> str:
    """Let a citizen leave their traces everywhere; return the ticket's number."""
    store = TicketStore(pool, prefix="DG")
    async with intake(pool, store=store) as taking:
        appeal = Appeal(text=TEXT, title=TEXT[:20], citizen=ZHANG, place=Place(town="南城", address="鸿福路200号"))
        receipt = await taking.submit(inbound(key="one", appeal=appeal))
        fire = Appeal(text="张三丰家着火了 13800138000", citizen=ZHANG)
        await taking.submit(inbound(key="two", appeal=fire))
        wechat = Citizen(key="wx-open-id")
        for n in range(2):
            await taking.submit(inbound(
                key=f"three-{n}", channel=Channel.WECHAT, conversation="wx-open-id",
                appeal=Appeal(text="路灯不亮,电话13912345678", citizen=wechat),
            ))
        service = Service(store=store, intake=taking, rules=lambda: RULES, clock=lambda: NOW)
        await service.act(receipt.number, c.AddNote(text=NOTE), actor=AGENT)
    await JobStore(pool).owe(
        Outbound(channel=Channel.CALL, key="m1", to=ZHANG.phone, text="您好,张三丰"), NOW
    )
    callbacks = Callbacks(ledger=CallbackStore(pool), rules=lambda: RULES, clock=lambda: NOW)
    assert await callbacks.owe(MissedCall(call="c1", phone=ZHANG.phone, at=NOW)) is not None
    await NuisanceStore(pool).mark(ZHANG.phone, "反复", actor="wang", now=NOW, until=NOW + timedelta(days=1))
    await NuisanceStore(pool).note(ZHANG.phone, inbound(key="n", appeal=Appeal(text=TEXT, citizen=ZHANG)),
                                   "contained", NOW)  # type: ignore[arg-type]
    await PortalStore(pool).remember("portal-citizen", receipt.number)
    await UnitStore(pool).put_system(
        "城管局", url="https://x.example", active=True, secret="the unit's secret", token_hash=b"t", by="root", now=NOW
    )
    await pool.execute(
        "INSERT INTO parcels (key, neighbour, ticket_id, hand_over, path, payload, created_at) "
        "VALUES ('p1', 'sz', 1, 'h', '/', $1, now())", seal_document(ZHANG, context="parcel p1"),
    )
    await pool.execute(
        "INSERT INTO calls (id, direction, caller, started_at, doc, caller_sealed) "
        "VALUES ('c1', 'in', $1, now(), $2, $3)",
        blind(ZHANG.phone), seal_document(ZHANG, context="call c1"), seal_text(ZHANG.phone, context="caller c1"),
    )
    chat = ChannelStore(pool)
    for key in ("c:1", "o:1"):
        await chat.chat_add(SESSION, key, "citizen", TEXT, NOW)
    heard = CallWords(call="c1", n=1, side=Side.CITIZEN, text=TEXT)
    await TranscriptStore(pool).add(heard, now=NOW)
    await TranscriptStore(pool).tell("agent:li", heard, now=NOW)
    await pool.execute(
        "INSERT INTO staff (name, display_name, role, password_hash, created_at, totp_secret) "
        "VALUES ('li', '李', 'agent', '', now(), $1)",
        ring().seal(b"the unit's secret", context=b"staff.totp_secret:li"),
    )
    await asked_for(pool)
    await index_all(pool)
    return receipt.number


async def asked_for(pool: asyncpg.Pool) -> None:
    """Let an agent dial the citizen and hand calls over; whoever steers the PBX reads what was asked."""
    store, to = TelephoneStore(pool), [ZHANG.phone, "139 1234 5678", "li", "110"]
    acts = [CallAct.DIAL, CallAct.TRANSFER, CallAct.TRANSFER, CallAct.TRANSFER]
    orders = [CallOrder(call=f"c{n}", act=act, to=whom) for n, (act, whom) in enumerate(zip(acts, to, strict=True))]
    async with asyncio.TaskGroup() as group, asyncio.timeout(20):
        for order in orders:
            group.create_task(store.ask("li", order, now=NOW))
        while len(asked := await store.orders(now=NOW)) < len(orders):
            await asyncio.sleep(0.01)
        for one in asked:
            await store.order_done(one.id, now=NOW)
    assert sorted(one.order.to for one in asked) == sorted(to)
    kept = await pool.fetch("SELECT doc::json ->> 'to' FROM call_orders")
    assert {"li", "110"} <= {row[0] for row in kept}, "a process of the version before understands these"


async def test_a_dump_tells_of_nobody_who_they_are(pool: asyncpg.Pool) -> None:
    await lived_in(pool)
    dump = await whole(pool)
    assert "路灯不亮" in dump
    assert [secret for secret in SECRETS if secret in dump] == []


async def test_the_house_still_knows(pool: asyncpg.Pool) -> None:
    number = await lived_in(pool)
    stored = await TicketStore(pool, prefix="DG").read(number)
    assert stored.ticket.appeal.text == TEXT
    assert (stored.ticket.appeal.citizen, stored.ticket.appeal.place.address) == (ZHANG, "鸿福路200号")
    found = await ConsoleStore(pool).find(number)
    assert any(event.fact == c.AddNote(text=NOTE) for event in found.events)
    page = await ConsoleStore(pool).search(Search(id=1, text="", phone="138 0013 8000"))
    assert len(page.rows) == 2
    mine = await PortalStore(pool).mine("portal-citizen", ZHANG.phone, cursor="", limit=9)
    assert len(mine.tickets) == 2
    message, _ = await JobStore(pool).begin_send("m1") or (None, 0)
    assert message is not None
    assert (message.to, message.text) == (ZHANG.phone, "您好,张三丰")
    incident = await pool.fetchval("SELECT key FROM incidents")
    pending = await JobStore(pool).begin_push(incident, NOW)
    assert pending is not None
    assert "13800138000" in str(pending.payload)
    [mark] = await NuisanceStore(pool).in_force(NOW)
    assert mark.contact == ZHANG.phone
    case = await NuisanceStore(pool).case(ZHANG.phone, NOW - timedelta(days=1))
    assert len(case.tickets) == 2
    assert {act.contact for act in case.acts} == {ZHANG.phone}
    assert [line.text for line in await ChannelStore(pool).chat_since({SESSION: 0})] == [TEXT, TEXT]
    assert [words.text for words in await CallDeskStore(pool, QueueStore(pool)).words("c1")] == [TEXT]
    assert (await TranscriptStore(pool).heard("c1")) == (2, TEXT)
    [told] = (await ConsoleStore(pool).replay(0, ["agent:li"], limit=9)).events
    assert msgspec.json.decode(told.doc, type=CallWords).text == TEXT
    assert all(is_blind(row[0]) for row in await pool.fetch("SELECT citizen FROM tickets"))
    assert await pool.fetchval("SELECT count(*) FROM tickets") == 3, "the second WeChat message went on in the first"


async def test_a_sealed_part_fits_its_own_event_only(pool: asyncpg.Pool) -> None:
    number = await lived_in(pool)
    ids = await pool.fetch("SELECT ticket_id, sealed FROM ticket_events WHERE sealed IS NOT NULL ORDER BY position")
    await pool.execute(
        "UPDATE ticket_events SET sealed = $1 WHERE ticket_id = $2 AND sealed IS NOT NULL", ids[-1]["sealed"],
        ids[0]["ticket_id"],
    )
    with pytest.raises(Damaged):
        await TicketStore(pool, prefix="DG").read(number)


async def test_a_sentence_that_does_not_open_holds_nothing_back(pool: asyncpg.Pool) -> None:
    transcripts = TranscriptStore(pool)
    for topic in ("agent:wang", "agent:li"):
        await transcripts.tell(topic, CallWords(call="c1", n=1, side=Side.CITIZEN, text=topic), now=NOW)
    await pool.execute("UPDATE presence_events SET topic = 'agent:li' WHERE topic = 'agent:wang'")
    await pool.execute(
        "INSERT INTO presence_events (position, at, type, topic, doc) VALUES "
        "(event_position(1), now(), 'transcript', 'agent:li', '{\"text\": \"of older software\"}')"
    )
    moved, own, older = [one.doc for one in (await ConsoleStore(pool).replay(0, ["agent:li"], limit=9)).events]
    assert "agent:wang" not in moved
    assert '"text":"agent:li"' in own
    assert "of older software" in older


@pytest.mark.parametrize("statement", [
    "UPDATE ticket_events SET doc = doc", "UPDATE ticket_events SET sealed = NULL, summary = ''",
    "DELETE FROM ticket_events", "TRUNCATE ticket_events",
])
async def test_an_event_itself_stays_as_it_is(pool: asyncpg.Pool, statement: str) -> None:
    await lived_in(pool)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await pool.execute(statement)


async def test_a_repeat_is_known_whatever_was_sealed(pool: asyncpg.Pool) -> None:
    appeal = Appeal(text=TEXT, citizen=ZHANG)
    async with intake(pool) as taking:
        first = await taking.submit(inbound(key="one", appeal=appeal))
        again = await taking.submit(inbound(key="one", appeal=appeal))
    assert (first.repeat, again.repeat, again.number) == (False, True, first.number)
