"""Real calls: sipp as citizens, agents and the desk, a real Asterisk, a real database."""

from __future__ import annotations

import asyncio
import hashlib
import math
import wave
from datetime import timedelta
from pathlib import Path

import pytest

from channels.phone_codec import caller_key
from hotline.errors import HotlineError
from hotline.recordings import Collector
from hotline.store.recordings import RecordingStore
from hotline.store.sealing import blind, caller_of
from routing import call_words as m
from routing.call_orders import CallAct, CallOrder
from routing.calls import Phase, Role
from tests.voice.centre import EITHER_WAY, NEEDS_PBX, Centre, is_state, now
from tests.voice.phones import answering, calling, silent

pytestmark = NEEDS_PBX


@EITHER_WAY
async def test_a_call_is_answered_recorded_and_ended(centre: Centre) -> None:
    await centre.agent("wang", answering(after=200))
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)
    await centre.until(lambda: is_state(centre, "wang", "talking"))
    await centre.recorded(call, 20_000)
    await centre.leaves(call)
    row = await centre.over()
    assert (row["agent"], row["abandoned_at"], centre.owed) == ("wang", None, [])
    assert [blind(caller_key(one)) for one in centre.got_through] == [row["caller"]]
    assert row["started_at"] <= row["asked_at"] <= row["rang_at"] <= row["answered_at"] <= row["ended_at"]
    await centre.until(lambda: is_state(centre, "wang", "available"))
    recording = await centre.closed(row["recording"])
    assert recording.stat().st_size > 16_000  # more than a second of 8 kHz, 16 bits


def tone(path: Path) -> Path:
    """Write a second of 440 Hz as µ-law."""
    samples = [int(12_000 * math.sin(2 * math.pi * 440 * n / 8000)) for n in range(8000)]
    path.write_bytes(bytes(_mu_law(sample) for sample in samples))
    return path


def _mu_law(sample: int) -> int:
    """Encode a sample (ITU-T G.711)."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32_635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


async def test_what_the_citizen_says_is_on_the_recording(centre: Centre, tmp_path: Path) -> None:
    await centre.agent("wang", answering())
    await centre.phones.call(calling("13800138000", speaking=tone(tmp_path / "tone.ulaw"), seconds=8))
    await centre.call(Phase.TALKING)
    row = await centre.over()
    assert caller_of(row).endswith("13800138000")
    with wave.open(str(await centre.closed(row["recording"]))) as recording:
        frames = recording.readframes(recording.getnframes())
    samples = memoryview(frames).cast("h")
    loud = sum(abs(sample) > 3000 for sample in samples) / len(samples)
    assert loud > 0.2


@EITHER_WAY
async def test_a_kept_place_is_rung_back_in_its_turn(centre: Centre, tmp_path: Path) -> None:
    """The trunk rings the number back: here a telephone that waits at that address."""
    home, _ = await centre.phones.phone(answering())
    port = home.rpartition(":")[2]
    await centre.phones.call(calling("13800138000", presses="1", seconds=4))
    call = await centre.call(Phase.WAITING)
    await centre.until(lambda: centre.telephone.calls[call.id].of(Role.CITIZEN) is None)
    assert centre.telephone.calls[call.id].place_kept
    centre.trunk = f"PJSIP/phones/sip:{{number}}@127.0.0.1:{port}"
    await centre.again()
    await centre.agent("wang", answering())
    talking = await centre.call(Phase.TALKING)
    assert (talking.id, talking.arrived, centre.owed) == (call.id, call.arrived, [])


async def test_who_hangs_up_in_the_queue_is_owed_a_call(centre: Centre) -> None:
    await centre.phones.citizen(seconds=60)
    await centre.leaves(await centre.call(Phase.WAITING))
    row = await centre.over()
    assert row["answered_at"] is None
    assert row["abandoned_at"] is not None
    assert [missed.call for missed in centre.owed] == [row["id"]]


async def test_an_agent_who_does_not_answer_is_not_ready_and_the_next_gets_the_call(centre: Centre) -> None:
    await centre.agent("asleep", silent())
    await centre.phones.citizen(seconds=60)
    await centre.call(Phase.RINGING)
    await centre.until(lambda: is_state(centre, "asleep", "not_ready no_answer"))
    await centre.agent("li", answering())
    talking = await centre.call(Phase.TALKING)
    assert talking.agent == "li"
    await centre.leaves(talking)
    assert (await centre.over())["agent"] == "li"


async def test_hold_and_hang_up_by_the_agent(centre: Centre) -> None:
    await centre.agent("wang", answering())
    citizen = await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)
    await centre.telephone.order(call.id, m.Hold())
    await asyncio.sleep(1.1)
    held = (await centre.telephone.order(call.id, m.Resume())).held
    assert held >= 1
    with pytest.raises(Exception, match="ended"):
        await centre.telephone.order(call.id, m.HangUp())
    assert (await centre.over())["hold_seconds"] == round(held)
    await asyncio.wait_for(citizen.wait(), 10)


async def desk(centre: Centre) -> str:
    endpoint, _ = await centre.phones.phone(answering(after=100))
    return endpoint


async def test_one_touch_transfer_to_110(centre: Centre) -> None:
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)
    await centre.telephone.order(call.id, m.Transfer("110", await desk(centre)))
    await centre.until(lambda: _roles(centre, call.id) == {Role.CITIZEN, Role.PARTY})
    await centre.until(lambda: is_state(centre, "wang", "available"))
    await centre.leaves(call)
    assert (await centre.over())["ended_at"] is not None


def _roles(centre: Centre, call_id: str) -> set[Role]:
    call = centre.telephone.calls.get(call_id)
    return {leg.role for leg in call.legs if leg.up} if call else set()


@pytest.mark.parametrize("first", [Role.CITIZEN, Role.AGENT, Role.PARTY])
async def test_a_three_way_call_goes_on_whoever_leaves_first(centre: Centre, first: Role) -> None:
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)
    await centre.telephone.order(call.id, m.Conference("110", await desk(centre)))
    everybody = {Role.CITIZEN, Role.AGENT, Role.PARTY}
    await centre.until(lambda: _roles(centre, call.id) == everybody)
    leg = centre.telephone.calls[call.id].of(first)
    assert leg is not None
    await centre.telephone._pbx.perform(m.Hang(leg.channel))
    await centre.until(lambda: _roles(centre, call.id) == everybody - {first})
    await asyncio.sleep(0.5)
    assert _roles(centre, call.id) == everybody - {first}


@EITHER_WAY
async def test_consulting_and_handing_over(centre: Centre) -> None:
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)
    await centre.telephone.order(call.id, m.Consult("desk", await desk(centre)))
    await centre.until(lambda: Role.PARTY in _roles(centre, call.id))
    assert centre.telephone.calls[call.id].held_since is not None
    await centre.telephone.order(call.id, m.Transfer())
    await centre.until(lambda: _roles(centre, call.id) == {Role.CITIZEN, Role.PARTY})
    await centre.leaves(call)
    await centre.over()


async def test_a_console_asks_through_the_database(centre: Centre) -> None:
    """The gateway is another process: what it asks is carried out by the one that steers, and answered."""
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)

    async def ask(staff: str, act: CallAct, to: str = "", *, supervisor: bool = False) -> None:
        order = CallOrder(call=call.id, act=act, to=to, supervisor=supervisor)
        await centre.store.ask(staff, order, now=now())

    await ask("wang", CallAct.HOLD)
    assert centre.telephone.calls[call.id].held_since is not None
    await ask("wang", CallAct.RESUME)
    for staff, act, to, error_id in (
        ("li", CallAct.HOLD, "", "forbidden"), ("wang", CallAct.CONSULT, "", "invalid_input"),
        ("wang", CallAct.CONSULT, "nobody", "invalid_input"), ("wang", CallAct.LEAVE, "", "illegal_transition"),
        ("wang", CallAct.LISTEN, "", "forbidden"),
    ):
        with pytest.raises(HotlineError) as refused:
            await ask(staff, act, to)
        assert refused.value.error_id == error_id
    await centre.agent("chen", answering())
    await centre.pool.execute("UPDATE presence SET state = 'not_ready' WHERE staff = 'chen'")
    await ask("chen", CallAct.LISTEN, supervisor=True)
    await centre.until(lambda: Role.SUPERVISOR in _roles(centre, call.id))
    await centre.until(lambda: _overheard(centre))
    await ask("wang", CallAct.HANG_UP)
    await centre.over()


async def _overheard(centre: Centre) -> bool:
    return any(channel.id.endswith("~ear") for channel in await centre.telephone._pbx.channels())


@EITHER_WAY
async def test_a_talk_survives_the_death_of_who_steers_it(centre: Centre) -> None:
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)
    await centre.kill()
    await asyncio.sleep(0.5)
    centre.telephone = centre.steering()
    centre.start()
    await centre.until(lambda: _roles(centre, call.id) == {Role.CITIZEN, Role.AGENT})
    await centre.connected()
    await centre.leaves(call)
    row = await centre.over()
    assert (row["id"], row["agent"], row["answered_at"]) == (call.id, "wang", call.answered_at)
    assert await centre.pool.fetchval("SELECT count(*) FROM calls") == 1


@EITHER_WAY
async def test_who_waits_goes_on_waiting_when_who_steers_has_died(centre: Centre) -> None:
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.WAITING)
    await centre.kill()
    centre.telephone = centre.steering()
    centre.start()
    await centre.agent("wang", answering())
    talking = await centre.call(Phase.TALKING)
    assert (talking.id, talking.arrived) == (call.id, call.arrived)


async def test_a_call_that_ended_unseen_is_closed_afterwards(centre: Centre) -> None:
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.WAITING)
    await centre.kill()
    await centre.leaves(call)
    await centre.until(lambda: _left(centre, call.id))
    centre.telephone = centre.steering()
    centre.start()
    await centre.until(lambda: centre.owed)
    assert (await centre.over())["abandoned_at"] is not None


async def _left(centre: Centre, channel: str) -> bool:
    return channel not in {one.id for one in await centre.ari_now.channels()}


@EITHER_WAY
async def test_a_pbx_that_restarts_leaves_nobody_stuck(centre: Centre) -> None:
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=30)
    await centre.call(Phase.TALKING)
    centre.pbx.kill()
    await centre.pbx.start()
    row = await centre.over()
    assert row["ended_at"] is not None
    await centre.until(lambda: is_state(centre, "wang", "available"))


@EITHER_WAY
async def test_the_recording_is_fetched_hashed_and_deleted_at_the_pbx(centre: Centre, tmp_path: Path) -> None:
    kept = RecordingStore(centre.pool, files=tmp_path / "recordings", days=1)
    await centre.agent("wang", answering())
    await centre.phones.call(calling("13800138000", speaking=tone(tmp_path / "tone.ulaw"), seconds=60))
    call = await centre.call(Phase.TALKING)
    await centre.recorded(call, 20_000)
    await centre.leaves(call)
    row = await centre.over()
    at_the_pbx = await centre.closed(row["recording"])
    collector = Collector(centre.ari_now, kept, clock=lambda: now() + timedelta(seconds=2))
    await collector.collect()
    found = await kept.of(row["id"])
    data = kept.path_of(found.sha256).read_bytes()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (found.sha256, found.bytes)
    assert found.bytes > 16_000
    assert not at_the_pbx.exists()
    await collector.collect()  # nothing is wanted any more
    assert [call async for call, _ in kept.damaged()] == []
    await kept.hold(row["id"], held=True)
    assert await kept.purge(now() + timedelta(days=2)) == 0
    await kept.hold(row["id"], held=False)
    assert await kept.purge(now() + timedelta(days=2)) == 1
    assert not kept.path_of(found.sha256).exists()
