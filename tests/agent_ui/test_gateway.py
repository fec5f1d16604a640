"""The gateway over a real socket and a real database: log-in, lists, commands, presence, mistakes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from agent_ui import protocol as p
from agent_ui.limits import Limits
from agent_ui.presence import NotReadyReason, PresenceState
from channels.appeal_codec import AppealBody
from hotline import commands as c
from hotline.appeal import Citizen
from hotline.store.indexer import index_all
from hotline.summary import Summary
from hotline.terms import Kind, State
from hotline.ticket import Ticket
from tests.agent_ui.stack import Desk, Stack

QUICK = Limits(lease=0.6, ping=0.1, housekeeping=0.05, hello=0.3, grace=0.5)


def rows(frame: p.Snapshot | p.Ok) -> list[Summary]:
    return [msgspec.json.decode(row, type=Summary) for row in frame.rows or ()]


# ── who comes in ─────────────────────────────────────────────────────────────────────────────────
async def test_welcome_tells_who_one_is(stack: Stack) -> None:
    async with stack.gateway():
        welcome = await (await stack.desk("wang")).of(p.Welcome)
        assert (welcome.staff.name, welcome.staff.department, welcome.lease) == ("wang", "城管局", 10.0)
        assert welcome.seq > 0


@pytest.mark.parametrize(("first", "reason"), [
    ('{"type":"hello","ticket":"made up"}', "unauthenticated"), ('{"type":"ping"}', "hello_expected"),
    ("nonsense", "hello_expected"),
])
async def test_strangers_are_told_why_not(stack: Stack, first: str, reason: str) -> None:
    async with stack.gateway() as gateway:
        desk = Desk(await stack.connect())
        await desk.socket.send(first)
        assert (await desk.of(p.Bye)).reason == reason
        await desk.closed.wait()
        assert gateway.consoles == 0


async def test_silent_strangers_are_let_go(stack: Stack) -> None:
    async with stack.gateway(limits=QUICK):
        desk = Desk(await stack.connect())
        async with asyncio.timeout(10):
            await desk.closed.wait()


async def test_a_ticket_opens_one_console_once_and_in_time(stack: Stack) -> None:
    async with stack.gateway():
        ticket = await stack.ticket("zhang")
        desks = [Desk(await stack.connect()) for _ in range(5)]
        await asyncio.gather(*(desk.send(p.Hello(ticket=ticket)) for desk in desks))
        first = [await desk.until(lambda frames: frames and frames[0]) for desk in desks]
        assert sorted(type(frame).__name__ for frame in first) == ["Error"] * 4 + ["Welcome"]
        late = await stack.ticket("zhang")
        stack.clock.ahead += timedelta(seconds=31)
        desk = Desk(await stack.connect())
        await desk.send(p.Hello(ticket=late))
        assert (await desk.of(p.Error)).error_id == "unauthenticated"


async def test_pages_of_other_sites_are_kept_out(stack: Stack) -> None:
    async with stack.gateway(origins=["https://12345.example"]):
        with pytest.raises(InvalidStatus):
            await connect(f"ws://127.0.0.1:{stack.port}/", origin="https://evil.example")  # type: ignore[arg-type]
        good = await connect(f"ws://127.0.0.1:{stack.port}/", origin="https://12345.example")  # type: ignore[arg-type]
        await good.close()
        await (await stack.connect()).close()
    async with stack.gateway():
        for own in ("http://127.0.0.1:8080", "https://127.0.0.1"):
            await (await connect(f"ws://127.0.0.1:{stack.port}/", origin=own)).close()  # type: ignore[arg-type]
        for other in ("http://evil.example", "null", "http://[", "file://127.0.0.1", "http://127.0.0.1.evil.example"):
            with pytest.raises(InvalidStatus):
                await connect(f"ws://127.0.0.1:{stack.port}/", origin=other)  # type: ignore[arg-type]


async def test_compression_only_where_wanted(stack: Stack) -> None:
    for compression in (False, True):
        async with stack.gateway(compression=compression):
            socket = await connect(f"ws://127.0.0.1:{stack.port}/")
            assert bool(socket.protocol.extensions) is compression
            await socket.close()


# ── lists, events, commands ──────────────────────────────────────────────────────────────────────
async def test_a_command_is_answered_and_everyone_concerned_hears_of_it(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang", "centre")
        unit = await stack.desk("wang", "department:城管局")
        receipt = await stack.appeal("公园里有怪味")
        await agent.until(lambda _: any(e.type == "receive" for e in agent.events))
        snapshot = await agent.ask(p.TakeSnapshot, topic="centre")
        assert [row.number for row in rows(snapshot)] == [receipt.number]
        assert snapshot.seq >= agent.events[0].seq
        done = await agent.ask(p.RunCommand, number=receipt.number, command=c.Accept(), expected_version=1)
        assert (done.state, done.version) == ("pending_dispatch", 2)
        await agent.ask(p.RunCommand, number=receipt.number, command=c.Dispatch(lead="城管局"))
        await agent.until(lambda _: [e.type for e in agent.events] == ["receive", "accept", "dispatch"])
        await unit.until(lambda _: [e.type for e in unit.events] == ["dispatch"])
        last = unit.events[0]
        assert (last.number, last.actor) == (receipt.number, "agent:zhang")
        assert msgspec.json.decode(last.summary, type=Summary).state == "pending_sign"
        listed = rows(await unit.ask(p.TakeSnapshot, topic="department:城管局"))
        assert [row.number for row in listed] == [receipt.number]
        assert rows(await agent.ask(p.TakeSnapshot, topic="centre")) == []


async def test_refusals_have_an_id_and_say_what_to_mend(stack: Stack) -> None:
    async with stack.gateway():
        agent, unit = await stack.desk("zhang"), await stack.desk("wang")
        number = (await stack.appeal("公园里有怪味")).number
        wrong = [
            (agent, {"number": number, "command": c.Sign()}, "forbidden"),
            (agent, {"number": number, "command": c.Dispatch(lead="城管局")}, "illegal_transition"),
            (agent, {"number": number, "command": c.Accept(), "expected_version": 9}, "version_conflict"),
            (agent, {"number": "DG0", "command": c.Accept()}, "not_found"),
            (agent, {"number": number, "command": c.Claim(agent="zhao")}, "forbidden"),
            (agent, {"number": number, "command": c.HandOff(services=())}, "rule_violation"),
            (unit, {"number": number, "command": c.AddNote(text="x")}, "forbidden"),
        ]
        for desk, fields, error_id in wrong:
            answer = await desk.ask(p.RunCommand, **fields)
            assert (type(answer), answer.error_id) == (p.Error, error_id)
            assert answer.detail
        for desk, topic in ((agent, "tickets"), (unit, "centre"), (unit, "department:水务局")):
            assert (await desk.ask(p.TakeSnapshot, topic=topic)).error_id == "forbidden"
            await desk.send(p.Follow(topics=(topic,)))
            await desk.until(lambda frames: isinstance(frames[-1], p.Error) and frames[-1].id is None)
        assert (await unit.ask(p.Open, number=number)).error_id == "forbidden"
        assert (await unit.ask(p.SetPresence, state=PresenceState.AVAILABLE)).error_id == "forbidden"
        assert (await (await stack.desk("root")).ask(p.Open, number=number)).error_id == "forbidden"
        assert (await agent.ask(p.TakeSnapshot, topic="centre", cursor="../..")).error_id == "invalid_input"


async def test_pages_neither_skip_nor_repeat(stack: Stack) -> None:
    async with stack.gateway():
        numbers = [(await stack.appeal(f"第{n}件事")).number for n in range(7)]
        lights = [(await stack.appeal()).number for _ in range(5)]
        supervisor, cursor = await stack.desk("li"), ""
        for topic, expected in (("tickets", numbers + lights), ("department:城管局", lights), ("centre", numbers)):
            seen: list[str] = []
            while True:
                page = await supervisor.ask(p.TakeSnapshot, topic=topic, limit=3, cursor=cursor)
                seen += [row.number for row in rows(page)]
                await stack.appeal("又一件")  # comes above the first page, never into a later one
                if not (cursor := page.next):
                    break
            assert seen == expected[::-1]
            await stack.pool.execute("DELETE FROM tickets WHERE summary::jsonb ->> 'title' = '' AND number <> ALL ($1)",
                                     numbers + lights)
        narrowed = await supervisor.ask(p.TakeSnapshot, topic="tickets", states=(State.PENDING_SIGN,))
        assert [row.number for row in rows(narrowed)] == lights[::-1]


async def test_open_masks_by_default_and_records_a_full_view(stack: Stack) -> None:
    citizen = Citizen(name="陈小明", phone="+8613800138000", key="+8613800138000")
    async with stack.gateway():
        number = (await stack.appeal("体育路路灯不亮,电话13800138000", citizen=citizen)).number
        secret = (await stack.appeal("路灯不亮", citizen=citizen, confidential=True)).number
        agent, unit = await stack.desk("zhang"), await stack.desk("wang")
        for desk in (agent, unit):
            opened = (await desk.ask(p.Open, number=number)).opened
            assert opened.masked
            assert b"13800138000" not in bytes(opened.ticket) + b"".join(map(bytes, opened.events))
        assert "sign" in opened.commands
        assert "dispatch" not in opened.commands
        opened = (await agent.ask(p.Open, number=number, reason="回访核实地址")).opened
        ticket = msgspec.json.decode(opened.ticket, type=Ticket)
        assert (opened.masked, ticket.appeal.citizen.name) == (False, "陈小明")
        assert "理由:回访核实地址" in bytes(opened.events[-1]).decode()
        since = (await agent.ask(p.Open, number=number, since_version=3)).opened
        assert len(since.events) == ticket.version - 3
        hidden = (await unit.ask(p.Open, number=secret, reason="联系诉求人")).opened
        assert hidden.masked
        assert b"13800138000" not in bytes(hidden.ticket)


async def test_an_appeal_by_phone_is_taken_once_and_its_caller_found(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang", "centre")
        body = AppealBody(text="楼道里有怪味", name="陈小明", phone="138 0013 8000")
        first = await agent.ask(p.PhoneAppeal, call="call-1", appeal=body)
        again = await agent.ask(p.PhoneAppeal, call="call-1", appeal=body)
        assert first.receipt == again.receipt
        await agent.until(lambda _: [e.type for e in agent.events] == ["receive"])
        for phone in ("13800138000", "+86 138-0013-8000", "008613800138000"):
            found = await agent.ask(p.Search, phone=phone)
            assert [row.number for row in rows(found)] == [first.number]
        await index_all(stack.pool)  # words become searchable a moment after the ticket
        assert [row.number for row in rows(await agent.ask(p.Search, text="怪味 楼道"))] == [first.number]
        assert [row.number for row in rows(await agent.ask(p.Search, number=first.number))] == [first.number]
        assert rows(await agent.ask(p.Search, text="不存在的事")) == []
        for nothing in ({}, {"text": "!!"}, {"text": "  "}):
            assert (await agent.ask(p.Search, **nothing)).error_id == "invalid_input"
        unit = await stack.desk("wang")
        assert rows(await unit.ask(p.Search, phone="13800138000")) == []
        assert (await unit.ask(p.PhoneAppeal, call="call-2", appeal=body)).error_id == "forbidden"


async def test_a_department_cannot_find_out_who_reports(stack: Stack) -> None:
    citizen = Citizen(name="陈小明", phone="+8613800138000", key="+8613800138000")
    text = "我是陈小明,电话13800138000,体育路路灯不亮"
    async with stack.gateway():
        plain = (await stack.appeal(text, citizen=citizen)).number
        secret = (await stack.appeal(text, citizen=citizen, confidential=True)).number
        report = (await stack.appeal(text, citizen=citizen, kind=Kind.REPORT)).number
        agent, unit = await stack.desk("zhang"), await stack.desk("wang")
        await index_all(stack.pool)
        found = {row.number for row in rows(await agent.ask(p.Search, phone="13800138000"))}
        assert found == {plain, secret, report}
        assert [row.number for row in rows(await unit.ask(p.Search, phone="13800138000"))] == [plain]
        assert [row.number for row in rows(await unit.ask(p.Search, phone="13800138000", text="路灯"))] == [plain]
        assert (await unit.ask(p.Search, text="13800138000")).error_id == "invalid_input"
        assert len(rows(await unit.ask(p.Search, text="路灯"))) == 3
        opened = (await unit.ask(p.Open, number=secret)).opened
        assert "小明" not in (bytes(opened.ticket) + b"".join(map(bytes, opened.events))).decode()


async def test_tickets_are_merged_by_the_id_that_open_tells(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang")
        first, second = [(await stack.appeal("公园里有怪味")).number for _ in range(2)]
        parent = (await agent.ask(p.Open, number=first)).opened.id
        done = await agent.ask(p.RunCommand, number=second, command=c.Merge(parent=parent))
        assert done.state == "merged"


async def test_unfollowed_topics_are_silent(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang", "centre", "emergency")
        await agent.send(p.Unfollow(topics=("centre",)))
        await agent.settle()
        watcher = await stack.desk("zhao", "centre")
        await stack.appeal("公园里有怪味")
        await watcher.until(lambda _: watcher.events)
        await agent.settle()
        assert agent.events == []


# ── mistakes and limits ──────────────────────────────────────────────────────────────────────────
async def test_malformed_frames_are_answered_then_end_the_console(stack: Stack) -> None:
    async with stack.gateway(limits=Limits(mistakes=3)):
        desk = await stack.desk("zhang")
        await desk.socket.send('{"type":"command","id":5}')
        error = await desk.of(p.Error)
        assert (error.id, error.error_id) == (5, "invalid_input")
        for data in ("{", '{"type":"nothing"}', '{"type":"hello","ticket":"x"}'):
            await desk.socket.send(data)
        assert (await desk.of(p.Bye)).reason == "too_many_mistakes"


async def test_a_frame_over_the_limit_ends_the_connection(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        desk = await stack.desk("zhang")
        await desk.socket.send("x" * (p.MAX_FRAME + 1))
        await desk.closed.wait()
        assert desk.socket.close_code == 1009
        other = await stack.desk("zhao")
        await other.settle()
        assert gateway.consoles == 1


async def test_requests_under_way_are_limited(stack: Stack) -> None:
    async with stack.gateway(limits=Limits(outstanding=2)):
        number = (await stack.appeal("公园里有怪味")).number
        desk = await stack.desk("zhang")
        async with stack.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT 1 FROM tickets WHERE number = $1 FOR UPDATE", number)
            for id_ in (101, 102, 103):
                await desk.send(p.RunCommand(id=id_, number=number, command=c.Urge()))
            refused = await desk.of(p.Error)
            assert (refused.id, refused.error_id) == (103, "overloaded")
        await desk.until(lambda frames: {f.id for f in frames if isinstance(f, p.Ok)} == {101, 102})


async def test_the_house_has_room_for_so_many(stack: Stack) -> None:
    async with stack.gateway(limits=Limits(consoles=1)):
        await stack.desk("zhang")
        second = Desk(await stack.connect())
        await second.send(p.Hello(ticket=await stack.ticket("zhao")))
        assert (await second.of(p.Bye)).reason == "full"


async def test_logging_out_ends_the_console(stack: Stack) -> None:
    async with stack.gateway(limits=QUICK):
        grant = await stack.accounts.login("zhang", "correct horse 12345")
        desk = Desk(await stack.connect())
        await desk.send(p.Hello(ticket=await stack.accounts.console_ticket(grant.token)))
        await desk.of(p.Welcome)
        await stack.accounts.logout(grant.token)
        assert (await desk.of(p.Bye)).reason == "session_ended"


async def test_who_does_nothing_is_logged_out_who_works_is_not(stack: Stack) -> None:
    async with stack.gateway(limits=msgspec.structs.replace(QUICK, idle=900.0)):
        idle, busy = await stack.desk("zhang"), await stack.desk("zhao")
        for minutes in (10, 20, 30):
            stack.clock.ahead = timedelta(minutes=minutes)
            now = stack.clock()
            await busy.send(p.Ping(active=True))
            if minutes < 15:  # later its connection may be closed already
                await idle.send(p.Ping())
            while await stack.pool.fetchval("SELECT last_seen < $1 FROM sessions WHERE staff = 'zhao'", now):
                await busy.send(p.Ping(active=True))
                await asyncio.sleep(0.02)
        assert (await idle.of(p.Bye)).reason == "session_ended"
        await busy.settle()


async def test_a_gateway_that_stops_says_come_back(stack: Stack) -> None:
    async with stack.gateway():
        desk = await stack.desk("zhang")
    assert (await desk.of(p.Bye)).reason == "restart"


# ── presence ─────────────────────────────────────────────────────────────────────────────────────
async def test_presence_is_chosen_told_and_listed(stack: Stack) -> None:
    async with stack.gateway():
        agent, supervisor = await stack.desk("zhang"), await stack.desk("li", "presence")
        assert (await agent.ask(p.SetPresence, state=PresenceState.AVAILABLE)).presence.state == "available"
        meal = await agent.ask(p.SetPresence, state=PresenceState.NOT_READY, reason=NotReadyReason.MEAL)
        assert (meal.presence.state, meal.presence.reason) == ("not_ready", "meal")
        again = await agent.ask(p.SetPresence, state=PresenceState.NOT_READY, reason=NotReadyReason.MEAL)
        assert again.presence == meal.presence
        assert (await agent.ask(p.SetPresence, state=PresenceState.TALKING)).error_id == "illegal_transition"
        await supervisor.until(lambda _: len(supervisor.events) == 2)
        told = [msgspec.json.decode(e.data, type=p.Presence) for e in supervisor.events]
        assert [(one.staff, one.state) for one in told] == [("zhang", "available"), ("zhang", "not_ready")]
        listed = await supervisor.ask(p.TakeSnapshot, topic="presence")
        assert [msgspec.json.decode(row, type=p.Presence) for row in listed.rows] == [meal.presence]


async def test_a_dead_console_frees_its_agent(stack: Stack) -> None:
    async with stack.gateway(limits=QUICK):
        supervisor = await stack.desk("li", "presence")
        agent = await stack.desk("zhang")
        await agent.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await agent.cut()
        await supervisor.until(lambda _: len(supervisor.events) == 2)
        last = msgspec.json.decode(supervisor.events[-1].data, type=p.Presence)
        assert (last.staff, last.state, last.reason) == ("zhang", "offline", "lease")


async def test_a_hidden_page_that_sends_no_ping_keeps_its_agent(stack: Stack) -> None:
    """Browsers slow down the timers of hidden tabs; the sign of life below the page is enough."""
    async with stack.gateway(limits=QUICK):
        supervisor, agent = await stack.desk("li", "presence"), await stack.desk("zhang")
        await agent.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        other = await stack.desk("zhao")
        await other.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await other.cut()
        await supervisor.until(lambda _: len(supervisor.events) == 3)
        freed = msgspec.json.decode(supervisor.events[-1].data, type=p.Presence)
        assert (freed.staff, freed.state) == ("zhao", "offline")
        listed = await supervisor.ask(p.TakeSnapshot, topic="presence")
        assert [msgspec.json.decode(row, type=p.Presence).staff for row in listed.rows] == ["zhang"]


async def test_one_console_of_two_is_enough_to_stay(stack: Stack) -> None:
    async with stack.gateway(limits=QUICK):
        supervisor = await stack.desk("li", "presence")
        first, second = await stack.desk("zhang"), await stack.desk("zhang")
        await first.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await first.cut()
        other = await stack.desk("zhao")
        await other.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await other.cut()
        await supervisor.until(lambda _: len(supervisor.events) == 3)
        await second.settle()
        listed = await supervisor.ask(p.TakeSnapshot, topic="presence")
        assert [msgspec.json.decode(row, type=p.Presence).staff for row in listed.rows] == ["zhang"]
