"""The gateway over a real socket and a real database: who comes in, mistakes, limits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from agent_ui import protocol as p
from agent_ui.access import REQUESTS
from agent_ui.limits import Limits
from agent_ui.session import BY_HAND
from hotline import commands as c
from tests.agent_ui.stack import QUICK, Desk, Stack


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
        ticket = await stack.accounts.console_ticket(grant.token)
        desk = Desk(await stack.connect())
        await desk.send(p.Hello(ticket=ticket))
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


async def test_what_a_page_asks_by_itself_keeps_no_session_from_idling_out(stack: Stack) -> None:
    async with stack.gateway(limits=msgspec.structs.replace(QUICK, idle=900.0)):
        number = (await stack.appeal()).number
        left, busy = await stack.desk("zhang"), await stack.desk("zhao")

        async def looked_after(minutes: int) -> bool:
            """Go on to this minute, let the house look after all; tell whether `left` was found at work then."""
            stack.clock.ahead = timedelta(minutes=minutes)
            now = stack.clock()
            note = partial(busy.ask, p.RunCommand, number=number, command=c.AddNote(text="x"))
            await note()
            while await stack.pool.fetchval("SELECT last_seen < $1 FROM sessions WHERE staff = 'zhao'", now):
                await note()  # the look that found the one before may have begun before this minute
                await asyncio.sleep(0.02)
            return bool(await stack.pool.fetchval("SELECT last_seen >= $1 FROM sessions WHERE staff = 'zhang'", now))

        await looked_after(1)
        for kind, fields in (
            (p.Look, {"number": number}), (p.Open, {"number": number}), (p.TakeSnapshot, {"topic": "centre"}),
            (p.FindSimilar, {"number": number}), (p.Consult, {"text": "路灯"}), (p.Propose, {"l1": "03", "l2": "路灯"}),
        ):
            assert not isinstance(await left.ask(kind, **fields), p.Error)
        assert not await looked_after(10)
        stack.clock.ahead = timedelta(minutes=17)
        assert (await left.of(p.Bye)).reason == "session_ended"
        assert not busy.closed.is_set()


def test_of_every_request_it_is_said_whether_only_a_person_asks_it() -> None:
    pages = {
        p.TakeSnapshot, p.Open, p.SetPresence, p.ReadCall, p.ReadFloor, p.FindSimilar, p.ListHotSpots, p.Consult,
        p.ReadTerms, p.Propose, p.Explain, p.Look,
    }
    assert pages == set(REQUESTS) - BY_HAND
    assert set(REQUESTS) >= BY_HAND
