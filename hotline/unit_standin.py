"""A stand-in for a unit's own system: takes signed webhooks, pulls tickets, and can handle them by itself.

Faults (`--fault`, or `PUT /faults {"fault": …}` while it runs): `none`; `slow` answers after `delay` seconds; `down`
cuts every connection unanswered; `error` answers 500; `twice` takes a webhook and cuts the connection, so it comes
again.
`GET /received` lists what it has: one entry for each delivery id, with how often it came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
import msgspec
import structlog
from aiohttp import web

from hotline.errors import Unauthenticated
from hotline.signing import verify
from hotline.terms import State
from routing.unit_codec import Part, UnitEvent, UnitPage

log = structlog.get_logger(__name__)
Fault = Literal["none", "slow", "down", "error", "twice"]
FAULTS: tuple[Fault, ...] = ("none", "slow", "down", "error", "twice")
REPLY = {"internal": "已派人到场处理", "public": "您反映的问题已到场核实并处理完毕,感谢您的监督。"}


class FaultBody(msgspec.Struct, frozen=True):
    """What `PUT /faults` takes."""

    fault: Fault
    delay: float = 2.0


class Taken(msgspec.Struct, kw_only=True):
    """A webhook as it was taken: how often it came, and what it said."""

    delivery: str
    times: int
    event: UnitEvent


class UnitDesk:
    """The receiving side: checks signatures, keeps one entry for each delivery id."""

    def __init__(
        self, *, secret: str, fault: Fault = "none", delay: float = 2.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._secret, self.fault, self._delay, self._clock = secret, fault, delay, clock
        self.taken: dict[str, Taken] = {}
        self.attempts: list[str] = []
        self.refused = 0

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes([
            web.post("/webhook", self._webhook), web.get("/received", self._list), web.put("/faults", self._set_fault),
        ])
        return app

    async def _list(self, _: web.Request) -> web.Response:
        return _json([*self.taken.values()])

    async def _set_fault(self, request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read(), type=FaultBody)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, status=400)
        self.fault, self._delay = body.fault, body.delay
        return _json({"fault": self.fault})

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.attempts.append(request.headers.get("X-Delivery-Id", ""))
        match self.fault:
            case "down":
                return _cut(request)
            case "error":
                return _json({"error": "the unit's system is broken"}, status=500)
            case "slow":
                await asyncio.sleep(self._delay)
            case "none" | "twice":
                pass
        try:
            new = self._take(request, body)
        except (Unauthenticated, msgspec.DecodeError) as error:
            self.refused += 1
            return _json({"error": str(error)}, status=401 if isinstance(error, Unauthenticated) else 400)
        return _cut(request) if new and self.fault == "twice" else web.Response(status=204)

    def _take(self, request: web.Request, body: bytes) -> bool:
        headers = request.headers
        verify(self._secret, headers.get("X-Timestamp", ""), headers.get("X-Signature", ""), body, now=self._clock())
        event = msgspec.json.decode(body, type=UnitEvent)
        if event.delivery in self.taken:
            self.taken[event.delivery].times += 1
            return False
        self.taken[event.delivery] = Taken(delivery=event.delivery, times=1, event=event)
        log.info("webhook", number=event.number, happened=event.event, state=event.summary.state, part=event.part)
        return True


class UnitClient:
    """The asking side: pulls the unit's tickets by cursor and handles those that it leads."""

    def __init__(self, session: aiohttp.ClientSession, *, base: str, unit: str, token: str) -> None:
        self._session, self._base = session, f"{base.rstrip('/')}/api/v1/units/{quote(unit, safe='')}"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._cursor = ""

    async def pull(self) -> list[UnitEvent]:
        """Return what is new, in order."""
        found: list[UnitEvent] = []
        more = True
        while more:
            url, asked = f"{self._base}/tickets", {"cursor": self._cursor}
            async with self._session.get(url, params=asked, headers=self._headers) as answer:
                answer.raise_for_status()
                page = msgspec.json.decode(await answer.read(), type=UnitPage)
            found += page.tickets
            self._cursor, more = page.next, page.more
        return found

    async def act(self, number: str, command: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Act on a ticket under a key and return the answer; a refusal comes as its problem."""
        headers = self._headers | {"Idempotency-Key": key}
        url = f"{self._base}/tickets/{number}/commands"
        async with self._session.post(url, json={"command": command}, headers=headers) as answer:
            return msgspec.json.decode(await answer.read(), type=dict[str, Any])

    async def handle(self, event: UnitEvent) -> None:
        """Sign, contact and reply, as far as the ticket allows; a repeat does nothing."""
        if event.part is not Part.LEAD or event.summary.state not in (State.PENDING_SIGN, State.HANDLING):
            return
        for command in ({"type": "sign"}, {"type": "record_contact"}, {"type": "reply", **REPLY}):
            answer = await self.act(event.number, command, key=f"{event.number}-{command['type']}")
            log.info("acted", number=event.number, command=command["type"], answer=answer)


async def handle_forever(client: UnitClient, *, interval: float) -> None:
    """Pull and handle again and again, `interval` seconds apart; a hotline that is away is asked again."""
    while True:
        try:
            for event in await client.pull():
                await client.handle(event)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("hotline_away", error=repr(error))
        await asyncio.sleep(interval)


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
