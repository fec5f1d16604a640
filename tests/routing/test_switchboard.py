"""The queues: the indexed switchboard decides as the plain rule, nobody overtakes, nobody is forgotten."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.queueing import Agent, Assignment, Caller, Ladder, Medium, Rung, Settings, next_assignment
from routing.switchboard import Switchboard

ONE = Settings(queues={"q": Ladder((Rung(0, "a", 5),))})
CENTRE = Settings(
    queues={
        "general": Ladder((Rung(0, "general", 2), Rung(10, "general", 5), Rung(30, "enterprise", 5))),
        "enterprise": Ladder((Rung(0, "enterprise", 1), Rung(15, "enterprise", 3))),
    },
    last_agent_wait=20,
)


class Plain:
    """The same centre by the plain rule, step by step."""

    def __init__(self, rules: Settings) -> None:
        self.rules, self.waiting, self.agents = rules, dict[str, Caller](), dict[str, Agent]()
        self.settled = 0.0

    def settle(self, now: float) -> list[Assignment]:
        done, self.settled = [], now
        while (one := next_assignment(self.waiting, self.agents, self.rules, now=now)) is not None:
            done.append(one)
            del self.waiting[one.caller.id]
            load = one.agent.load + self.rules.cost[one.caller.medium]
            self.agents[one.agent.name] = msgspec.structs.replace(one.agent, load=load)
        return done

    def advance(self, now: float) -> list[Assignment]:
        """Let time pass moment by moment, as the switchboard's alarms do."""
        moments = {
            caller.arrived + after for caller in self.waiting.values()
            for after in (*(rung.after for rung in self.rules.queues[caller.queue].rungs), self.rules.last_agent_wait)
        }
        passed = [moment for moment in sorted(moments) if self.settled < moment <= now]
        return [one for moment in passed for one in self.settle(moment)]


def pairs(done: list[Assignment]) -> list[tuple[str, str]]:
    return [(one.caller.id, one.agent.name) for one in done]


LEVELS = st.dictionaries(st.sampled_from(["general", "enterprise"]), st.integers(1, 5), min_size=1)
Step = tuple[str, int, dict[str, int], float, bool, int]
STEP = st.tuples(st.sampled_from(["arrive", "leave", "ready", "away", "wait"]), st.integers(0, 5), LEVELS,
                 st.sampled_from([0.0, 1.0, 7.0, 15.0]), st.booleans(), st.integers(0, 10**6))


@settings(max_examples=400)
@given(st.lists(STEP, max_size=40))
def test_the_switchboard_decides_as_the_plain_rule(steps: list[Step]) -> None:
    board, plain, now = Switchboard(CENTRE), Plain(CENTRE), 0.0
    for count, (what, who, skills, passed, flag, seed) in enumerate(steps):
        now += passed
        expected, name = plain.advance(now), f"agent{who}"
        match what:
            case "arrive":
                caller = Caller(
                    id=f"c{count}", queue="enterprise" if flag else "general", arrived=now,
                    head_start=float(seed % 3) * 5,
                    medium=Medium.CHAT if seed % 2 else Medium.CALL, last_agent=f"agent{seed % 7}",
                )
                plain.waiting[caller.id] = caller
                done = board.arrive(caller, now=now)
            case "leave":
                gone = random.Random(seed).choice([*plain.waiting, "nobody"])
                done = board.advance(now=now)
                board.leave(gone)
                plain.waiting.pop(gone, None)
                done += board.advance(now=now)  # chats behind a call that has gone
            case "ready":
                left = min(plain.agents[name].load, seed % 3 * 2) if name in plain.agents and flag else 0
                media = frozenset({Medium.CHAT}) if seed % 5 == 0 else frozenset(Medium)
                agent = Agent(name=name, skills=skills, since=now, load=left, media=media)
                plain.agents[name] = agent
                done = board.ready(agent, now=now)
            case "away":
                plain.agents.pop(name, None)
                done = board.away(name, now=now)
            case _:
                done = board.advance(now=now)
        expected += plain.settle(now)
        assert pairs(done) == pairs(expected)
        assert dict(board.waiting) == plain.waiting
        assert dict(board.agents) == plain.agents


def test_the_oldest_goes_first_when_an_agent_frees_up() -> None:
    board = Switchboard(ONE)
    for n in range(5):
        assert board.arrive(Caller(id=f"c{n}", queue="q", arrived=float(n)), now=float(n)) == []
    served = [
        pairs(board.ready(Agent(name="wang", skills={"a": 1}, since=10.0 + n), now=10.0 + n))[0][0] for n in range(5)
    ]
    assert served == [f"c{n}" for n in range(5)]


def test_a_caller_whom_nobody_answered_is_back_at_the_head() -> None:
    board = Switchboard(ONE)
    board.ready(Agent(name="wang", skills={"a": 1}), now=0)
    [first] = board.arrive(Caller(id="first", queue="q", arrived=1), now=1)
    board.arrive(Caller(id="second", queue="q", arrived=2), now=2)
    board.away("wang", now=20)  # did not answer: not ready
    assert board.arrive(first.caller, now=20) == []
    assert pairs(board.ready(Agent(name="li", skills={"a": 1}, since=21), now=21)) == [("first", "li")]


def test_the_last_agent_is_waited_for_but_not_for_ever() -> None:
    board = Switchboard(CENTRE)
    board.ready(Agent(name="busy", skills={"general": 1}, load=6), now=0)
    board.ready(Agent(name="idle", skills={"general": 1}), now=0)
    assert board.arrive(Caller(id="c", queue="general", arrived=1, last_agent="busy"), now=1) == []
    assert board.next_alarm() == 11
    assert board.advance(now=20.9) == []
    assert pairs(board.advance(now=21)) == [("c", "idle")]


def test_the_last_agent_who_goes_sets_their_callers_free() -> None:
    board = Switchboard(CENTRE)
    board.ready(Agent(name="busy", skills={"general": 1}, load=6), now=0)
    board.ready(Agent(name="idle", skills={"general": 1}), now=0)
    board.arrive(Caller(id="c", queue="general", arrived=1, last_agent="busy"), now=1)
    assert pairs(board.away("busy", now=2)) == [("c", "idle")]


def test_skills_relax_as_the_wait_grows_and_then_overflow() -> None:
    board = Switchboard(CENTRE)
    board.ready(Agent(name="learner", skills={"general": 5}), now=0)
    board.ready(Agent(name="desk", skills={"enterprise": 5}), now=0)
    assert board.arrive(Caller(id="one", queue="general", arrived=0), now=0) == []
    assert pairs(board.advance(now=10)) == [("one", "learner")]
    assert board.arrive(Caller(id="two", queue="general", arrived=11), now=11) == []
    assert board.advance(now=40.9) == []
    assert pairs(board.advance(now=41)) == [("two", "desk")]


def test_one_capacity_holds_for_calls_and_chats() -> None:
    board = Switchboard(ONE)
    board.ready(Agent(name="wang", skills={"a": 1}), now=0)
    taken = [board.arrive(Caller(id=f"chat{n}", queue="q", arrived=1, medium=Medium.CHAT), now=1) for n in range(4)]
    assert [len(one) for one in taken] == [1, 1, 1, 0]
    assert board.arrive(Caller(id="call", queue="q", arrived=2), now=2) == []
    assert pairs(board.ready(Agent(name="wang", skills={"a": 1}, since=3, load=4), now=3)) == [("chat3", "wang")]
    assert pairs(board.ready(Agent(name="wang", skills={"a": 1}, since=4), now=4)) == [("call", "wang")]


@given(held=st.lists(st.integers(1, 3), min_size=1, max_size=4), seed=st.integers(0, 10**6))
def test_a_call_waits_for_the_chats_of_its_moment_only(held: list[int], seed: int) -> None:
    """Chats come as fast as others end; once somebody has ended theirs the call is served, and chats go on."""
    rng, board = random.Random(seed), Switchboard(ONE)
    agents = {f"agent{n}": Agent(name=f"agent{n}", skills={"a": 1}, load=2 * one) for n, one in enumerate(held)}
    for agent in agents.values():
        board.ready(agent, now=0)
    board.arrive(Caller(id="call", queue="q", arrived=1), now=1)
    for now in itertools.count(2):
        assert board.arrive(Caller(id=f"chat{now}", queue="q", arrived=now, medium=Medium.CHAT), now=now) == []
        name = rng.choice(list(agents))
        agents[name] = msgspec.structs.replace(agents[name], since=float(now), load=agents[name].load - 2)
        done = board.ready(agents[name], now=now)
        if agents[name].load == 0:
            break
        assert done == []
    assert pairs(done)[0] == ("call", name)
    assert not board.waiting or all(agent.load == 6 for agent in board.agents.values())


def test_only_who_could_serve_the_call_is_given_no_chat() -> None:
    board = Switchboard(CENTRE)
    for name, skills, media in (("able", {"general": 1}, Medium), ("silent", {"general": 1}, {Medium.CHAT}),
                                ("later", {"general": 5}, Medium), ("else", {"enterprise": 1}, Medium)):
        board.ready(Agent(name=name, skills=skills, load=2, media=frozenset(media)), now=0)
    board.arrive(Caller(id="call", queue="general", arrived=1), now=1)

    def chat(id_: str, queue: str = "general", arrived: float = 2) -> list[tuple[str, str]]:
        return pairs(board.arrive(Caller(id=id_, queue=queue, arrived=arrived, medium=Medium.CHAT), now=2))

    assert chat("of another skill", "enterprise") == [("of another skill", "else")]
    assert chat("earlier than the call", arrived=0) == [("earlier than the call", "able")]
    assert chat("to who has no telephone") == [("to who has no telephone", "silent")]
    assert chat("the last place") == [("the last place", "silent")]
    assert chat("behind the call") == []
    assert pairs(board.advance(now=12)) == []  # from now on the call may go to who knows less, and so keeps them too
    board.leave("call")
    assert pairs(board.advance(now=13)) == [("behind the call", "able")]


def test_who_has_no_telephone_is_given_chats_only() -> None:
    board = Switchboard(ONE)
    board.ready(Agent(name="wang", skills={"a": 1}, media=frozenset({Medium.CHAT})), now=0)
    assert board.arrive(Caller(id="call", queue="q", arrived=1), now=1) == []
    chat = Caller(id="chat", queue="q", arrived=2, medium=Medium.CHAT)
    assert pairs(board.arrive(chat, now=2)) == [("chat", "wang")]


def test_equals_never_overtake_and_ranks_never_starve() -> None:
    """Under overload, with a favoured rank arriving all the time, the others are still served, in their order."""
    rng, board, served = random.Random(5), Switchboard(ONE), list[Caller]()
    now = 0.0
    for n in itertools.count():
        now += rng.expovariate(1.0)
        if n == 3000:
            break
        rank = 30.0 if rng.random() < 0.5 else 0.0
        done = board.arrive(Caller(id=f"{n:06}", queue="q", arrived=now, head_start=rank), now=now)
        if n % 2:
            done += board.ready(Agent(name="wang", skills={"a": 1}, since=now), now=now)
        served += [one.caller for one in done]
    for rank in (0.0, 30.0):
        mine = [caller.arrived for caller in served if caller.head_start == rank]
        assert mine == sorted(mine)
    oldest_left = min(caller.turn for caller in board.waiting.values())
    assert all(caller.turn < oldest_left for caller in served)


@pytest.mark.parametrize("rungs", [(), (Rung(1, "a"),), (Rung(0, "a"), Rung(9, "a"), Rung(5, "a")), (Rung(0, "a", 6),)])
def test_a_queue_must_make_sense(rungs: tuple[Rung, ...]) -> None:
    with pytest.raises(ValueError, match=r"steps|levels"):
        Ladder(rungs)
