"""Colleagues who are brought into a talk: no other call reaches them meanwhile, and they are free again afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hotline.errors import HotlineError, IllegalTransition
from hotline.store.database import open_pool
from hotline.store.telephone import TelephoneStore
from routing import call_words as m
from routing.call_orders import CallAct, CallOrder
from routing.calls import Call, Leg, Phase, Role
from tests.voice.centre import NEEDS_PBX, Centre, is_state, now
from tests.voice.phones import answering, calling, silent


def _legs(centre: Centre, call: Call) -> tuple[Leg, ...]:
    return centre.telephone.calls[call.id].legs


async def asked(centre: Centre, act: CallAct, call: str, to: str = "", *, staff: str = "wang") -> None:
    await centre.store.ask(staff, CallOrder(call=call, act=act, to=to), now=now())


def is_up(news: dict[str, Any]) -> bool:
    """Tell whether who is asked has answered."""
    return any(one["role"] == "party" and one.get("up", False) for one in news.get("parties", ()))


async def told_up(centre: Centre, name: str) -> bool:
    return any(is_up(one) for one in await centre.news(f"agent:{name}"))


async def told(centre: Centre, name: str, *phases: str) -> bool:
    """Tell whether a console was told just these phases; it is told after its agent's presence has changed."""
    return [one["phase"] for one in await centre.news(f"agent:{name}")] == [*phases]


async def talking(centre: Centre) -> Call:
    """Let `wang` talk to a citizen."""
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=30)
    return await centre.call(Phase.TALKING)


async def consulting(centre: Centre) -> Call:
    """Let `wang` talk to a citizen and ask `li` about it."""
    await centre.agent("wang", answering())
    await centre.phones.call(calling("13812345678", seconds=60))
    call = await centre.call(Phase.TALKING)
    await centre.agent("li", answering())
    await asked(centre, CallAct.CONSULT, call.id, "li")
    await centre.until(lambda: is_state(centre, "li", "talking"))
    assert await centre.state_of("wang") == "hold"
    await centre.until(lambda: told_up(centre, "li"))
    first, *later = await centre.news("agent:li")
    assert (first["agent"], first["colleague"], first["card"]["phone"]) == ("wang", "li", "+86138****5678")
    assert "held_since" in first
    assert not any("card" in one for one in later)
    return centre.telephone.calls[call.id]


async def returned(centre: Centre, call: Call) -> None:
    await asked(centre, CallAct.DROP_PARTY, call.id)


async def colleague_hangs_up(centre: Centre, call: Call) -> None:
    """`li` leaves by the console; nothing else is theirs to do."""
    for act in set(CallAct) - {CallAct.HANG_UP, CallAct.DIAL}:
        with pytest.raises(HotlineError) as refused:
            await asked(centre, act, call.id, "wang", staff="li")
        assert refused.value.error_id == "forbidden"
    await asked(centre, CallAct.HANG_UP, call.id, staff="li")
    await centre.until(lambda: is_state(centre, "wang", "talking"))
    assert centre.telephone.calls[call.id].of(Role.CITIZEN)


async def completed(centre: Centre, call: Call) -> None:
    """Hand the call over: it is `li`'s then, who may do everything with it."""
    await asked(centre, CallAct.TRANSFER, call.id)
    await centre.until(lambda: centre.telephone.calls[call.id].agent == "li")
    await centre.until(lambda: is_state(centre, "wang", "available"))
    assert [one["phase"] for one in await centre.news("agent:wang")][-1] == "over"
    asked_, own = [one for one in await centre.news("agent:li") if "card" in one]
    assert (asked_["colleague"], own["agent"], "colleague" in own) == ("li", "li", False)
    assert own["card"] == asked_["card"]
    await asked(centre, CallAct.HOLD, call.id, staff="li")
    await asked(centre, CallAct.RESUME, call.id, staff="li")
    await asked(centre, CallAct.HANG_UP, call.id, staff="li")


async def caller_leaves(centre: Centre, call: Call) -> None:
    await centre.ari_now.perform(m.Hang(call.id))
    await centre.until(lambda: centre.telephone.calls[call.id].of(Role.CITIZEN) is None)
    assert await centre.state_of("li") == "talking"  # they talk to each other still
    await asked(centre, CallAct.HANG_UP, call.id)


async def agent_vanishes(centre: Centre, call: Call) -> None:
    """`li` has the citizen then, and hangs up."""
    await centre.ari_now.perform(m.Hang(next(leg.channel for leg in call.legs if leg.role is Role.AGENT)))
    await centre.until(lambda: centre.telephone.calls[call.id].agent == "li")
    await centre.ari_now.perform(m.Hang(next(leg.channel for leg in call.legs if leg.role is Role.PARTY)))


async def colleague_vanishes(centre: Centre, call: Call) -> None:
    await centre.ari_now.perform(m.Hang(next(leg.channel for leg in call.legs if leg.role is Role.PARTY)))


async def process_killed(centre: Centre, call: Call) -> None:
    """The consultation ends while nobody steers; who takes over finds that out."""
    await centre.kill()
    await colleague_vanishes(centre, call)
    assert await centre.state_of("li") == "talking"
    await centre.again()


@pytest.mark.parametrize(
    "ends",
    [returned, colleague_hangs_up, completed, caller_leaves, agent_vanishes, colleague_vanishes, process_killed],
)
@NEEDS_PBX
async def test_a_consulted_colleague_gets_no_call_until_it_is_over_however_it_ends(
    centre: Centre, ends: Callable[[Centre, Call], Awaitable[None]]
) -> None:
    call = await consulting(centre)
    await centre.pool.execute("UPDATE agent_phones SET skills = '{}' WHERE staff = 'wang'")  # takes no second call
    await centre.phones.citizen(seconds=60)
    waiting = await centre.call(Phase.WAITING)
    await asyncio.sleep(1)
    assert centre.telephone.calls[waiting.id].phase is Phase.WAITING
    with pytest.raises(HotlineError) as refused:
        await asked(centre, CallAct.CONFERENCE, call.id, "wang")
    assert refused.value.error_id == "illegal_transition"
    await ends(centre, call)
    await centre.until(lambda: centre.telephone.calls[waiting.id].agent == "li")
    ended = [one for one in await centre.news("agent:li") if one["call"] == call.id]
    assert ended[-1]["phase"] == "over", "nothing of it stays on their console"


@NEEDS_PBX
async def test_a_colleague_who_does_not_answer_is_not_ready_and_the_citizen_is_back(centre: Centre) -> None:
    call = await talking(centre)
    await centre.agent("li", silent())
    await asked(centre, CallAct.CONSULT, call.id, "li")
    assert await centre.state_of("li") == "ringing"
    [rung] = await centre.news("agent:li")
    assert (rung["colleague"], "card" in rung, is_up(rung)) == ("li", True, False)
    await centre.until(lambda: is_state(centre, "li", "not_ready no_answer"))
    await centre.until(lambda: is_state(centre, "wang", "talking"))
    await centre.until(lambda: told(centre, "li", "talking", "over"))


@NEEDS_PBX
async def test_a_telephone_that_cannot_be_rung_does_not_go_on_ringing_on_the_page(centre: Centre) -> None:
    call = await talking(centre)
    await centre.agent("li", silent())
    await centre.store.give_phone("li", "PJSIP/nobody", {})
    await asked(centre, CallAct.CONSULT, call.id, "li")
    assert [one["phase"] for one in await centre.news("agent:li")] == ["talking", "over"]
    assert await centre.state_of("wang") == "talking"


@NEEDS_PBX
async def test_who_gets_a_call_by_transfer_learns_who_calls_while_it_rings(centre: Centre) -> None:
    call = await talking(centre)
    await centre.agent("li", answering(after=1000))
    await asked(centre, CallAct.TRANSFER, call.id, "li")
    rung, *_ = await centre.news("agent:li")
    assert (rung["agent"], rung["colleague"], rung["transferring"], "card" in rung) == ("wang", "li", True, True)
    await centre.until(lambda: centre.telephone.calls[call.id].agent == "li")
    await centre.until(lambda: is_state(centre, "wang", "available"))
    last = (await centre.news("agent:li"))[-1]
    assert (last["phase"], last["agent"], "colleague" in last, "card" in last) == ("talking", "li", False, True)


@NEEDS_PBX
async def test_who_was_at_lunch_is_at_lunch_again_and_who_is_offline_is_rung_all_the_same(centre: Centre) -> None:
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)
    await centre.agent("li", answering())
    for before in ("not_ready meal", "offline"):
        state, _, reason = before.partition(" ")
        await centre.pool.execute("UPDATE presence SET state = $1, reason = $2 WHERE staff = 'li'", state, reason)
        await asked(centre, CallAct.CONSULT, call.id, "li")
        await centre.until(lambda: any(leg.role is Role.PARTY and leg.up for leg in _legs(centre, call)))
        await asked(centre, CallAct.DROP_PARTY, call.id)
        assert await centre.state_of("li") == before


@NEEDS_PBX
async def test_an_order_that_is_refused_claims_nobody(centre: Centre) -> None:
    call = await consulting(centre)
    await centre.agent("zhao", answering())
    await centre.pool.execute("UPDATE presence SET state = 'not_ready', reason = 'meal' WHERE staff = 'zhao'")
    with pytest.raises(HotlineError, match="drop them first"):
        await asked(centre, CallAct.CONSULT, call.id, "zhao")
    assert await centre.state_of("zhao") == "not_ready meal"


@NEEDS_PBX
async def test_who_was_claimed_by_a_process_killed_before_it_wrote_for_what_is_free_again(centre: Centre) -> None:
    await centre.agent("li", answering())
    await centre.kill()
    assert await centre.store.claim("li", now=now(), call="never written") == "available"
    await centre.again()
    await centre.phones.citizen(seconds=20)
    assert (await centre.call(Phase.TALKING)).agent == "li"


async def test_of_two_processes_that_want_somebody_one_gets_them(database: str) -> None:
    """Consultations and the queue claim at the same row; nobody is rung twice."""
    async with await open_pool(database, size=6) as one, await open_pool(database, size=6) as other:
        await one.execute(
            "INSERT INTO staff (name, display_name, role, password_hash, created_at) "
            "VALUES ('li', 'li', 'agent', '', now())"
        )
        for attempt in range(20):
            await one.execute(
                "INSERT INTO presence (staff, state, since, lease_until) VALUES ('li', 'available', now(), now()) "
                "ON CONFLICT (staff) DO UPDATE SET state = 'available', reason = ''"
            )
            claims = [TelephoneStore(pool).claim("li", now=now(), call=f"c{attempt}") for pool in (one, other) * 2]
            queued = [
                TelephoneStore(pool).set_presence("li", "ringing", among=["available"], now=now())
                for pool in (one, other)
            ]
            got = await asyncio.gather(*claims, *queued, return_exceptions=True)
            assert sum(found in ("available", True) for found in got) == 1
            assert sum(isinstance(found, IllegalTransition) for found in got[:4]) in (3, 4)
        told = await one.fetchval("SELECT count(*) FROM presence_events WHERE doc ->> 'state' = 'ringing'")
        assert told == 20
        assert await TelephoneStore(one).claim("nobody", now=now(), call="c") == ""
