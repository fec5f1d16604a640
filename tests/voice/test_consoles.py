"""What consoles ask about calls, without a PBX: the floor, who calls, forced presence, calls of one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from agent_ui.call_requests import CallDesk
from agent_ui.presence import NotReadyReason, PresenceState
from agent_ui.protocol import DialCall, Ok, OrderCall, ReadCall, ReadFloor
from agent_ui.staff import Staff, StaffRole
from hotline.call_books import CallBooks
from hotline.cli.check import CHECKS
from hotline.config import Settings
from hotline.errors import Forbidden, HotlineError, IllegalTransition, InvalidInput, NotFound, Unavailable
from hotline.store.audit import AuditStore
from hotline.store.call_floor import CallDeskStore
from hotline.store.console import ConsoleStore
from hotline.store.database import open_pool
from hotline.store.queues import QueueStore
from hotline.store.telephone import TelephoneStore
from hotline.store.transcripts import TranscriptStore
from routing import call_words as m
from routing.call_news import news_of
from routing.call_orders import CallAct, CallOrder
from routing.calls import Call, Leg, Phase, Role
from routing.queue_file import AgentPhone
from routing.queue_plan import FIRST, Centre, Queue
from routing.queueing import Rung

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
WANG = Staff(name="wang", display_name="王", role=StaffRole.AGENT)
BOSS = Staff(name="boss", display_name="班长", role=StaffRole.SUPERVISOR)


class Callbacks:
    """A ledger in which nothing is owed; the desk only asks it for what is taken."""

    async def take(self, agent: str, *, by: str, id_: int = 0) -> None:
        return None


async def house(pool: asyncpg.Pool, **more: object) -> CallDesk:
    await pool.execute(
        "INSERT INTO staff (name, display_name, role, password_hash, created_at) "
        "VALUES ('wang', '王', 'agent', '', $1)", NOW,
    )
    await pool.execute(
        "INSERT INTO presence (staff, state, since, lease_until) "
        "VALUES ('wang', 'available', $1, now() + '1 hour')", NOW,
    )
    queues = QueueStore(pool)
    return CallDesk(
        reads=CallDeskStore(pool, queues), store=ConsoleStore(pool), callbacks=Callbacks(),  # type: ignore[arg-type]
        note=AuditStore(pool).note, clock=lambda: NOW, new_id=lambda: "out-1", **more,  # type: ignore[arg-type]
    )


async def talking(pool: asyncpg.Pool) -> Call:
    legs = (Leg(channel="c1", role=Role.CITIZEN, name="13800138000", up=True, since=NOW),
            Leg(channel="agent~c1~1~wang", role=Role.AGENT, name="wang", up=True, since=NOW))
    call = Call(id="c1", caller="13800138000", called="12345", queue="general", arrived=NOW, phase=Phase.TALKING,
                agent="wang", legs=legs, asked_at=NOW, answered_at=NOW)
    await TelephoneStore(pool).save(call, now=NOW)
    return call


async def test_supervisors_see_the_floor_without_numbers(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        desk = await house(pool)
        await TelephoneStore(pool).give_phone("wang", "PJSIP/1", {"general": 1})
        await talking(pool)
        floor = (await desk.answer(BOSS, ReadFloor(id=1))).floor
        assert floor is not None
        assert [(row.queue, row.talking, row.waiting, row.available) for row in floor.queues] == [("general", 1, 0, 1)]
        assert [(row.call, row.agent, row.phase) for row in floor.calls] == [("c1", "wang", "talking")]
        assert "13800138000" not in str(floor)


async def test_who_calls_is_masked_and_in_full_for_a_reason_only(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        desk = await house(pool)
        await talking(pool)
        masked = (await desk.answer(WANG, ReadCall(id=1, call="c1"))).card
        full = (await desk.answer(WANG, ReadCall(id=2, call="c1", reason="回拨13900139000核实"))).card
        await desk.answer(WANG, ReadCall(id=2, reason="本人"))  # the call that is under way
        assert masked is not None
        assert full is not None
        assert (masked.phone, masked.masked, full.phone, full.masked) == (
            "+86138****8000", True, "+8613800138000", False)
        li = Staff(name="li", display_name="李", role=StaffRole.AGENT)
        with pytest.raises(Forbidden):
            await desk.answer(li, ReadCall(id=3, call="c1", reason="x"))
        with pytest.raises(NotFound):
            await desk.answer(BOSS, ReadCall(id=4, call="nobody"))
        kept = await pool.fetch("SELECT actor, act, subject, detail::jsonb->>'reason' FROM audit_records ORDER BY id")
        assert [tuple(row) for row in kept] == [
            ("agent:wang", "call.unmask", "c1", why) for why in ("回拨139****9000核实", "本人")
        ]


async def test_an_agent_who_left_a_talk_reads_no_alarm_of_it(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        desk = await house(pool)
        call = await talking(pool)
        await TranscriptStore(pool).alarm(call.id, "110 持刀")

        async def alarm(staff: Staff) -> str:
            news = (await desk.answer(staff, ReadCall(id=1, call=call.id))).news
            return news.alarm if news is not None else "over"

        assert await alarm(WANG) == "110 持刀"
        police = Leg(channel="party~c1~2~110", role=Role.PARTY, name="110", up=True, since=NOW)
        await TelephoneStore(pool).save(msgspec.structs.replace(call, legs=(call.legs[0], police)), now=NOW)
        assert [await alarm(WANG), await alarm(BOSS)] == ["", "110 持刀"]


async def test_a_console_that_comes_back_learns_of_its_call(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        desk = await house(pool)
        assert await desk.answer(WANG, ReadCall(id=1)) == Ok(id=1)
        call = await talking(pool)
        mine = await desk.answer(WANG, ReadCall(id=2))
        assert mine.news == news_of(call)
        assert mine.card is not None
        assert mine.card.masked
        li = Staff(name="li", display_name="李", role=StaffRole.AGENT)
        assert await desk.answer(li, ReadCall(id=3)) == Ok(id=3)
        assert [await desk.caller(one, "c1") for one in (WANG, li, BOSS)] == ["+8613800138000", "", ""]
        assert await desk.caller(WANG, "desk-1-2") == ""
        over = msgspec.structs.replace(call, phase=Phase.OVER, ended_at=NOW, debt=m.Spoken())
        await TelephoneStore(pool).save(over, now=NOW)  # what is still to be noted of it is not the console's matter
        assert await TelephoneStore(pool).under_way() == [over]
        assert await desk.answer(WANG, ReadCall(id=4)) == Ok(id=4)
        assert (await desk.answer(WANG, ReadCall(id=5, call="c1"))).news is None
        floor = (await desk.answer(BOSS, ReadFloor(id=6))).floor
        assert floor is not None
        assert floor.calls == ()


async def test_a_console_that_comes_back_learns_of_the_call_it_is_in_though_one_left_to_110_goes_on(
    database: str,
) -> None:
    async with await open_pool(database, size=4) as pool:
        desk = await house(pool)
        call = await talking(pool)
        police = Leg(channel="party~c2~2~110", role=Role.PARTY, name="110", up=True, since=NOW)
        left = msgspec.structs.replace(call, id="c2", arrived=NOW + timedelta(minutes=5), legs=(call.legs[0], police))
        await TelephoneStore(pool).save(left, now=NOW)
        mine = (await desk.answer(WANG, ReadCall(id=1))).news
        assert mine is not None
        assert mine.call == "c1"
        await TelephoneStore(pool).save(msgspec.structs.replace(call, phase=Phase.OVER, ended_at=NOW), now=NOW)
        last = (await desk.answer(WANG, ReadCall(id=2))).news
        assert last is not None
        assert last.call == "c2", "of which they may have a ticket to write"


async def test_whoever_has_talked_to_a_caller_has_their_number_for_a_ticket(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        desk, store = await house(pool), TelephoneStore(pool)
        call = await talking(pool)
        li, zhao = (Staff(name=name, display_name=name, role=StaffRole.AGENT) for name in ("li", "zhao"))
        waiting = msgspec.structs.replace(call, phase=Phase.WAITING, agent="", requeued_at=NOW)
        ringing = msgspec.structs.replace(waiting, phase=Phase.RINGING, agent="zhao")  # who does not answer
        talking_on = msgspec.structs.replace(call, agent="li", requeued_at=NOW)
        for after in (waiting, ringing, waiting, talking_on, talking_on):
            await store.save(after, now=NOW)
        told = [await desk.caller(one, "c1") for one in (WANG, li, zhao, BOSS)]
        assert told == ["+8613800138000", "+8613800138000", "", ""]
        assert await pool.fetchval("SELECT agents FROM calls") == ["wang", "li"]
        with pytest.raises(Forbidden):
            await desk.answer(WANG, ReadCall(id=1, call="c1", reason="x"))


async def test_who_is_asked_about_a_call_sees_who_calls_masked_and_no_more(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        desk, store = await house(pool), TelephoneStore(pool)
        call = await talking(pool)
        asked = Leg(channel="party~c1~2~li", role=Role.PARTY, name="li", since=NOW, claimed="available")
        await store.save(msgspec.structs.replace(call, legs=(*call.legs, asked), held_since=NOW), now=NOW)
        li = Staff(name="li", display_name="李", role=StaffRole.AGENT)
        for ask in (ReadCall(id=1), ReadCall(id=1, call="c1")):
            seen = await desk.answer(li, ask)
            assert seen.news is not None
            assert (seen.news.agent, seen.news.colleague, seen.words) == ("wang", "li", ())
            assert seen.card is not None
            assert (seen.card.phone, seen.card.masked) == ("+86138****8000", True)
        with pytest.raises(Forbidden):
            await desk.answer(li, ReadCall(id=2, call="c1", reason="看一下"))
        mine = await desk.answer(WANG, ReadCall(id=3))
        assert mine.news is not None
        assert mine.news.colleague == ""
        assert await desk.caller(li, "c1") == "", "a ticket of theirs has not the caller's number"
        await store.save(call, now=NOW)  # the agent is back with the citizen
        assert await desk.answer(li, ReadCall(id=4)) == Ok(id=4)
        with pytest.raises(Forbidden):
            await desk.answer(li, ReadCall(id=5, call="c1"))


async def test_presence_is_forced_by_supervisors_and_audited(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        await house(pool)
        store = ConsoleStore(pool)
        lease = await pool.fetchval("SELECT lease_until FROM presence")
        for state in ("talking", "ringing", "wrap_up", "available"):
            await pool.execute("UPDATE presence SET state = $1, reason = ''", state)
            after = await store.force_presence(
                "wang", PresenceState.NOT_READY, NotReadyReason.MEETING, by="boss", now=NOW
            )
            assert (after.state, after.reason) == ("not_ready", "meeting")
        assert await pool.fetchval("SELECT lease_until FROM presence") == lease
        for state, reason in ((PresenceState.TALKING, None), (PresenceState.NOT_READY, None),
                              (PresenceState.AVAILABLE, NotReadyReason.MEAL)):
            with pytest.raises(HotlineError):
                await store.force_presence("wang", state, reason, by="boss", now=NOW)
        await store.force_presence("wang", PresenceState.OFFLINE, None, by="boss", now=NOW)
        with pytest.raises(HotlineError, match="offline"):
            await store.force_presence("wang", PresenceState.AVAILABLE, None, by="boss", now=NOW)
        assert await pool.fetchval("SELECT count(*) FROM audit_records WHERE act = 'presence.force'") == 5


async def test_without_a_pbx_calls_are_read_and_none_is_steered(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        desk = await house(pool)
        with pytest.raises(Unavailable, match="voice is off"):
            await desk.answer(WANG, OrderCall(id=1, call="c1", act=CallAct.HOLD))
        with pytest.raises(InvalidInput, match="either"):
            await desk.answer(WANG, DialCall(id=2))
        with pytest.raises(InvalidInput, match="dial"):
            await desk.answer(WANG, OrderCall(id=3, call="c1", act=CallAct.DIAL))
        with pytest.raises(InvalidInput, match="number"):
            await desk.answer(WANG, DialCall(id=4, callback=7))


async def test_what_supervisors_ask_of_calls_is_audited(database: str) -> None:
    asked: list[CallOrder] = []

    async def ask(staff: str, order: CallOrder, *, now: datetime) -> None:
        asked.append(order)

    async with await open_pool(database, size=4) as pool:
        desk = await house(pool, ask=ask)
        await desk.answer(BOSS, OrderCall(id=1, call="c1", act=CallAct.LISTEN))
        await desk.answer(WANG, OrderCall(id=2, call="c1", act=CallAct.HOLD))
        assert [(one.act, one.supervisor) for one in asked] == [("listen", True), ("hold", False)]
        kept = await pool.fetch("SELECT actor, act FROM audit_records")
        assert [tuple(row) for row in kept] == [("supervisor:boss", "call.listen")]


async def test_queues_are_kept_by_version_and_known_at_once(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        await house(pool)
        store = QueueStore(pool)
        await store.reload()
        assert store.centre == FIRST
        before = await pool.fetchval("SELECT revision FROM revisions WHERE name = 'queues'")
        centre = Centre(queues={"general": Queue(steps=(Rung(0, "general"),), most=9)})
        await store.keep(centre, {"wang": AgentPhone(endpoint="PJSIP/1", skills={"general": 2})}, by="boss", now=NOW)
        await store.reload()
        assert store.centre == centre
        assert (await store.agents())["wang"].skills == {"general": 2}
        assert await pool.fetchval("SELECT revision FROM revisions WHERE name = 'queues'") > before
        with pytest.raises(InvalidInput, match="nobody"):
            await store.keep(centre, {"nobody": AgentPhone(endpoint="x", skills={})}, by="boss", now=NOW)
        with pytest.raises(InvalidInput, match="default"):
            await store.keep(Centre(queues=centre.queues, default="x"), {}, by="boss", now=NOW)
        assert await pool.fetchval("SELECT count(*) FROM queue_versions") == 1


async def test_how_calls_of_ours_went_is_written_into_the_ledger() -> None:
    told: list[tuple[object, ...]] = []

    class Ledger:
        async def tried(self, id_: int, agent: str, result: str, *, by: str) -> None:
            told.append((id_, agent, result, by))

        async def spoken(self, id_: int, agent: str, *, by: str, since: datetime, number: str) -> None:
            raise IllegalTransition("how it went was told by hand")

    async def act(*_: object, **__: object) -> None:
        raise AssertionError("no ticket is concerned")

    books = CallBooks(Ledger(), act)  # type: ignore[arg-type]
    call = Call(id="out-1", caller="13800138000", called="", queue="", arrived=NOW, agent="wang", callback=7)
    await books.tried(call, 17)
    await books.tried(call, 34)  # no circuit: not the citizen's doing
    await books.spoken(call)
    assert told == [(7, "wang", "busy", "agent:wang")]


async def test_check_says_that_voice_is_off() -> None:
    assert (await CHECKS["voice"](Settings())).startswith("off: voice is off")
    assert (await CHECKS["speech"](Settings())).startswith("off:")
    with pytest.raises(Unavailable):
        await CHECKS["voice"](Settings(ari_url="http://127.0.0.1:9/ari", ari_user="u", ari_password="p"))
    with pytest.raises(Unavailable):
        await CHECKS["speech"](Settings(speech_url="ws://127.0.0.1:9"))
