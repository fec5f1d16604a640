"""The console's WebSocket protocol against frames that no console sends: each is answered, none ends the gateway.

Frames are made as the codecs' cases are, many with real types and ids, some binary, huge or in a row without a pause.
A console that makes too many mistakes is told `bye` and may come back. Wrong is: a frame with an id that nobody
answers, an answer that the AsyncAPI document does not know, `internal`, or a gateway that takes no log-in any more.
"""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any, get_args

import aiohttp
import msgspec
from tqdm import tqdm
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from agent_ui import protocol
from tests.fuzz.codecs import CONSOLE, FIELDS, ODD, payload_of
from tests.fuzz.http import seed_tickets
from tests.fuzz.identities import STAFF, UNIT, add_people, environment, known_numbers
from tests.processes import PASSWORD, House

COMMANDS = [kind.__struct_config__.tag for kind in get_args(protocol.Command)]
TOPICS = ["centre", "tickets", "emergency", "alarms", "presence", "callbacks", f"department:{UNIT}", "agent:x", "\0",
          "ticket:"]
TALK = 15
"""Frames of a connection: mistakes are counted, so a longer one would be ended for them."""


class ConsoleFuzz:
    """Consoles that misbehave, and what was wrong with how they were met."""

    def __init__(self, house: House, numbers: list[tuple[str, str]], *, seed: int) -> None:
        self._house, self._numbers, self._rng = house, numbers, random.Random(seed)
        self.cases, self.answered, self.byes = 0, 0, 0
        self._sessions: dict[str, str] = {}
        self.wrong: dict[str, str] = {}

    async def run(self, cases: int, *, quiet: bool) -> None:
        """Send about `cases` frames."""
        names = [name for name, (role, *_) in STAFF.items() if not role.endswith("_admin")]  # they have no console
        async with aiohttp.ClientSession() as session:
            with tqdm(total=cases, desc="console", unit=" frames", disable=quiet) as bar:
                while self.cases < cases and len(self.wrong) < 50:
                    before = self.cases
                    await asyncio.gather(*(self._talk(session, name) for name in self._rng.sample(names, 3)))
                    bar.update(self.cases - before)

    async def _talk(self, session: aiohttp.ClientSession, name: str) -> None:
        try:
            ticket = await self._ticket(session, name)
            async with connect(self._house.ws_url, max_size=None, open_timeout=20) as socket:
                if self._rng.random() > 0.1:
                    await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
                await self._frames(socket)
        except ConnectionClosed:
            return  # the gateway may end a connection, and says why
        except (InvalidHandshake, aiohttp.ClientError, TimeoutError, OSError) as error:
            self.wrong.setdefault("no way in", f"{name}: {type(error).__name__}: {error}")

    async def _ticket(self, session: aiohttp.ClientSession, name: str) -> str:
        """Return a one-time ticket; people log in anew only when their session has ended (a password takes time)."""
        if name not in self._sessions:
            login = {"name": name, "password": PASSWORD}
            async with session.post(f"{self._house.url}/api/v1/login", json=login) as answer:
                answer.raise_for_status()
                self._sessions[name] = (await answer.json())["token"]
        headers = {"Authorization": f"Bearer {self._sessions[name]}"}
        async with session.post(f"{self._house.url}/api/v1/console-ticket", headers=headers) as answer:
            if answer.status == 401:
                del self._sessions[name]
                return await self._ticket(session, name)
            answer.raise_for_status()
            return str((await answer.json())["ticket"])

    async def _frames(self, socket: ClientConnection) -> None:
        asked: dict[int, Any] = {}
        listening = asyncio.create_task(self._listen(socket, asked))
        try:
            for _ in range(TALK):
                frame = self._frame()
                self.cases += 1
                if isinstance(frame, dict) and type(frame.get("id")) is int and 0 <= frame["id"] < 2**53:
                    asked[frame["id"]] = frame  # a `true` is no id: it is refused, without one
                data = frame if isinstance(frame, bytes) else json.dumps(frame)
                await socket.send(data if self._rng.random() < 0.9 else str(data).encode("utf-8", "replace"))
            await socket.send(json.dumps({"type": "ping"}))
            async with asyncio.timeout(20):
                await listening
        except TimeoutError:
            self.wrong.setdefault("unanswered", f"{list(asked.values())[:5]}")
        finally:
            listening.cancel()

    async def _listen(self, socket: ClientConnection, asked: dict[int, Any]) -> None:
        """Take answers until all that was asked is answered and the last ping too, or the gateway has ended it."""
        ponged = False
        async for data in socket:
            frame = self._decoded(data)
            if isinstance(frame, protocol.Error | protocol.Ok) and frame.id is not None:
                self.answered += asked.pop(frame.id, None) is not None
            if isinstance(frame, protocol.Snapshot):
                asked.pop(getattr(frame, "id", None) or -1, None)
            self.byes += isinstance(frame, protocol.Bye)
            ponged = ponged or isinstance(frame, protocol.Pong)
            if ponged and not asked:
                return

    def _decoded(self, data: str | bytes) -> protocol.ServerFrame | None:
        try:
            frame = msgspec.json.decode(data, type=protocol.ServerFrame)
        except msgspec.MsgspecError as error:
            self.wrong.setdefault(f"unknown frame: {error}"[:80], repr(data)[:500])
            return None
        if isinstance(frame, protocol.Error) and frame.error_id == "internal":
            self.wrong.setdefault("internal", frame.detail)
        return frame

    def _frame(self) -> Any:
        rng = self._rng
        if rng.random() < 0.25:
            return payload_of(rng)
        number = rng.choice(self._numbers)[0]
        frame: dict[str, Any] = {"type": rng.choice(CONSOLE), "id": rng.randrange(10**6)}
        frame |= {name: value for name, value in {
            "number": number, "topic": rng.choice(TOPICS), "topics": [rng.choice(TOPICS)],
            "limit": rng.randrange(-1, 600),
            "command": {"type": rng.choice(COMMANDS), "reason": rng.choice(ODD), "text": rng.choice(ODD)},
            "text": rng.choice(ODD), "reason": "查看", "query": rng.choice(ODD),
            "state": rng.choice(["available", "x", ""]),
            "cursor": rng.choice(["", "1-1", "9" * 60, "\0"]), "since_version": rng.randrange(3),
            rng.choice(FIELDS): rng.choice(ODD),
        }.items() if rng.random() < 0.35}
        return frame


async def fuzz_console(*, cases: int, seed: int = 1, quiet: bool = False) -> ConsoleFuzz:
    """Run it against a gateway of its own and return what was found."""
    async with House(durable=False, environment=environment()) as house:
        await asyncio.to_thread(add_people, house)
        house.start_desk()
        await house.serve()
        await asyncio.to_thread(seed_tickets, house)
        fuzz = ConsoleFuzz(house, await known_numbers(house.dsn), seed=seed)
        await fuzz.run(cases, quiet=quiet)
        for line in house.log_of("service").splitlines():
            if "Traceback" in line:
                fuzz.wrong.setdefault(f"log: {line[:60]}", line[-1500:])
        return fuzz
