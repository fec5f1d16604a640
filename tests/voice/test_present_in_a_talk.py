"""Who talks is told as talking and brought into nothing else, whatever their console says. The PBX is in memory."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hotline.errors import HotlineError
from routing import call_words as m
from routing.call_orders import CallAct, CallOrder
from routing.calls import Call, Phase, Role
from tests.voice.test_catching_up import Floor, floor

assert floor, "the fixture"


async def talking(floor: Floor, name: str) -> Call:
    """Let an agent come and answer one of those who wait."""
    await floor.agent(name)
    agent = (ringing := await floor.with_agent(name, Phase.RINGING)).of(Role.AGENT)
    assert agent is not None
    floor.pbx.tells.put_nowait((ringing.id, m.Up(agent.channel)))
    return await floor.with_agent(name, Phase.TALKING)


async def chooses(floor: Floor, name: str, state: str, reason: str = "") -> None:
    """The console, which had been offline, or a supervisor says how somebody is present."""
    await floor.pool.execute(
        "UPDATE presence SET state = $2, reason = $3, since = now() WHERE staff = $1", name, state, reason
    )


async def is_present(floor: Floor, name: str, state: str) -> None:
    async with floor.pool.acquire() as connection:
        for _ in range(2000):
            if await connection.fetchval("SELECT state FROM presence WHERE staff = $1", name) == state:
                return
    raise AssertionError(f"{name} is not {state}")


@pytest.mark.parametrize("chosen", ["available", "wrap_up"])
@pytest.mark.parametrize("held", [False, True], ids=["talks", "holds"])
async def test_who_talks_is_told_as_talking_and_wraps_up_afterwards(floor: Floor, chosen: str, *, held: bool) -> None:
    call = await talking(floor, "wang")
    if held:
        floor.pbx.tells.put_nowait((call.id, m.Hold()))
    await is_present(floor, "wang", "hold" if held else "talking")
    await chooses(floor, "wang", chosen)
    await is_present(floor, "wang", "hold" if held else "talking")
    floor.pbx.leave(call.id)
    await is_present(floor, "wang", "wrap_up")


@pytest.mark.parametrize("state", ["available", "not_ready", "wrap_up"])
async def test_who_talks_is_brought_into_no_other_call_and_calls_nobody(floor: Floor, state: str) -> None:
    own = await talking(floor, "wang")
    other = await talking(floor, "li")
    rung = [action for action in floor.pbx.done if isinstance(action, m.Dial)]
    for staff, order in (
        ("li", CallOrder(call=other.id, act=CallAct.CONSULT, to="wang")),
        ("boss", CallOrder(call="greeted", act=CallAct.MOVE, to="wang", supervisor=True)),
        ("wang", CallOrder(call="out-1", act=CallAct.DIAL, to="13800138000")),
        ("wang", CallOrder(call=own.id, act=CallAct.LISTEN, supervisor=True)),
    ):
        await chooses(floor, "wang", state, "meal" if state == "not_ready" else "")
        with pytest.raises(HotlineError) as refused:
            await floor.store.ask(staff, order, now=datetime.now(UTC))
        assert refused.value.error_id == "illegal_transition"
    assert [action for action in floor.pbx.done if isinstance(action, m.Dial)] == rung
