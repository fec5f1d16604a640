"""The call's way: told stories, and whatever happens nobody is left on a line, no agent stays busy, no call is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.errors import IllegalTransition
from routing import call_words as m
from routing.call_causes import RANG_OUT, UNKNOWN
from routing.call_news import news_of
from routing.call_wait import FULL, Preview, Reception, enter, is_kept, place
from routing.callflow import step
from routing.calls import Call, Direction, Ear, Phase, Role

START = datetime(2026, 11, 21, 9, tzinfo=UTC)


class Story:
    """A call as it goes, with everything that was to be done."""

    def __init__(self, menu: dict[str, str] | None = None, *, caller: str = "+8613800000000") -> None:
        self.now = START
        self.call, actions = enter(
            m.Entered("c1", caller, "12345"), now=START,
            reception=Reception(queue="general", menu=menu or {}),
        )
        self.done: list[m.Action] = list(actions)

    def tell(self, *events: m.Happening) -> Self:
        for event in events:
            self.now += timedelta(seconds=1)
            self.call, actions = step(self.call, event, now=self.now)
            self.done += actions
        return self

    def channel(self, role: Role) -> str:
        leg = self.call.of(role)
        assert leg is not None
        return leg.channel

    def up(self, role: Role) -> Self:
        return self.tell(m.Up(self.channel(role)))

    def gone(self, role: Role) -> Self:
        return self.tell(m.Gone(self.channel(role)))

    def talking(self) -> Self:
        return self.tell(m.Played("c1"), m.Assigned("wang", "PJSIP/wang")).up(Role.AGENT)

    def of(self, kind: type) -> list[m.Action]:
        return [action for action in self.done if isinstance(action, kind)]


def test_a_call_is_greeted_queued_answered_recorded_and_ended() -> None:
    story = Story().talking()
    agent = story.channel(Role.AGENT)
    assert story.done == [
        m.Answer("c1"), m.Play("c1", "hotline-greeting"), m.Music("c1", on=True), m.Enqueue(first=True),
        m.Dial(agent, "PJSIP/wang", "+8613800000000"), m.Music("c1", on=False), m.Join("bridge~c1", (agent,)),
        m.Join("bridge~c1", ("c1",)), m.Record("bridge~c1", "c1"),
    ]
    story.gone(Role.CITIZEN)
    assert story.call.phase is Phase.OVER
    assert story.done[-3:] == [m.Hang(agent), m.Free("wang", talked=True), m.Dissolve("bridge~c1")]
    assert story.call.answered_at == START + timedelta(seconds=3)


def test_who_hangs_up_while_waiting_is_owed_a_call() -> None:
    story = Story().tell(m.Played("c1")).gone(Role.CITIZEN)
    assert story.done[-2:] == [m.Dequeue(), m.Missed()]
    assert story.call.debt == m.Missed(), "written with the end of the call"


def test_nobody_answers_and_the_place_is_kept() -> None:
    story = Story().tell(m.Played("c1"), m.Assigned("wang", "PJSIP/wang"))
    arrived, ringing = story.call.arrived, story.channel(Role.AGENT)
    story.tell(m.RungOut(ringing))
    assert story.done[-3:] == [m.Hang(ringing), m.Free("wang", talked=False, failed=True), m.Enqueue()]
    assert (story.call.phase, story.call.arrived) == (Phase.WAITING, arrived)
    assert story.tell(m.Assigned("li", "PJSIP/li")).up(Role.AGENT).call.agent == "li"


def test_hold_is_music_and_counted() -> None:
    story = Story().talking().tell(m.Hold(), m.Resume())
    assert story.done[-4:] == [
        m.Part("bridge~c1", "c1"), m.Music("c1", on=True), m.Music("c1", on=False), m.Join("bridge~c1", ("c1",)),
    ]
    assert story.call.held == 1.0


@pytest.mark.parametrize("leaves", [m.HangUp(), m.Gone("c1")])
def test_the_hold_in_which_a_call_ends_is_counted(leaves: m.Happening) -> None:
    story = Story().talking().tell(m.Hold(), leaves)
    assert (story.call.phase, story.call.held, story.call.held_since) == (Phase.OVER, 1.0, None)


def test_one_touch_transfer_leaves_only_when_the_desk_answers() -> None:
    story = Story().talking().tell(m.Transfer("110", "outside:110"))
    assert not story.of(m.Free)
    story.up(Role.PARTY)
    assert story.of(m.Free) == [m.Free("wang", talked=True)]
    assert {leg.role for leg in story.call.legs} == {Role.CITIZEN, Role.PARTY}
    assert story.gone(Role.PARTY).call.phase is Phase.OVER


def test_a_transfer_that_nobody_answers_stays_with_the_agent() -> None:
    away = m.Transfer("22830000", "outside:+8676922830000")
    story = Story().talking().tell(away)
    story.tell(m.RungOut(story.channel(Role.PARTY)))
    assert {leg.role for leg in story.call.legs} == {Role.CITIZEN, Role.AGENT}
    assert (story.of(m.Free), story.call.unanswered) == ([], ())
    story.tell(away)  # once more


@pytest.mark.parametrize("silence", [m.RungOut, m.Gone])
@pytest.mark.parametrize("order", [m.Transfer, m.Consult, m.Conference])
def test_an_emergency_desk_that_does_not_pick_up_is_rung_once_more_by_itself(
    order: type[m.Transfer | m.Consult | m.Conference], silence: type[m.RungOut | m.Gone]
) -> None:
    story = Story().talking().tell(order("110", "outside:110"))
    held, first = story.call.held_since, story.channel(Role.PARTY)
    story.tell(silence(first))
    again = story.channel(Role.PARTY)
    assert again != first
    assert story.done[-1] == m.Dial(again, "outside:110", story.call.caller)
    assert (story.call.unanswered, story.call.held_since) == (("110",), held)
    assert story.call.transferring is (order is m.Transfer)
    story.tell(silence(again))
    assert story.call.unanswered == ("110", "110")
    assert {leg.role for leg in story.call.legs} == {Role.CITIZEN, Role.AGENT}
    assert (story.call.held_since, story.call.transferring) == (None, False)
    assert story.tell(order("119", "outside:119")).up(Role.PARTY).call.unanswered == ("110", "110")


def test_who_gives_an_emergency_desk_up_rings_it_no_more() -> None:
    story = Story().talking().tell(m.Conference("110", "outside:110"), m.DropParty())
    assert (story.call.of(Role.PARTY), story.call.unanswered) == (None, ())
    there = Story().talking().tell(m.Conference("110", "outside:110")).up(Role.PARTY).gone(Role.PARTY)
    assert (there.call.of(Role.PARTY), there.call.unanswered) == (None, ())


# ── the agent leaves before who is to take the call picks up ────────────────────────────────────
LEAVES = pytest.mark.parametrize("leaves", [lambda story: story.gone(Role.AGENT), lambda story: story.tell(m.HangUp())],
                                 ids=["hangs up", "by the console"])


@LEAVES
def test_who_is_handed_over_hears_music_and_stays_when_the_agent_leaves(leaves: Callable[[Story], Story]) -> None:
    story = leaves(Story().talking().tell(m.Transfer("22830000", "outside:+8676922830000")))
    assert story.of(m.Free) == [m.Free("wang", talked=True)]
    assert story.done[-2:] == [m.Part("bridge~c1", "c1"), m.Music("c1", on=True)]
    assert (story.call.phase, story.call.of(Role.AGENT)) == (Phase.TALKING, None)
    party = story.channel(Role.PARTY)
    story.up(Role.PARTY)
    assert story.done[-3:] == [
        m.Join("bridge~c1", (party,)), m.Music("c1", on=False), m.Join("bridge~c1", ("c1",)),
    ]
    assert story.gone(Role.PARTY).call.phase is Phase.OVER


@LEAVES
def test_a_colleague_who_picks_up_after_the_agent_has_left_has_the_call(leaves: Callable[[Story], Story]) -> None:
    story = leaves(Story().talking().tell(m.Consult("li", "PJSIP/li", "available"), m.Transfer())).up(Role.PARTY)
    assert (story.call.agent, {leg.role for leg in story.call.legs}) == ("li", {Role.CITIZEN, Role.AGENT})
    assert (story.call.held_since, story.call.transferring) == (None, False)
    assert story.gone(Role.CITIZEN).of(m.Free)[-1] == m.Free("li", talked=True)


@LEAVES
@pytest.mark.parametrize("silence", [m.RungOut, m.Gone])
def test_whom_nobody_takes_over_waits_again_by_their_arrival(
    silence: type[m.RungOut | m.Gone], leaves: Callable[[Story], Story]
) -> None:
    story = leaves(Story().talking().tell(m.Transfer("li", "PJSIP/li", "available")))
    arrived = story.call.arrived
    story.tell(silence(story.channel(Role.PARTY)))
    assert (story.call.phase, story.call.agent, story.call.arrived) == (Phase.WAITING, "", arrived)
    assert [leg.role for leg in story.call.legs] == [Role.CITIZEN]
    assert m.Enqueue() in story.done
    assert m.Free("li", talked=False, failed=True, back="available") in story.of(m.Free)
    story.tell(m.Assigned("zhao", "PJSIP/zhao")).up(Role.AGENT)
    assert (story.call.phase, story.call.agent) == (Phase.TALKING, "zhao")


@LEAVES
def test_an_emergency_desk_is_rung_once_more_though_the_agent_has_left(leaves: Callable[[Story], Story]) -> None:
    story = leaves(Story().talking().tell(m.Transfer("110", "outside:110")))
    first = story.channel(Role.PARTY)
    story.tell(m.RungOut(first))
    assert story.channel(Role.PARTY) != first
    story.tell(m.RungOut(story.channel(Role.PARTY)))
    assert (story.call.phase, story.call.unanswered) == (Phase.WAITING, ("110", "110"))


@pytest.mark.parametrize("order", [m.Conference("110", "outside:110"), m.Consult("110", "outside:110")])
@pytest.mark.parametrize("leaves", [lambda one: one.tell(m.HangUp()), lambda one: one.gone(Role.AGENT)])
def test_an_agent_who_hangs_up_leaves_the_citizen_with_the_emergency_desk(
    order: m.Order, leaves: Callable[[Story], Story]
) -> None:
    story = leaves(Story().talking().tell(order).up(Role.PARTY))
    assert story.call.phase is Phase.TALKING
    assert [(leg.role, leg.away) for leg in story.call.legs] == [(Role.CITIZEN, False), (Role.PARTY, False)]
    assert story.of(m.Free) == [m.Free("wang", talked=True)]
    assert story.tell(m.HangUp(own=True)).call.phase is Phase.TALKING, "pressed twice, or the receiver was quicker"
    assert story.tell(m.HangUp()).call.phase is Phase.OVER, "a supervisor ends it"


def test_an_agent_who_hangs_up_ends_a_talk_with_a_desk_that_rings_or_that_the_citizen_has_left() -> None:
    ringing = Story().talking().tell(m.Conference("110", "outside:110"))
    assert ringing.tell(m.HangUp()).call.phase is Phase.OVER
    alone = Story().talking().tell(m.Conference("110", "outside:110")).up(Role.PARTY).gone(Role.CITIZEN)
    assert alone.tell(m.HangUp()).call.phase is Phase.OVER


@pytest.mark.parametrize("key", [m.HangUp(), m.HangUp(own=True)])
def test_who_leaves_a_hand_over_and_hangs_up_once_more_ends_it(key: m.HangUp) -> None:
    story = Story().talking().tell(m.Transfer("110", "outside:110"), key, key)
    assert story.call.phase is Phase.OVER


def test_consulting_holds_the_citizen_and_transfer_completes_it() -> None:
    story = Story().talking().tell(m.Consult("li", "PJSIP/li")).up(Role.PARTY)
    assert story.call.held_since is not None
    story.tell(m.Transfer())
    assert story.call.held_since is None
    assert {leg.role for leg in story.call.legs} == {Role.CITIZEN, Role.PARTY}
    assert story.done[-2:] == [m.Hang("agent~c1~1~wang"), m.Free("wang", talked=True)]


def test_consulting_can_be_given_up() -> None:
    story = Story().talking().tell(m.Consult("li", "PJSIP/li")).up(Role.PARTY).tell(m.DropParty())
    assert {leg.role for leg in story.call.legs} == {Role.CITIZEN, Role.AGENT}
    assert story.call.held_since is None


# ── colleagues ───────────────────────────────────────────────────────────────────────────────────
CONSULT = m.Consult("li", "PJSIP/li", "not_ready meal")
FREED = m.Free("li", talked=False, back="not_ready meal")


def test_a_colleague_is_freed_when_the_agent_goes_back_to_the_citizen() -> None:
    story = Story().talking().tell(CONSULT).up(Role.PARTY)
    assert not story.of(m.Free)
    assert story.tell(m.DropParty()).of(m.Free) == [FREED]


def test_a_colleague_who_does_not_answer_or_vanishes_is_freed() -> None:
    silent = Story().talking().tell(CONSULT)
    silent.tell(m.RungOut(silent.channel(Role.PARTY)))
    assert silent.of(m.Free) == [m.Free("li", talked=False, failed=True, back="not_ready meal")]
    assert Story().talking().tell(CONSULT).up(Role.PARTY).gone(Role.PARTY).of(m.Free) == [FREED]


def test_a_colleague_stays_claimed_while_the_agent_talks_to_them_without_the_citizen() -> None:
    story = Story().talking().tell(CONSULT).up(Role.PARTY).gone(Role.CITIZEN)
    assert not story.of(m.Free)
    assert set(map(str, story.gone(Role.AGENT).of(m.Free))) == {str(m.Free("wang", talked=True)), str(FREED)}


def test_a_colleague_is_freed_when_everybody_is_hung_up() -> None:
    story = Story().talking().tell(CONSULT).up(Role.PARTY).tell(m.HangUp())
    assert FREED in story.of(m.Free)
    assert len(story.of(m.Free)) == 2


@pytest.mark.parametrize("way", ["transfer", "one touch", "leave", "phone lost"])
def test_who_takes_over_is_the_agent_with_all_that_an_agent_may_do(way: str) -> None:
    story = Story().talking()
    match way:
        case "transfer":
            story.tell(CONSULT).up(Role.PARTY).tell(m.Transfer())
        case "one touch":
            story.tell(m.Transfer("li", "PJSIP/li", "available")).up(Role.PARTY)
        case "leave":
            story.tell(m.Conference("li", "PJSIP/li", "available")).up(Role.PARTY).tell(m.Leave())
        case _:
            story.tell(CONSULT).up(Role.PARTY).gone(Role.AGENT)
    assert story.of(m.Free) == [m.Free("wang", talked=True)]
    assert (story.call.agent, {leg.role for leg in story.call.legs}) == ("li", {Role.CITIZEN, Role.AGENT})
    assert story.call.held_since is None
    story.tell(m.Hold(), m.Resume(), m.Consult("110", "outside:110"), m.DropParty()).gone(Role.CITIZEN)
    assert story.of(m.Free)[-1] == m.Free("li", talked=True)
    assert story.call.phase is Phase.OVER


def test_nobody_leaves_a_colleague_alone_when_the_citizen_has_gone() -> None:
    story = Story().talking().tell(m.Conference("li", "PJSIP/li", "available")).up(Role.PARTY).gone(Role.CITIZEN)
    assert story.tell(m.Leave()).call.phase is Phase.OVER


def test_a_supervisor_who_listens_is_freed_with_the_talk() -> None:
    story = Story().talking().tell(m.Supervise("chen", "PJSIP/chen", Ear.LISTEN, "available")).up(Role.SUPERVISOR)
    assert m.Free("chen", talked=False, back="available") in story.gone(Role.CITIZEN).of(m.Free)


@pytest.mark.parametrize("first", [Role.CITIZEN, Role.AGENT, Role.PARTY])
@pytest.mark.parametrize("then", [0, 1])
def test_in_a_three_way_call_any_party_may_leave_first(first: Role, then: int) -> None:
    story = Story().talking().tell(m.Conference("110", "outside:110")).up(Role.PARTY).gone(first)
    assert story.call.phase is Phase.TALKING
    assert {leg.role for leg in story.call.legs} == {Role.CITIZEN, Role.AGENT, Role.PARTY} - {first}
    others = [role for role in (Role.CITIZEN, Role.AGENT, Role.PARTY) if role is not first]
    assert story.gone(others[then]).call.phase is Phase.OVER
    assert len(story.of(m.Free)) == 1


def test_who_keeps_their_place_is_rung_back_in_their_turn() -> None:
    story = Story().tell(m.Played("c1"), m.Digit("1")).gone(Role.CITIZEN)
    assert story.call.phase is Phase.WAITING
    story.tell(m.Assigned("wang", "PJSIP/wang")).up(Role.AGENT)
    back = story.channel(Role.CITIZEN)
    assert story.done[-1] == m.Dial(back, "outside:+8613800000000", "+8613800000000")
    story.tell(m.Up(back))
    assert (story.call.phase, story.done[-2]) == (Phase.TALKING, m.Join("bridge~c1", (back,)))
    assert not story.of(m.Missed)


@pytest.mark.parametrize("caller", [
    "13800138000", "013800138000", "008613800138000", "sip:13800138000@192.0.2.1", "13800138000@elsewhere.example",
])
def test_who_kept_their_place_is_rung_in_the_form_in_which_all_are(caller: str) -> None:
    """A trunk takes one form; and what a caller has put into their number leads nowhere else."""
    story = Story(caller=caller).tell(m.Played("c1"), m.Digit("1")).gone(Role.CITIZEN)
    story.tell(m.Assigned("wang", "PJSIP/wang")).up(Role.AGENT)
    assert story.done[-1] == m.Dial(story.channel(Role.CITIZEN), "outside:+8613800138000", caller)
    assert story.channel(Role.CITIZEN) == "citizen~c1~2~%2B8613800138000"


def test_who_does_not_answer_the_call_back_is_still_owed_one() -> None:
    story = Story().tell(m.Played("c1"), m.Digit("1")).gone(Role.CITIZEN)
    story.tell(m.Assigned("wang", "PJSIP/wang")).up(Role.AGENT)
    story.tell(m.RungOut(story.channel(Role.CITIZEN)))
    assert story.of(m.Missed)
    assert story.of(m.Free) == [m.Free("wang", talked=False)]


@pytest.mark.parametrize("caller", ["", "anonymous", "101"])
def test_who_cannot_be_rung_back_is_not_promised_it(caller: str) -> None:
    story = Story(caller=caller).tell(m.Played("c1"))
    before = len(story.done)
    story.tell(m.Digit("1"))
    assert (story.done[before:], story.call.place_kept) == ([], False)
    assert story.gone(Role.CITIZEN).call.phase is Phase.OVER


def test_a_place_is_kept_until_they_are_there_again() -> None:
    story = Story().tell(m.Played("c1"), m.Digit("1"))
    assert not is_kept(story.call)
    story.gone(Role.CITIZEN)
    assert is_kept(story.call)
    story.tell(m.Assigned("wang", "PJSIP/wang")).up(Role.AGENT)
    assert is_kept(story.call)
    assert not is_kept(story.up(Role.CITIZEN).call)


@pytest.mark.parametrize("order", [m.Hold(), m.Consult("li", "x"), m.Transfer("110", "x"), m.Leave(), m.DropParty()])
def test_what_needs_a_talk_is_refused_before_it(order: m.Order) -> None:
    with pytest.raises(IllegalTransition):
        Story().tell(m.Played("c1"), order)


@pytest.mark.parametrize(("ear", "whisper"), [(Ear.LISTEN, False), (Ear.WHISPER, True)])
def test_a_supervisor_listens_beside_the_talk(ear: Ear, whisper: bool) -> None:
    story = Story().talking().tell(m.Supervise("chen", "PJSIP/chen", ear))
    supervisor, agent = story.channel(Role.SUPERVISOR), story.channel(Role.AGENT)
    story.tell(m.Up(supervisor))
    assert story.done[-2:] == [
        m.Snoop(agent, f"{supervisor}~{ear}~ear", whisper), m.Join("ear~c1", (supervisor, f"{supervisor}~{ear}~ear")),
    ]
    story.tell(m.Transfer("110", "outside:110")).up(Role.PARTY)
    assert story.call.of(Role.SUPERVISOR) is None  # nothing is left to listen to


def test_a_supervisor_barges_in_and_stays() -> None:
    story = Story().talking().tell(m.Supervise("chen", "PJSIP/chen", Ear.BARGE)).up(Role.SUPERVISOR)
    assert story.done[-1] == m.Join("bridge~c1", (story.channel(Role.SUPERVISOR),))


def test_a_supervisor_goes_on_in_another_way_on_the_same_line() -> None:
    story = Story().talking().tell(m.Supervise("chen", "PJSIP/chen", Ear.LISTEN)).up(Role.SUPERVISOR)
    supervisor, agent = story.channel(Role.SUPERVISOR), story.channel(Role.AGENT)
    heard = len(story.done)
    story.tell(*(m.Supervise("chen", "PJSIP/chen", ear) for ear in (Ear.LISTEN, Ear.WHISPER, Ear.BARGE, Ear.LISTEN)))
    listen, whisper = f"{supervisor}~listen~ear", f"{supervisor}~whisper~ear"
    assert story.done[heard:] == [
        m.Part("ear~c1", supervisor), m.Hang(listen),
        m.Snoop(agent, whisper, True), m.Join("ear~c1", (supervisor, whisper)),
        m.Part("ear~c1", supervisor), m.Hang(whisper), m.Dissolve("ear~c1"), m.Join("bridge~c1", (supervisor,)),
        m.Part("bridge~c1", supervisor), m.Snoop(agent, listen, False), m.Join("ear~c1", (supervisor, listen)),
    ]
    assert [one.ear for one in news_of(story.call).parties] == [None, None], "who only listens is not told of"
    with pytest.raises(IllegalTransition):
        story.tell(m.Supervise("li", "PJSIP/li", Ear.LISTEN))


ORDERS = st.sampled_from([
    m.Hold(), m.Resume(), m.Consult("li", "PJSIP/li"), m.Conference("110", "outside:110"), m.Transfer("z", "PJSIP/z"),
    m.Transfer(), m.DropParty(), m.Leave(), m.HangUp(), m.Supervise("chen", "x", Ear.LISTEN),
    m.Supervise("chen", "x", Ear.BARGE), m.Supervise("chen", "x", Ear.WHISPER), m.Supervise("boss", "y", Ear.LISTEN),
    m.Supervise("ann", "x", Ear.LISTEN, "available"), m.Supervise("ann", "x", Ear.BARGE, "available"),
    m.Consult("ann", "x", "available"), m.Conference("ann", "x", "wrap_up"), m.Transfer("ann", "x", "available"),
    m.Played("c1"), m.Digit("1"), m.Digit("5"), m.Told(("hotline-next",)), m.Played("c1", "hotline-next"), m.Full(),
    m.Played("c1", FULL), m.Chosen("yue", "yue"), m.Unchosen(), m.Move("enterprise"), m.Requeue("enterprise"),
    m.Assigned("wang", "PJSIP/wang"), m.Assigned("li", "PJSIP/li"),
])
ON_A_LEG = st.tuples(st.sampled_from([m.Up, m.Gone, m.RungOut]), st.integers(0, 5))


def outgoing() -> Story:
    """A call of ours: the agent's telephone rings."""
    story = Story()
    preview = Preview(call="out", agent="wang", endpoint="PJSIP/wang", number="+8613800138000", callback=7)
    story.call, actions = place(preview, now=START)
    story.done = list(actions)
    return story


@settings(max_examples=500)
@given(st.lists(ORDERS | ON_A_LEG, max_size=30), st.sampled_from([{}, {"1": "zh", "2": "yue"}, None]))
def test_whatever_happens_nobody_is_left(
    events: list[m.Happening | tuple[type, int]], menu: dict[str, str] | None
) -> None:
    """Without a menu, with one, and (None) a call of ours."""
    story = outgoing() if menu is None else Story(menu)
    for event in events:
        if isinstance(event, tuple):
            kind, which = event
            channels = _channels(story)
            event = kind(channels[which % len(channels)])
        before = story.call
        try:
            story.tell(event)
        except IllegalTransition:
            continue
        _holds(story)
        assert not _cut_off(before, event, story.call)
    story.tell(*(m.Gone(leg.channel) for leg in story.call.legs))
    story.tell(*(m.Gone(leg.channel) for leg in story.call.legs))
    if not story.call.place_kept:
        assert story.call.phase is Phase.OVER
    _holds(story)


def _channels(story: Story) -> list[str]:
    """Return what the PBX has had of the call."""
    rung = [one.channel for one in story.of(m.Dial) if isinstance(one, m.Dial)]
    return [story.call.id, *rung] if story.call.direction is Direction.IN else rung


def _cut_off(before: Call, event: m.Happening, after: Call) -> bool:
    """Tell whether a citizen who was there is hung up as an agent, or who was to take over, does not answer."""
    silent = before.leg(event.channel) if isinstance(event, m.RungOut) else None
    citizen = before.of(Role.CITIZEN)
    return (
        silent is not None and silent.role in (Role.AGENT, Role.PARTY) and citizen is not None and citizen.up
        and after.phase is Phase.OVER
    )


def _holds(story: Story) -> None:
    call: Call = story.call
    played = [one.channel for one in story.done if isinstance(one, m.Play | m.Hush | m.Music)]
    assert set(played) <= set(_channels(story)), "what is told is told to a channel that there is"
    assigned = [one.channel for one in story.of(m.Dial) if isinstance(one, m.Dial) and one.channel.startswith("agent~")]
    busy = [leg for leg in call.legs if leg.role is Role.AGENT and leg.name != "ann"]
    freed = [one for one in story.of(m.Free) if isinstance(one, m.Free) and one.agent != "ann"]
    claimed = [one for one in story.of(m.Dial) if isinstance(one, m.Dial) and one.channel.endswith("~ann")]
    let_go = [one for one in story.of(m.Free) if isinstance(one, m.Free) and one.agent == "ann"]
    assert len(let_go) + sum(leg.name == "ann" for leg in call.legs) == len(claimed)
    refused = len(freed) + len(busy) - len(assigned)  # an agent who came too late is freed without being rung
    assert refused >= 0
    assert sum(leg.role is Role.AGENT for leg in call.legs) <= 1
    assert len({leg.role for leg in call.legs}) == len(call.legs)
    assert (call.phase is Phase.OVER) == (call.ended_at is not None)
    if call.phase is Phase.OVER:
        assert not call.legs
        ours = call.direction is Direction.OUT
        assert ours or call.answered_at is not None or story.of(m.Missed)
        assert not ours or (call.answered_at is not None) == isinstance(call.debt, m.Spoken | m.Missed)
        assert len(story.of(m.Missed)) <= 1
    assert [one for one in story.done if isinstance(one, m.Debt)] == ([call.debt] if call.debt is not None else [])
    assert (call.held_since is not None) == any(leg.away for leg in call.legs)


# ── waiting ──────────────────────────────────────────────────────────────────────────────────────
def test_what_is_told_takes_the_place_of_the_music() -> None:
    story = Story().tell(m.Played("c1"), m.Told(("hotline-position", "hotline-n2")))
    assert story.done[-2:] == [m.Music("c1", on=False), m.Play("c1", "hotline-position", ("hotline-n2",))]
    before = len(story.done)
    assert len(story.tell(m.Told(("hotline-next",))).done) == before  # nothing is told into what is being told
    story.tell(m.Digit("1"))
    assert story.done[-2:] == [m.Hush("c1", "hotline-position"), m.Play("c1", "hotline-callback")]
    story.tell(m.Played("c1", "hotline-position"))  # the PBX says so late
    assert story.done[-1] == m.Play("c1", "hotline-callback")
    assert story.tell(m.Played("c1", "hotline-callback")).done[-1] == m.Music("c1", on=True)


def test_a_key_that_is_pressed_again_does_not_begin_anew_what_it_tells() -> None:
    """Of two sounds of one name the end of the first would be taken for that of the second, and nobody stop that."""
    story = Story().tell(m.Played("c1"), m.Digit("1"))
    before = len(story.done)
    assert story.tell(m.Digit("1"), m.Digit("1")).done[before:] == []
    story.tell(m.Played("c1", "hotline-callback"), m.Digit("1"))
    assert story.done[-1] == m.Play("c1", "hotline-callback"), "who asks again is told again"


def test_the_key_counts_also_while_an_agent_is_rung() -> None:
    """An announcement that tells of it may still be playing, and the agent may not pick up."""
    story = Story().tell(m.Played("c1"), m.Told(("hotline-next",)), m.Assigned("wang", "PJSIP/wang"), m.Digit("1"))
    assert story.done[-2:] == [m.Hush("c1", "hotline-next"), m.Play("c1", "hotline-callback")]
    story.gone(Role.CITIZEN).tell(m.RungOut(story.channel(Role.AGENT)))
    assert (story.call.phase, story.of(m.Missed)) == (Phase.WAITING, [])
    story.tell(m.Assigned("li", "PJSIP/li")).up(Role.AGENT)
    assert story.done[-1] == m.Dial(story.channel(Role.CITIZEN), "outside:+8613800000000", "+8613800000000")


def test_the_key_means_nothing_while_their_own_telephone_rings() -> None:
    story = Story().tell(m.Played("c1"), m.Digit("1")).gone(Role.CITIZEN)
    story.tell(m.Assigned("wang", "PJSIP/wang")).up(Role.AGENT)
    before = len(story.done)
    assert story.tell(m.Digit("1")).done[before:] == []


def test_an_agent_who_answers_ends_what_is_being_told() -> None:
    story = Story().tell(m.Played("c1"), m.Told(("hotline-next",)), m.Assigned("wang", "PJSIP/wang")).up(Role.AGENT)
    assert m.Hush("c1", "hotline-next") in story.done
    assert story.call.playing == ""


def test_a_language_is_chosen_while_it_is_offered_only() -> None:
    menu = {"1": "zh", "2": "yue"}
    story = Story(menu).tell(m.Chosen("yue", "cantonese"))
    assert story.done[-4:] == [
        m.Hush("c1", "hotline-greeting"), m.Speak("c1", "yue"), m.Music("c1", on=True), m.Enqueue(first=True),
    ]
    assert (story.call.language, story.call.queue, story.call.phase) == ("yue", "cantonese", Phase.WAITING)
    assert story.tell(m.Chosen("zh", "general")).call.queue == "cantonese"
    late = Story(menu).tell(m.Played("c1"), m.Unchosen(), m.Chosen("yue", "cantonese"))
    assert (late.call.language, late.call.queue, late.call.phase) == ("", "general", Phase.WAITING)


def test_who_chooses_after_the_last_word_has_chosen_and_keeps_no_place() -> None:
    heard = Story({"1": "zh", "3": "en"}).tell(m.Played("c1", "hotline-greeting"))
    ended = heard.now
    assert (heard.call.phase, heard.of(m.Enqueue), heard.call.menu_since) == (Phase.GREETING, [], ended)
    heard.tell(m.Digit("1"), m.Played("c1", ""))  # told again after a gap
    assert (heard.call.place_kept, heard.call.menu_since) == (False, ended)
    heard.tell(m.Chosen("en", "english"))
    assert (heard.call.language, heard.call.queue, heard.call.phase) == ("en", "english", Phase.WAITING)
    assert len(heard.tell(m.Unchosen()).of(m.Enqueue)) == 1


def test_who_finds_no_room_is_told_hung_up_and_owed() -> None:
    story = Story().tell(m.Played("c1"), m.Full(), m.Assigned("wang", "PJSIP/wang"), m.Digit("1"))
    assert story.of(m.Free) == [m.Free("wang", talked=False)]
    story.tell(m.Played("c1", FULL))
    assert story.call.phase is Phase.OVER
    assert story.done[-2:] == [m.Hang("c1"), m.Missed(full=True)]


def test_a_skill_group_takes_over_and_who_gives_up_there_is_owed() -> None:
    story = Story().talking().tell(m.Hold(), m.Requeue("enterprise"))
    assert (story.call.phase, story.call.queue, story.call.agent) == (Phase.WAITING, "enterprise", "")
    assert story.done[-1] == m.Enqueue()
    assert story.of(m.Free) == [m.Free("wang", talked=True)]
    assert story.gone(Role.CITIZEN).of(m.Missed)


def test_only_who_waits_is_moved() -> None:
    story = Story().tell(m.Played("c1"), m.Move("enterprise"))
    assert story.done[-2:] == [m.Dequeue(), m.Enqueue()]
    with pytest.raises(IllegalTransition, match="waits"):
        Story().talking().tell(m.Move("enterprise"))


# ── calls of ours ────────────────────────────────────────────────────────────────────────────────
def test_a_call_of_ours_rings_the_agent_then_the_citizen() -> None:
    story = outgoing().up(Role.AGENT)
    assert story.done[-1] == m.Dial(story.channel(Role.CITIZEN), "outside:+8613800138000", "+8613800138000")
    story.up(Role.CITIZEN).gone(Role.CITIZEN)
    assert (story.call.phase, story.of(m.Missed), story.of(m.Tried)) == (Phase.OVER, [], [])
    assert story.call.debt == m.Spoken()
    assert story.of(m.Free) == [m.Free("wang", talked=True)]


@pytest.mark.parametrize("cause", [RANG_OUT, UNKNOWN, 17])
def test_a_citizen_who_is_not_reached_is_told_with_the_cause_and_owed_nothing_more(cause: int) -> None:
    story = outgoing().up(Role.AGENT)
    channel = story.channel(Role.CITIZEN)
    story.tell(m.RungOut(channel) if cause == RANG_OUT else m.Gone(channel, cause))
    assert story.of(m.Tried) == [m.Tried(cause)]
    assert (story.of(m.Missed), story.call.phase, story.call.debt) == ([], Phase.OVER, m.Tried(cause))
    assert story.of(m.Free) == [m.Free("wang", talked=True)]


def test_an_agent_who_does_not_answer_their_own_call_makes_no_try() -> None:
    story = outgoing()
    story.tell(m.RungOut(story.channel(Role.AGENT)))
    assert (story.of(m.Tried), story.of(m.Missed), story.call.phase) == ([], [], Phase.OVER)
    assert story.call.debt is None


def handed_on() -> Story:
    """A call of ours whose citizen waits for another agent."""
    return outgoing().up(Role.AGENT).up(Role.CITIZEN).tell(m.Requeue("enterprise"))


def test_a_call_of_ours_that_was_handed_to_a_skill_group_waits_though_an_agent_there_is_silent() -> None:
    story = handed_on().tell(m.Assigned("li", "PJSIP/li"))
    ringing = story.channel(Role.AGENT)
    story.tell(m.RungOut(ringing))
    assert story.done[-3:] == [m.Hang(ringing), m.Free("li", talked=False, failed=True), m.Enqueue()]
    assert story.call.phase is Phase.WAITING
    story.tell(m.Assigned("zhao", "PJSIP/zhao")).up(Role.AGENT)
    assert (story.call.phase, story.call.agent) == (Phase.TALKING, "zhao")
    assert story.gone(Role.CITIZEN).call.debt == m.Spoken()


def test_whom_we_called_hears_the_announcements_and_counts_as_waiting() -> None:
    story = handed_on()
    citizen, handed_at = story.channel(Role.CITIZEN), story.now
    story.tell(m.Told(("hotline-next",)))
    assert story.done[-2:] == [m.Music(citizen, on=False), m.Play(citizen, "hotline-next")]
    assert story.call.waits_since == handed_at
    story.tell(m.Played(citizen, "hotline-next"), m.Assigned("li", "PJSIP/li"))
    assert m.Music(citizen, on=True) in story.done[-2:]
    story.up(Role.AGENT)
    assert m.Music(citizen, on=False) in story.done[-4:]
    assert story.call.waits_since is None


def test_whom_we_called_and_who_gives_up_waiting_is_owed_a_call() -> None:
    story = handed_on().tell(m.Assigned("li", "PJSIP/li")).gone(Role.CITIZEN)
    assert (story.call.debt, story.of(m.Free)[-1]) == (m.Missed(), m.Free("li", talked=False))
