"""After a gap calls are told what they missed, and nothing that they did not. The PBX is a stand-in in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest

from channels.ari_codec import PbxChannel
from hotline.errors import HotlineError, Unavailable
from hotline.store.database import open_pool
from hotline.store.telephone import TelephoneStore
from hotline.telephone import Telephone
from hotline.telephone_ports import Times
from routing import call_words as m
from routing.call_orders import CallAct, CallOrder
from routing.call_wait import GREETING, TAKEN_DOWN
from routing.callbacks import MissedCall
from routing.calls import Call, Phase, Role
from routing.queue_plan import FIRST, Centre


class Channel(msgspec.Struct, frozen=True):
    """A citizen's channel, or one that was dialled."""

    id: str
    entered: m.Entered | None = None
    state: str = "Up"

    @property
    def dialled_for(self) -> str:
        return PbxChannel(self.id).dialled_for


class Exchange:
    """A PBX that plays for ever, and books that take everything. Of each kind in `lost` it does not answer one."""

    def __init__(self) -> None:
        self.there: dict[str, Channel] = {}
        self.looks = 0
        self.refuses: Callable[[m.PbxAction], bool] = lambda _: False
        self.lost, self.done = list[type[m.PbxAction]](), list[m.PbxAction]()
        self.tells: asyncio.Queue[tuple[str, m.Happening] | None] = asyncio.Queue()
        self.joins, self.joining = asyncio.Event(), False
        self.joins.set()
        self.rooms = dict[str, set[str]]()

    def enter(self, id_: str) -> None:
        entered = m.Entered(id_, "13800138000", "12345")
        self.there[id_] = Channel(id_, entered)
        self.tells.put_nowait((id_, entered))

    def leave(self, id_: str) -> None:
        del self.there[id_]
        self.tells.put_nowait((id_, m.Gone(id_)))

    async def perform(self, action: m.PbxAction) -> bool:
        if type(action) in self.lost:
            self.lost.remove(type(action))
            raise Unavailable("the PBX does not answer")
        if self.refuses(action):
            return False
        if isinstance(action, m.Join):
            self.joining = True
            await self.joins.wait()
        self.done.append(action)
        match action:
            case m.Dial(channel=channel):
                self.there[channel] = Channel(channel, state="Ring")
            case m.Hang(channel=channel):
                self.there.pop(channel, None)
            case m.Join(bridge=bridge, channels=channels):
                self.rooms.setdefault(bridge, set()).update(channels)
            case m.Part(bridge=bridge, channel=channel):
                self.rooms[bridge].remove(channel)
            case m.Dissolve(bridge=bridge):
                self.rooms.pop(bridge, None)
            case _:
                pass
        return True

    async def channels(self) -> Collection[Channel]:
        self.looks += 1
        return list(self.there.values())

    async def bridges(self) -> Mapping[str, Collection[str]]:
        return self.rooms

    async def events(self) -> AsyncIterator[tuple[str, m.Happening] | None]:
        while True:
            yield await self.tells.get()

    async def owe(self, missed: MissedCall, /) -> None: ...

    async def through(self, caller: str, at: datetime, /) -> None: ...

    async def tried(self, call: Call, cause: int, /) -> None: ...

    async def spoken(self, call: Call, /) -> None: ...


class Failing(TelephoneStore):
    """The database is away for the first writing of a call that `fails` tells, and once for what is `lost`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.fails: Callable[[Call], bool] = lambda _: False
        self.lost = set[str]()

    def _answers(self, what: str) -> None:
        if what in self.lost:
            self.lost.remove(what)
            raise Unavailable("the database does not answer")

    async def last_agent(self, caller: str) -> str:
        self._answers("last_agent")
        return await super().last_agent(caller)

    async def set_presence(
        self, agent: str, state: str, *, among: Collection[str], now: datetime, reason: str = "", call: str = ""
    ) -> bool:
        self._answers(state)
        return await super().set_presence(agent, state, among=among, now=now, reason=reason, call=call)

    async def save(self, call: Call, *, now: datetime) -> None:
        if self.fails(call):
            self.fails = lambda _: False
            raise Unavailable("the database does not answer")
        await super().save(call, now=now)


class Floor:
    """Four calls: one is greeted, one told that the queue is full, one that its place is kept, one only waits."""

    def __init__(
        self, pbx: Exchange, store: Failing, pool: asyncpg.Pool, *, ring: float, choose: float = 4.0
    ) -> None:
        self.pbx, self.store, self.pool, self.plan = pbx, store, pool, FIRST
        self.telephone = Telephone(
            pbx=pbx, store=store, books=pbx, clock=lambda: datetime.now(UTC), centre=lambda: self.plan,
            times=Times(tick=0.02, announce=0.0, ring=ring, choose=choose),
        )

    async def fill(self) -> None:
        self.pbx.tells.put_nowait(None)
        for id_ in ("greeted", "refused", "noted", "other"):
            self.pbx.enter(id_)
        for id_ in ("refused", "noted", "other"):
            self.pbx.tells.put_nowait((id_, m.Played(id_, GREETING)))
        self.pbx.tells.put_nowait(("refused", m.Full()))
        self.pbx.tells.put_nowait(("noted", m.Digit("1")))
        await self.until(lambda: "noted" in self.calls and self.calls["noted"].place_kept)

    @property
    def calls(self) -> dict[str, Call]:
        return dict(self.telephone.calls)

    @property
    def waiting(self) -> set[str]:
        """Return who waits in a queue."""
        return set(self.telephone.queues.board.waiting)

    @property
    def played(self) -> list[str]:
        """Return the calls for which something is played."""
        return [id_ for id_, call in self.calls.items() if call.phase is Phase.GREETING or call.playing]

    async def agent(self, name: str) -> None:
        await self.pool.execute(
            "INSERT INTO staff (name, display_name, role, password_hash, created_at) "
            "VALUES ($1, $1, 'agent', '', now())", name,
        )
        await self.store.give_phone(name, f"PJSIP/{name}", {"general": 1})
        await self.pool.execute("INSERT INTO presence VALUES ($1, 'available', '', now(), now() + '1 hour')", name)

    async def with_agent(self, name: str, phase: Phase) -> Call:
        """Wait until an agent has a call in this phase."""
        def found() -> list[Call]:
            return [call for call in self.calls.values() if (call.agent, call.phase) == (name, phase)]

        await self.until(lambda: bool(found()))
        return found()[0]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.01)


@pytest.fixture
async def floor(database: str, request: pytest.FixtureRequest) -> AsyncIterator[Floor]:
    """Parametrised with the seconds that an agent's telephone rings."""
    async with await open_pool(database, size=3) as pool:
        ring = getattr(request, "param", 15.0)
        async with running(Floor(Exchange(), Failing(pool), pool, ring=ring)) as floor:
            await floor.fill()
            assert floor.played == ["greeted", "refused", "noted"]
            yield floor


@asynccontextmanager
async def running(floor: Floor) -> AsyncIterator[Floor]:
    task = asyncio.create_task(floor.telephone.run())
    try:
        yield floor
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_failed_step_of_one_call_ends_no_announcement_of_others(floor: Floor) -> None:
    floor.store.fails = lambda call: call.phase is Phase.OVER
    floor.pbx.leave("other")
    await floor.until(lambda: "other" not in floor.calls)
    assert floor.played == ["greeted", "refused", "noted"]
    assert floor.calls["noted"].playing == TAKEN_DOWN


async def test_a_key_that_could_not_be_written_ends_no_announcement(floor: Floor) -> None:
    floor.store.fails, looks = (lambda call: call.id == "other"), floor.pbx.looks
    floor.pbx.tells.put_nowait(("other", m.Digit("1")))
    await floor.until(lambda: floor.pbx.looks > looks)
    floor.pbx.leave("refused")
    await floor.until(lambda: "refused" not in floor.calls)
    assert floor.played == ["greeted", "noted"]


async def test_the_end_of_an_announcement_that_could_not_be_written_is_told_again(floor: Floor) -> None:
    floor.store.fails = lambda call: call.id == "greeted"
    floor.pbx.tells.put_nowait(("greeted", m.Played("greeted", GREETING)))
    await floor.until(lambda: floor.calls["greeted"].phase is Phase.WAITING)
    assert floor.played == ["refused", "noted"]


async def test_on_a_new_line_every_announcement_may_have_ended_unheard(floor: Floor) -> None:
    floor.store.fails = lambda call: call.id == "noted"
    floor.pbx.tells.put_nowait(None)
    await floor.until(lambda: not floor.played)
    assert {id_: call.phase for id_, call in floor.calls.items()} == dict.fromkeys(
        ["greeted", "noted", "other"], Phase.WAITING
    )


# ── what fails midway strands nobody ─────────────────────────────────────────────────────────────
async def test_who_waits_is_rung_though_the_claim_of_who_came_free_failed(floor: Floor) -> None:
    floor.store.lost = {"ringing"}
    await floor.agent("wang")
    await floor.with_agent("wang", Phase.RINGING)
    assert floor.store.lost == set()


@pytest.mark.parametrize("floor", [0.1], indirect=True)
async def test_whom_nobody_answered_waits_on_though_the_way_back_failed(floor: Floor) -> None:
    floor.store.lost = {"last_agent"}
    await floor.agent("wang")
    await floor.until(lambda: not floor.store.lost)
    await floor.until(lambda: floor.waiting == {"noted", "other"})


async def test_who_is_handed_to_a_skill_group_waits_there_though_that_failed(floor: Floor) -> None:
    await floor.agent("wang")
    call = await floor.with_agent("wang", Phase.RINGING)
    agent = call.of(Role.AGENT)
    assert agent is not None
    floor.pbx.tells.put_nowait((call.id, m.Up(agent.channel)))
    await floor.with_agent("wang", Phase.TALKING)
    floor.store.lost = {"last_agent"}
    order = CallOrder(call=call.id, act=CallAct.TRANSFER, to="queue:general")
    with pytest.raises(HotlineError):
        await floor.store.ask("wang", order, now=datetime.now(UTC))
    await floor.agent("li")
    assert (await floor.with_agent("li", Phase.RINGING)).id == call.id


async def test_who_waits_is_rung_though_a_change_of_the_queues_failed_midway(floor: Floor) -> None:
    floor.store.lost = {"last_agent"}
    floor.plan = Centre(queues=FIRST.queues, last_agent_wait=1.0)
    await floor.until(lambda: not floor.store.lost)
    await floor.agent("wang")
    await floor.with_agent("wang", Phase.RINGING)


# ── what the PBX does not answer ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("lost", [True, False], ids=["not answered", "refused"])
async def test_who_is_not_greeted_waits_all_the_same(floor: Floor, *, lost: bool) -> None:
    if lost:
        floor.pbx.lost = [m.Play]
    else:
        floor.pbx.refuses = lambda action: isinstance(action, m.Play)
    floor.pbx.enter("new")
    await floor.until(lambda: "new" in floor.waiting)


async def test_who_is_not_told_that_there_is_no_room_is_sent_away_all_the_same(floor: Floor) -> None:
    floor.pbx.lost = [m.Play]
    floor.pbx.tells.put_nowait(("other", m.Full()))
    await floor.until(lambda: "other" not in floor.calls)


async def test_what_was_not_answered_is_asked_for_again_once_the_pbx_answers(floor: Floor) -> None:
    await floor.agent("wang")
    call = await floor.with_agent("wang", Phase.RINGING)
    agent = call.of(Role.AGENT)
    assert agent is not None
    floor.pbx.lost = [m.Join, m.Hang]
    floor.pbx.tells.put_nowait((call.id, m.Up(agent.channel)))
    await floor.until(lambda: m.Join(call.bridge, (agent.channel,)) in floor.pbx.done)
    assert floor.pbx.done[-1] == m.Join(call.bridge, (agent.channel,)), "after the others"
    floor.pbx.leave(call.id)
    await floor.until(lambda: m.Hang(agent.channel) in floor.pbx.done)


async def test_what_is_never_answered_is_given_up(floor: Floor) -> None:
    floor.pbx.lost = [m.Hang] * 5
    floor.pbx.tells.put_nowait(("other", m.HangUp()))
    looks = floor.pbx.looks
    await floor.until(lambda: floor.pbx.looks >= looks + 4)
    assert len(floor.pbx.lost) == 1, "once, and three times more"
    floor.pbx.enter("new")
    await floor.until(lambda: "new" in floor.calls)


# ── nobody is left on a line ─────────────────────────────────────────────────────────────────────
async def test_a_talk_that_was_written_and_not_begun_is_begun_by_who_takes_over(floor: Floor) -> None:
    """Whoever steered before was killed between the writing of the step and its carrying out."""
    await floor.agent("wang")
    call = await floor.with_agent("wang", Phase.RINGING)
    agent = call.of(Role.AGENT)
    assert agent is not None
    floor.pbx.tells.put_nowait((call.id, m.Up(agent.channel)))
    await floor.until(lambda: floor.pbx.rooms == {call.bridge: {call.id, agent.channel}})
    floor.pbx.rooms, before = {}, len(floor.pbx.done)
    floor.pbx.tells.put_nowait(None)
    await floor.until(lambda: floor.pbx.rooms == {call.bridge: {call.id, agent.channel}})
    await floor.until(lambda: m.Record(call.bridge, call.id) in floor.pbx.done[before:])
    begun = len(floor.pbx.done)
    floor.pbx.tells.put_nowait(None)
    await floor.until(lambda: len(floor.pbx.done) > begun)
    assert floor.pbx.done[begun:] == [m.Record(call.bridge, call.id)], "who talks is not touched"


async def test_the_bridge_of_a_talk_that_is_over_is_taken_away(floor: Floor) -> None:
    floor.pbx.leave("other")
    await floor.until(lambda: "other" not in floor.calls)
    floor.pbx.rooms = {"bridge~other": set(), "ear~other": set(), "bridge~foreign": set(), "supervisor~x~tap": set()}
    floor.pbx.tells.put_nowait(None)
    await floor.until(lambda: set(floor.pbx.rooms) == {"bridge~foreign", "supervisor~x~tap"})


async def test_who_was_rung_for_a_call_that_wants_them_no_more_is_let_go(floor: Floor) -> None:
    """Whoever steered before was killed between the writing of a step and its carrying out."""
    await floor.agent("wang")
    agent = (await floor.with_agent("wang", Phase.RINGING)).of(Role.AGENT)
    assert agent is not None
    floor.pbx.leave("refused")
    await floor.until(lambda: "refused" not in floor.calls)
    left = ["agent~refused~1~li", "supervisor~other~4~chen", "party~noted~2~110"]
    foreign = "agent~unknown~1~wu"
    tap = "supervisor~other~tap~citizen"
    heard = [f"{tap}~ear", f"{tap}~out", "supervisor~other~4~chen~listen~ear"]
    for id_ in [*left, *heard, foreign]:
        floor.pbx.there[id_] = Channel(id_)
    floor.pbx.tells.put_nowait(None)
    await floor.until(lambda: not set(left) & floor.pbx.there.keys())
    assert {agent.channel, *heard} <= floor.pbx.there.keys(), "who is wanted, and what is heard by, stays"
    assert foreign in floor.pbx.there, "another hotline on the same PBX rang them"


@pytest.mark.parametrize("call", ["other", "over"])
async def test_who_picks_up_after_they_were_given_up_is_let_go(floor: Floor, call: str) -> None:
    late = f"party~{call}~1~110"
    floor.pbx.there[late] = Channel(late)
    floor.pbx.tells.put_nowait((call, m.Up(late)))
    await floor.until(lambda: late not in floor.pbx.there)
    assert floor.pbx.done[-1] == m.Hang(late)


async def test_a_step_under_way_comes_to_its_end_when_the_process_is_stopped(database: str) -> None:
    async with await open_pool(database, size=3) as pool:
        floor = Floor(Exchange(), Failing(pool), pool, ring=15.0)
        steering = asyncio.create_task(floor.telephone.run())
        await floor.fill()
        await floor.agent("wang")
        call = await floor.with_agent("wang", Phase.RINGING)
        agent = call.of(Role.AGENT)
        assert agent is not None
        floor.pbx.joins.clear()
        floor.pbx.tells.put_nowait((call.id, m.Up(agent.channel)))
        await floor.until(lambda: floor.pbx.joining)
        steering.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        floor.pbx.joins.set()
        await asyncio.gather(steering, return_exceptions=True)
    assert m.Join(call.bridge, (call.id,)) in floor.pbx.done
    assert m.Record(call.bridge, call.id) in floor.pbx.done


async def test_a_pbx_that_does_not_answer_holds_nobody_up_who_stops(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotline.telephone.LAST_STEP", 0.01)
    async with await open_pool(database, size=3) as pool:
        floor = Floor(Exchange(), Failing(pool), pool, ring=15.0)
        floor.pbx.joins.clear()
        async with running(floor):
            await floor.fill()
            await floor.agent("wang")
            call = await floor.with_agent("wang", Phase.RINGING)
            floor.pbx.tells.put_nowait((call.id, m.Up(call.legs[-1].channel)))
            await floor.until(lambda: floor.pbx.joining)
    assert m.Record(call.bridge, call.id) not in floor.pbx.done
