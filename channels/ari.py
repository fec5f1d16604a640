"""Adapter for Asterisk: requests over REST, events over a WebSocket that is opened again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import aiohttp
import structlog

from channels.ari_codec import APP, PbxChannel, decode_channels, decode_event, requests_of, tap_requests, untap_requests
from hotline.errors import Unavailable
from routing.call_words import Action, Happening

log = structlog.get_logger(__name__)
_JOINS = 20
_GONE = {404, 409, 412, 422}
"""What the PBX answers about a channel or bridge that is there no more, or not yet ours; how often we ask again."""


class Ari:
    """One PBX. `base` is ARI's address, `http://127.0.0.1:8088/ari`."""

    def __init__(
        self, session: aiohttp.ClientSession, *, base: str, user: str, password: str, trunk: str, ring: int = 60,
        sound_to: str = "",
    ) -> None:
        """`sound_to`: host and port to which the PBX sends the sound of taps."""
        self.sound_to = sound_to
        self._session, self._base, self._trunk, self._ring = session, base.rstrip("/"), trunk, ring
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}

    async def perform(self, action: Action) -> bool:
        """Carry an action out; False where the channel is gone, which its own event tells.

        Raises:
            Unavailable: the PBX does not answer.
        """
        done = True
        for request in requests_of(action, trunk=self._trunk, ring=self._ring):
            done &= await self._ask(request.method, request.path, dict(request.query))
        return done

    async def _ask(self, method: str, path: str, query: dict[str, str]) -> bool:
        timeout = aiohttp.ClientTimeout(total=5)
        try:
            async with self._session.request(
                method, self._base + path, params=query, headers=self._headers, timeout=timeout
            ) as answer:
                if answer.status in _GONE:
                    return False
                if answer.status >= 400 and "not found" not in (body := await answer.text()):
                    log.warning("ari_refused", path=path, status=answer.status, body=body[:200])
                return answer.status < 400
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the PBX does not answer: {error!r}") from error

    async def tap(self, name: str, channel: str, id_: str) -> bool:
        """Let the sound of a channel go to `sound_to`; False where the channel is gone. Raises Unavailable."""
        *begin, join = tap_requests(name, channel, id_, sound_to=self.sound_to)
        for request in begin:
            if not await self._ask(request.method, request.path, dict(request.query)):
                return False
        for _ in range(_JOINS):
            if await self._ask(join.method, join.path, dict(join.query)):
                return True
            await asyncio.sleep(0.1)
        return False

    async def untap(self, name: str) -> None:
        """End it. Raises Unavailable."""
        for request in untap_requests(name):
            await self._ask(request.method, request.path, dict(request.query))

    async def recording(self, name: str) -> bytes | None:
        """Return a recording as WAV, None where there is none. Raises Unavailable."""
        timeout = aiohttp.ClientTimeout(total=120)
        path = f"{self._base}/recordings/stored/{quote(name, safe='')}/file"
        try:
            async with self._session.get(path, headers=self._headers, timeout=timeout) as answer:
                if answer.status == 404:
                    return None
                answer.raise_for_status()
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the PBX does not answer: {error!r}") from error

    async def drop_recording(self, name: str) -> None:
        """Delete a recording at the PBX. Raises Unavailable."""
        await self._ask("DELETE", f"/recordings/stored/{quote(name, safe='')}", {})

    async def channels(self) -> list[PbxChannel]:
        """Return the channels that are there. Raises Unavailable."""
        try:
            async with self._session.get(f"{self._base}/channels", headers=self._headers) as answer:
                answer.raise_for_status()
                return decode_channels(await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the PBX does not answer: {error!r}") from error

    async def events(self) -> AsyncIterator[tuple[str, Happening] | None]:
        """Yield the call and what happened to it; None each time the connection is there anew: read the channels.

        Ends never; a lost connection is made again after a growing pause.
        """
        pause = 0.2
        while True:
            try:
                async with self._session.ws_connect(
                    f"{self._base}/events", params={"app": APP}, headers=self._headers, heartbeat=5
                ) as socket:
                    pause = 0.2
                    yield None
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.TEXT and (found := decode_event(message.data)) is not None:
                            yield found
                log.warning("ari_lost", why="closed")
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("ari_lost", why=repr(error), retry_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
