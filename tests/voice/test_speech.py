"""Speech: FunASR's protocol with a scripted recogniser and its faults, AudioSocket, and one real call through a PBX."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from channels.audiosocket import AudioServer
from channels.audiosocket_codec import Kind, Messages, encode
from channels.funasr import FunAsr
from channels.funasr_codec import Said, Sentences, begin
from hotline.appeal import Triage
from hotline.speech import Speech, alarm_of
from hotline.standins.funasr import FunAsrStandIn
from hotline.store.transcripts import TranscriptStore
from hotline.terms import Service, Verdict
from routing.call_orders import CallAct, CallOrder
from routing.calls import Phase, Role
from tests.ports import free_port
from tests.voice.centre import NEEDS_PBX, Centre, now
from tests.voice.phones import answering, calling
from tests.voice.test_calls import tone

SECOND = b"\x10\x27" * 8000
"""A second of sound that is not silent: 8 kHz, 16 bits."""


@asynccontextmanager
async def recogniser(*script: str, fault: str = "none", delay: float = 0.1) -> AsyncIterator[tuple[str, FunAsrStandIn]]:
    standin = FunAsrStandIn(script, every=0.5, fault=fault, delay=delay)
    runner = web.AppRunner(standin.app(), shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"ws://127.0.0.1:{port}", standin
    finally:
        await runner.cleanup()


async def spoken(seconds: int, *, gap: float = 0.0) -> AsyncIterator[bytes]:
    for _ in range(seconds):
        yield SECOND
        await asyncio.sleep(gap)


async def heard(url: str, sound: AsyncIterator[bytes]) -> list[Said]:
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        return [said async for said in FunAsr(session, url=url, hotwords=["持刀"]).sentences(sound)]


async def test_sentences_come_in_pieces_and_then_whole() -> None:
    async with recogniser("路灯坏了", "有人持刀") as (url, standin):
        found = await heard(url, spoken(1))
    assert [said for said in found if said.final] == [Said("路灯坏了", True), Said("有人持刀", True)]
    assert found[:3] == [Said("路灯", False), Said("路灯坏了", False), Said("路灯坏了", True)]
    assert (standin.heard.connections, standin.heard.ends, standin.heard.bytes) == (1, 1, len(SECOND))


@pytest.mark.parametrize("fault", ["slow", "garbled"])
async def test_a_slow_or_garbled_recogniser_is_still_understood(fault: str) -> None:
    async with recogniser("路灯坏了", fault=fault) as (url, _):
        assert Said("路灯坏了", True) in await heard(url, spoken(1))


async def test_a_mute_one_says_nothing_and_holds_nobody_up() -> None:
    async with recogniser("路灯坏了", fault="mute") as (url, standin):
        assert await heard(url, spoken(1)) == []
        assert standin.heard.ends == 1


@pytest.mark.parametrize("fault", ["down", "error"])
async def test_one_that_is_away_is_tried_again_and_what_follows_is_heard(fault: str) -> None:
    async with recogniser("路灯坏了", fault=fault) as (url, standin):
        hearing = asyncio.create_task(heard(url, spoken(8, gap=0.5)))
        await asyncio.sleep(0.8)
        standin.fault = "none"
        assert Said("路灯坏了", True) in await hearing


async def test_a_connection_that_breaks_is_made_again() -> None:
    async with recogniser("一", "二", fault="broken") as (url, standin):
        found = await heard(url, spoken(8, gap=0.5))
    assert [said.text for said in found if said.final] == ["一", "二"]
    assert standin.heard.connections >= 2


async def test_no_recogniser_at_all_ends_with_the_sound() -> None:
    assert await heard(f"ws://127.0.0.1:{free_port()}", spoken(2, gap=0.1)) == []


async def test_faults_are_switched_over_http() -> None:
    async with recogniser() as (url, standin), aiohttp.ClientSession() as session:
        base = url.replace("ws:", "http:")
        for body, status in ((b'{"fault":"mute"}', 200), (b'{"fault":"no such"}', 400), (b"{", 400)):
            async with session.put(f"{base}/faults", data=body) as answer:
                assert answer.status == status
        assert standin.fault == "mute"
        async with session.get(f"{base}/heard") as answer:
            assert (await answer.json())["connections"] == 0


@given(st.binary(max_size=60))
def test_no_answer_of_a_recogniser_breaks_us(data: bytes) -> None:
    Sentences().take(data)


def test_the_first_message_is_as_the_protocol_says() -> None:
    first = json.loads(begin(hotwords=["持刀"]))
    assert (first["mode"], first["audio_fs"], first["wav_format"], first["is_speaking"]) == ("2pass", 8000, "pcm", True)
    assert json.loads(first["hotwords"]) == {"持刀": 20}


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=40)), max_size=8), st.integers(1, 7))
def test_audiosocket_is_cut_the_same_however_it_arrives(sent: list[tuple[Kind, bytes]], size: int) -> None:
    stream = b"".join(encode(kind, data) for kind, data in sent)
    messages = Messages()
    found = [one for at in range(0, len(stream), size) for one in messages.feed(stream[at:at + size])]
    assert [(one.kind, one.data) for one in found] == [(int(kind), data) for kind, data in sent]


async def test_only_expected_sound_is_heard() -> None:
    server, id_ = AudioServer(), str(uuid4())
    async with server.serving("127.0.0.1", 0) as port, asyncio.timeout(10):
        for first in (encode(Kind.ID, uuid4().bytes), encode(Kind.AUDIO, b"x" * 16), b"", b"GET / HTTP/1.1\r\n\r\n   "):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(first)
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        async with server.expected(id_) as sound:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            key = bytes.fromhex(id_.replace("-", ""))
            writer.write(encode(Kind.ID, key) + encode(Kind.AUDIO, b"ab") + encode(Kind.DTMF, b"1"))
            silent = encode(Kind.AUDIO, bytes(320))  # a PBX that waits for a frame of ours answers nobody
            assert await reader.readexactly(2 * len(silent)) == 2 * silent
            writer.write(encode(Kind.AUDIO))  # an empty one is no end
            writer.write(encode(Kind.AUDIO, b"cd") + encode(Kind.HANG_UP))
            assert [piece async for piece in sound] == [b"ab", b"cd"]
            writer.close()


def judged(texts: list[str]) -> list[Triage]:
    danger = [("持刀" in text) for text in texts]
    return [
        Triage(
            category=None, title=text[:10], verdict=Verdict.EMERGENCY if bad else Verdict.NON_EMERGENCY,
            services=(Service.POLICE,) if bad else (),
        )
        for text, bad in zip(texts, danger, strict=True)
    ]


def test_an_alarm_tells_what_was_heard_without_its_numbers() -> None:
    [triage] = judged(["持刀13800138000"])
    told = alarm_of(msgspec.structs.replace(triage, title="有人持刀 13800138000"))
    assert told == "110 有人持刀 138****8000"
    assert alarm_of(Triage(category=None, verdict=Verdict.EMERGENCY)) == Verdict.EMERGENCY


@NEEDS_PBX
async def test_a_real_call_is_heard_and_a_word_of_danger_raises_the_alarm(centre: Centre, tmp_path: Path) -> None:
    """Also after its tap was lost in the middle of it."""
    sounds = AudioServer()
    script = ["我要反映路灯坏了"] * 8 + ["楼下有人持刀砍人"] * 30  # both sides are heard: the agent's telephone echoes
    async with (
        recogniser(*script) as (url, standin), aiohttp.ClientSession() as session,
        sounds.serving("127.0.0.1", 0) as port,
    ):
        transcripts = TranscriptStore(centre.pool)
        speech = Speech(
            taps=centre.ari_now, sounds=sounds, recogniser=FunAsr(session, url=url), transcripts=transcripts,
            triage=judged, clock=now, new_id=lambda: str(uuid4()),
        )
        centre.follow, centre.sound_to = speech.follow, f"127.0.0.1:{port}"
        await centre.again()
        speech._taps = centre.ari_now
        try:
            await _heard_call(centre, tone(tmp_path / "tone.ulaw"))
            assert standin.heard.loud > 0.5
        finally:
            await speech.close()
        channels = {channel.id for channel in await centre.ari_now.channels()}
        assert not [name for name in channels if "~tap~" in name]


async def _heard_call(centre: Centre, speaking: Path) -> None:
    await centre.agent("wang", answering())
    await centre.phones.call(calling("13800138000", speaking=speaking, seconds=60))
    call = await centre.call(Phase.TALKING)
    await centre.until(lambda: centre.news("agent:wang", "transcript"))
    await centre.ari_now.untap(f"{Role.SUPERVISOR}~{call.id}~tap~{Role.CITIZEN}")
    await centre.until(lambda: _alarmed(centre, call.id))
    await centre.until(lambda: centre.news("alarms"))
    assert centre.telephone.calls[call.id].phase is Phase.TALKING  # the alarm came during the call
    words = await centre.news("agent:wang", "transcript")
    assert any("路灯" in one["text"] for one in words)
    assert any(one["suggestion"]["verdict"] == "emergency" for one in words if "suggestion" in one)
    assert [one["alarm"][:3] for one in await centre.news("alarms")] == ["110"]
    await centre.store.ask("wang", CallOrder(call=call.id, act=CallAct.HANG_UP), now=now())
    row = await centre.over()
    kept = [item["text"] for item in await centre.pool.fetch("SELECT text FROM transcripts ORDER BY n")]
    assert kept
    assert row["alarm"].startswith("110")


async def _alarmed(centre: Centre, call: str) -> bool:
    return bool(await centre.pool.fetchval("SELECT alarm FROM calls WHERE id = $1", call))
