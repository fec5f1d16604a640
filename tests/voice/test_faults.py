"""Faults around real calls: the line to ARI breaks, telephones vanish. Nobody stays stuck, nothing is counted twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from channels.ari import Ari
from channels.ari_codec import APP
from channels.ari_wire import Dialled
from routing import call_words as m
from routing.calls import Call, Phase, Role
from tests.ports import free_port
from tests.voice.centre import NEEDS_PBX, Centre, is_state
from tests.voice.pbx import PASSWORD, USER
from tests.voice.phones import answering, calling, silent
from tests.voice.test_calls import tone

pytestmark = NEEDS_PBX


class Line:
    """The line to ARI, which can be cut. Use as an async context manager; `url` is where it begins."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port, self.port = parts.hostname, parts.port, free_port()
        self.url = f"http://127.0.0.1:{self.port}{parts.path}"
        self._open: set[asyncio.StreamWriter] = set()
        self.whole = True

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._taken, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()

    def cut(self) -> None:
        """Break every connection; new ones break too."""
        self.whole = False
        for writer in self._open:
            writer.transport.abort()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.whole:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        self._open |= {writer, far_writer}
        await asyncio.gather(_flow(reader, far_writer), _flow(far_reader, writer))
        self._open -= {writer, far_writer}


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_talks_go_on_while_the_line_to_the_pbx_is_cut(centre: Centre) -> None:
    async with Line(centre.ari) as line:
        centre.ari = line.url
        await centre.again()
        await centre.agent("wang", answering())
        await centre.phones.citizen(seconds=60)
        short = await centre.call(Phase.TALKING)
        await centre.agent("li", answering())
        await centre.phones.citizen(seconds=60)
        await centre.until(lambda: len(_talks(centre)) == 2)
        line.cut()
        direct = Ari(Dialled(centre.session, base=centre.pbx.ari, user=USER, password=PASSWORD), trunk="")
        await direct.perform(m.Hang(short.id))  # the citizen hangs up
        await centre.until(lambda: _gone(direct, short.id))
        assert len(_talks(centre)) == 2  # nobody has told us
        line.whole = True
        await centre.until(lambda: short.id not in centre.telephone.calls)
        [talk] = _talks(centre)
        assert {leg.role for leg in talk.legs if leg.up} == {Role.CITIZEN, Role.AGENT}
        await centre.until(lambda: is_state(centre, "wang", "available"))
        ended = await centre.pool.fetchval("SELECT count(*) FROM calls WHERE ended_at IS NOT NULL")
        assert (ended, await centre.pool.fetchval("SELECT count(*) FROM calls")) == (1, 2)
        await centre.phones.citizen(seconds=30)  # and the next call is served
        await centre.until(lambda: len(_talks(centre)) == 2)
        await centre.kill()


async def test_a_talk_of_which_a_step_was_written_and_no_more_goes_on_after_a_kill(centre: Centre) -> None:
    await centre.agent("wang", answering())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.TALKING)
    both = frozenset(leg.channel for leg in call.legs)
    await centre.until(lambda: _in_bridge(centre, call, both))
    await centre.kill()
    await centre.ari_now.perform(m.Dissolve(call.bridge))  # as if nobody had been joined
    await centre.again()
    await centre.until(lambda: _in_bridge(centre, call, both))
    assert centre.telephone.calls[call.id].phase is Phase.TALKING


async def _in_bridge(centre: Centre, call: Call, channels: frozenset[str]) -> bool:
    return (await centre.ari_now.bridges()).get(call.bridge) == channels


async def test_a_line_that_stands_and_tells_nothing_is_made_anew(centre: Centre) -> None:
    """Somebody else's line takes our place at the PBX: what Asterisk's own mix-up of two lines leaves us with too."""
    centre.deaf_after = 0.3
    await centre.again()
    await centre.agent("wang", answering())
    log_in = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
    async with centre.session.ws_connect(f"{centre.pbx.ari}/events", params={"app": APP}, headers=log_in) as other:
        async with asyncio.timeout(20):
            while "ApplicationReplaced" not in await other.receive_str():  # until we have taken our place back
                pass
    await centre.phones.citizen(seconds=60)
    assert (await centre.call(Phase.TALKING)).agent == "wang"


async def _gone(pbx: Ari, channel: str) -> bool:
    return channel not in {one.id for one in await pbx.channels()}


def _talks(centre: Centre) -> list[Call]:
    return [call for call in centre.telephone.calls.values() if call.phase is Phase.TALKING]


async def test_a_telephone_that_vanishes_while_it_rings_is_not_ready(centre: Centre) -> None:
    await centre.agent("wang", silent())
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.RINGING)
    centre.phone.kill()
    await centre.until(lambda: is_state(centre, "wang", "not_ready no_answer"))
    await centre.agent("li", answering())
    talking = await centre.call(Phase.TALKING)
    assert (talking.id, talking.arrived, talking.agent) == (call.id, call.arrived, "li")


@pytest.mark.parametrize("centre", [{"rtp_timeout": 2}], indirect=True)
async def test_a_telephone_that_vanishes_in_a_talk_ends_it_and_frees_its_agent(centre: Centre, tmp_path: Path) -> None:
    """The PBX notices by the missing sound (`rtp_timeout` of the endpoint)."""
    await centre.agent("wang", answering())
    await centre.phones.call(calling("13800138000", speaking=tone(tmp_path / "tone.ulaw"), seconds=60))
    await centre.call(Phase.TALKING)
    await asyncio.sleep(1)
    centre.phone.kill()
    row = await centre.over()
    assert (row["agent"], row["abandoned_at"], centre.owed) == ("wang", None, [])
    await centre.until(lambda: is_state(centre, "wang", "available"))
