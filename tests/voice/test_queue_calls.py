"""Real calls that wait, are moved, handed to skill groups, and made by us."""

from __future__ import annotations

import asyncio

import pytest

from hotline.errors import HotlineError, NotFound
from hotline.store.sealing import caller_of
from routing import call_words as m
from routing.call_orders import CallAct, CallOrder
from routing.callbacks import MissedReason
from routing.calls import Direction, Phase, Role
from routing.queue_plan import Centre as Plan
from routing.queue_plan import Queue
from routing.queueing import Rung
from tests.voice.centre import NEEDS_PBX, Centre, is_state, now
from tests.voice.phones import answering, calling, refusing, silent

pytestmark = NEEDS_PBX
TWO = Plan(
    queues={
        "general": Queue(steps=(Rung(0, "general"),)),
        "enterprise": Queue(steps=(Rung(0, "enterprise"),)),
        "cantonese": Queue(steps=(Rung(0, "cantonese"),)),
    }
)


async def test_place_and_wait_are_told_and_told_again_when_they_change(centre: Centre) -> None:
    centre.announce = 1.0
    await centre.again()
    await centre.agent("elsewhere", silent(), {"general": 1})
    await centre.pool.execute("UPDATE presence SET state = 'wrap_up', since = now() + '1 hour'")
    await centre.phones.citizen(seconds=60)
    first = await centre.call(Phase.WAITING)
    await centre.phones.call(calling("13800138000", seconds=60))
    await centre.until(lambda: "hotline-keep" in centre.pbx.played(1))
    assert centre.pbx.played(1) == [
        "hotline-greeting", "hotline-position", "hotline-n1", "hotline-callers", "hotline-wait", "hotline-n8",
        "hotline-minutes", "hotline-keep",
    ]
    await centre.leaves(first)
    await centre.until(lambda: "hotline-next" in centre.pbx.played(1))
    await centre.pool.execute("UPDATE presence SET state = 'available', since = now()")
    await centre.call(Phase.RINGING)  # an announcement under way stops nobody from being rung


async def test_a_language_is_chosen_in_a_short_menu(centre: Centre) -> None:
    centre.plan = Plan(
        queues={**TWO.queues, "general": Queue(steps=(Rung(0, "general"),), languages={"yue": "cantonese"})},
        menu={"1": "zh", "2": "yue"},
    )
    centre.announce = 0.5
    await centre.again()
    await centre.agent("wang", answering(), {"general": 1})
    await centre.agent("chan", answering(), {"cantonese": 1})
    await centre.phones.call(calling("13800138000", presses="2", seconds=0.4, stays=60))
    talking = await centre.call(Phase.TALKING)
    assert (talking.agent, talking.language, talking.queue) == ("chan", "yue", "cantonese")
    await centre.leaves(talking)
    row = await centre.over()
    assert (row["language"], row["skill"]) == ("yue", "cantonese")


async def test_who_finds_no_room_is_told_and_owed_a_call(centre: Centre) -> None:
    centre.plan = Plan(queues={"general": Queue(steps=(Rung(0, "general"),), most=1)})
    await centre.again()
    await centre.phones.citizen(seconds=20)
    await centre.call(Phase.WAITING)
    await centre.phones.citizen(seconds=20)
    await centre.until(lambda: centre.owed)
    assert [one.reason for one in centre.owed] == [MissedReason.QUEUE_FULL]
    assert "hotline-full" in centre.pbx.played()
    assert len(centre.telephone.calls) == 1


async def test_the_rung_agent_is_shown_who_calls(centre: Centre) -> None:
    await centre.agent("wang", answering(after=500))
    await centre.phones.call(calling("13800138000", seconds=60))
    call = await centre.call(Phase.TALKING)
    await centre.until(lambda: is_state(centre, "wang", "talking"))
    await centre.leaves(call)
    await centre.over()
    news = await centre.news("agent:wang")
    assert news[0]["phase"] == "ringing"
    assert news[0]["card"]["phone"] == "+86138****8000"
    assert {one["phase"] for one in news} == {"ringing", "talking", "over"}
    assert "13800138000" not in str(news)


async def test_supervisors_move_calls_and_agents_hand_them_to_skill_groups(centre: Centre) -> None:
    centre.plan = TWO
    await centre.again()
    await centre.agent("boss", answering(), {"enterprise": 1})
    await centre.pool.execute("UPDATE presence SET state = 'not_ready', reason = 'meeting' WHERE staff = 'boss'")
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.WAITING)

    async def ask(staff: str, act: CallAct, to: str, *, supervisor: bool = False) -> None:
        await centre.store.ask(staff, CallOrder(call=call.id, act=act, to=to, supervisor=supervisor), now=now())

    for to, supervisor, error_id in (("queue:enterprise", False, "forbidden"), ("queue:none", True, "invalid_input"),
                                     ("boss", True, "illegal_transition")):
        with pytest.raises(HotlineError) as refused:
            await ask("chief", CallAct.MOVE, to, supervisor=supervisor)
        assert refused.value.error_id == error_id
    await ask("chief", CallAct.MOVE, "queue:enterprise", supervisor=True)
    await centre.pool.execute("UPDATE presence SET state = 'available', reason = '', since = now()")
    talking = await centre.call(Phase.TALKING)
    assert (talking.agent, talking.queue, talking.arrived) == ("boss", "enterprise", call.arrived)
    await centre.agent("wang", answering(), {"general": 1})
    await ask("boss", CallAct.TRANSFER, "queue:general")
    await centre.until(lambda: _agent(centre, call.id) == "wang")
    await centre.until(lambda: is_state(centre, "boss", "available"))
    assert centre.telephone.calls[call.id].answered_at == talking.answered_at
    await ask("wang", CallAct.HANG_UP, "")
    assert (await centre.over())["agent"] == "wang"
    assert centre.owed == []


def _agent(centre: Centre, call_id: str) -> str:
    call = centre.telephone.calls.get(call_id)
    return call.agent if call is not None and call.phase is Phase.TALKING else ""


async def test_an_agent_calls_a_citizen(centre: Centre) -> None:
    home, _ = await centre.phones.phone(answering())
    centre.trunk = f"PJSIP/phones/sip:{{number}}@127.0.0.1:{home.rpartition(':')[2]}"
    await centre.again()
    await centre.agent("wang", answering())
    order = CallOrder(call="out-1", act=CallAct.DIAL, to="13800138000", callback=7)
    await centre.store.ask("wang", order, now=now())
    call = await centre.call(Phase.TALKING)
    assert (call.direction, call.callback) == (Direction.OUT, 7)
    with pytest.raises(NotFound, match="has ended"):
        await centre.telephone.order("out-1", m.HangUp())
    row = await centre.over()
    assert (row["direction"], caller_of(row), row["callback"]) == ("out", "+8613800138000", 7)
    assert ([one.id for one in centre.spoke], centre.tries, centre.owed) == (["out-1"], [], [])
    await centre.until(lambda: is_state(centre, "wang", "available"))


async def test_what_is_asked_before_the_pbx_hears_us_waits_until_it_does(centre: Centre) -> None:
    """It would hang up whom it rang for us."""
    home, _ = await centre.phones.phone(answering())
    centre.trunk = f"PJSIP/phones/sip:{{number}}@127.0.0.1:{home.rpartition(':')[2]}"
    await centre.agent("wang", answering())
    await centre.kill()
    asking = asyncio.create_task(
        centre.store.ask("wang", CallOrder(call="out-1", act=CallAct.DIAL, to="13800138000"), now=now())
    )
    await centre.until(lambda: waits(centre))
    centre.late = 1.0  # of the five seconds for which somebody waits
    await centre.again(connected=False)
    await asking
    assert (await centre.call(Phase.TALKING)).id == "out-1"


async def waits(centre: Centre) -> bool:
    return bool(await centre.store.orders(now=now()))


@pytest.mark.parametrize(("scenario", "cause"), [(refusing(486, "Busy Here"), 17), (refusing(404, "Not Found"), 1)])
async def test_a_citizen_who_is_not_reached_is_told_with_the_cause(
    centre: Centre, scenario: str, cause: int
) -> None:
    home, _ = await centre.phones.phone(scenario)
    centre.trunk = f"PJSIP/phones/sip:{{number}}@127.0.0.1:{home.rpartition(':')[2]}"
    await centre.again()
    await centre.agent("wang", answering())
    await centre.store.ask("wang", CallOrder(call="out-1", act=CallAct.DIAL, to="13800138000"), now=now())
    await centre.until(lambda: centre.tries)
    assert [(call.id, found) for call, found in centre.tries] == [("out-1", cause)]
    await centre.until(lambda: is_state(centre, "wang", "available"))
    assert (centre.spoke, centre.owed) == ([], [])


async def test_a_dead_console_frees_its_agent_and_the_call_goes_to_the_next(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is what the gateway renews; nobody renews this one."""
    monkeypatch.setattr("hotline.store.telephone.LEASE_SECONDS", 0.0)  # judged at once
    centre.ring = 60.0  # longer than anything here is waited for: nothing but the lease takes the call away
    await centre.again()
    await centre.agent("gone", silent())
    await centre.phones.citizen(seconds=60)
    ringing = await centre.call(Phase.RINGING)
    assert ringing.agent == "gone"
    await centre.pool.execute("UPDATE presence SET lease_until = now()")
    await centre.agent("li", answering())
    talking = await centre.call(Phase.TALKING)
    assert (talking.id, talking.agent) == (ringing.id, "li")
    await centre.until(lambda: is_state(centre, "gone", "offline lease"))


async def test_who_is_forced_away_is_rung_no_more(centre: Centre) -> None:
    await centre.agent("wang", silent())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.RINGING)
    await centre.pool.execute("UPDATE presence SET state = 'not_ready', reason = 'meeting' WHERE staff = 'wang'")
    await centre.call(Phase.WAITING)
    assert centre.telephone.calls[call.id].of(Role.AGENT) is None
    assert await centre.state_of("wang") == "not_ready meeting"
