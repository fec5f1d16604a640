"""Adapter for Asterisk: what is to be done as requests of ARI, its events as what happens to calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import structlog

from channels.ari_codec import (
    APP,
    PbxChannel,
    Request,
    decode_bridges,
    decode_channels,
    decode_event,
    requests_of,
    tap_requests,
    untap_requests,
)
from channels.ari_wire import Wire
from hotline.errors import Unavailable
from hotline.recordings import Withheld
from routing.call_words import Happening, PbxAction

log = structlog.get_logger(__name__)
_JOINS = 20
_GONE = {404, 409, 412, 422}
"""What the PBX answers about a channel or bridge that is there no more, or not yet ours; how often we ask again."""


class Ari:
    """One PBX, at the other end of a wire: dialled (`channels.ari_wire`), or awaited (`channels.ari_socket`)."""

    def __init__(
        self, wire: Wire, *, trunk: str, caller_id: str = "", ring: int = 60, sound_to: str = "", app: str = APP
    ) -> None:
        """`caller_id`: the hotline's own number. `sound_to`: host and port to which the PBX sends the sound of taps.

        `app`: the application that we are there; other applications of the same PBX are not ours to touch.
        """
        self.sound_to, self._app = sound_to, app
        self._wire, self._trunk, self._caller_id, self._ring = wire, trunk, caller_id, ring

    async def perform(self, action: PbxAction) -> bool:
        """Carry an action out; False where the channel is gone, which its own event tells.

        Raises:
            Unavailable: the PBX does not answer.
        """
        done = True
        for request in requests_of(
            action, trunk=self._trunk, ring=self._ring, caller_id=self._caller_id, app=self._app
        ):
            done &= await self._ask(request)
        return done

    async def _ask(self, request: Request) -> bool:
        answer = await self._wire.ask(request)
        if answer.status in _GONE:
            return False
        if answer.status >= 400 and b"not found" not in answer.body:
            said = answer.body[:200].decode(errors="replace")
            log.warning("ari_refused", path=request.path, status=answer.status, body=said)
        return answer.status < 400

    async def tap(self, name: str, channel: str, id_: str) -> bool:
        """Let the sound of a channel go to `sound_to`; False where the channel is gone. Raises Unavailable."""
        *begin, join = tap_requests(name, channel, id_, sound_to=self.sound_to, app=self._app)
        for request in begin:
            if not await self._ask(request):
                return False
        for _ in range(_JOINS):
            if await self._ask(join):
                return True
            await asyncio.sleep(0.1)
        return False

    async def untap(self, name: str) -> None:
        """End it. Raises Unavailable."""
        for request in untap_requests(name):
            await self._ask(request)

    async def recording(self, name: str) -> bytes | None:
        """Return a recording as WAV, None where there is none. Raises Unavailable."""
        return await self._wire.recording(name)

    async def drop_recording(self, name: str) -> None:
        """Delete a recording at the PBX. Raises Withheld where it does not, Unavailable."""
        answer = await self._wire.ask(Request("DELETE", f"/recordings/stored/{quote(name, safe='')}"))
        if answer.status >= 400 and answer.status != 404:
            raise Withheld(f"the PBX does not delete a recording: it answers {answer.status}")

    async def channels(self) -> list[PbxChannel]:
        """Return the channels that are there. Raises Unavailable."""
        return decode_channels(await self._told("channels"), app=self._app)

    async def bridges(self) -> dict[str, frozenset[str]]:
        """Return the bridges that are there, with the channels in each. Raises Unavailable."""
        return decode_bridges(await self._told("bridges"))

    async def _told(self, what: str) -> bytes:
        answer = await self._wire.ask(Request("GET", f"/{what}"))
        if answer.status != 200:
            raise Unavailable(f"the PBX tells no {what}: {answer.status}")
        return answer.body

    async def events(self) -> AsyncIterator[tuple[str, Happening] | None]:
        """Yield the call and what happened to it; None each time the line is there anew: read the channels."""
        async for told in self._wire.events():
            if told is None:
                yield None
            elif (found := decode_event(told)) is not None:
                yield found
