"""A stand-in for an SMS gateway and an app's push: speaks the true protocol (`channels.sms`), and can be made to fail.

Faults (`--fault`, or `PUT /faults {"fault": …}` while it runs): `none`; `slow` answers after `delay` seconds; `down`
cuts every connection; `refusing` answers 422; `busy` answers 429; `error` 500; `twice` takes the message, cuts the
connection, and answers the repeat. `GET /messages` lists what arrived, each key once, with how often it was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
import structlog
from aiohttp import web

from channels.sms import Letter
from hotline.errors import Unauthenticated
from hotline.signing import verify

log = structlog.get_logger(__name__)
Fault = Literal["none", "slow", "down", "refusing", "busy", "error", "twice"]
FAULTS: tuple[Fault, ...] = ("none", "slow", "down", "refusing", "busy", "error", "twice")
KEPT = 10_000


class FaultBody(msgspec.Struct, frozen=True):
    """What `PUT /faults` takes."""

    fault: Fault
    delay: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 2.0


class Arrived(msgspec.Struct, kw_only=True):
    """A message as a telephone would show it."""

    letter: Letter
    received_at: datetime
    sends: int = 1


class SmsStandIn:
    """The gateway; keeps the newest 10,000 messages."""

    def __init__(
        self, *, secret: str, fault: Fault = "none", delay: float = 2.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._secret, self.fault, self._delay, self._clock = secret, fault, delay, clock
        self.messages: dict[str, Arrived] = {}

    def app(self) -> web.Application:
        """Return the application; messages are taken at `/` and `/sms`."""
        app = web.Application()
        app.add_routes([
            web.post("/", self._take), web.post("/sms", self._take), web.post("/push", self._take),
            web.get("/messages", self._list), web.get("/", self._hello), web.put("/faults", self._set_fault),
        ])
        return app

    async def _hello(self, _: web.Request) -> web.Response:
        return _json({"gateway": "sms", "fault": self.fault, "messages": len(self.messages)})

    async def _list(self, _: web.Request) -> web.Response:
        return _json([*self.messages.values()])

    async def _set_fault(self, request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read(), type=FaultBody)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, status=400)
        self.fault, self._delay = body.fault, body.delay
        return _json({"fault": self.fault})

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        match self.fault:
            case "down":
                return _cut(request)
            case "error":
                return _json({"error": "the gateway is broken"}, status=500)
            case "busy":
                return web.Response(status=429, headers={"Retry-After": "1"})
            case "refusing":
                return _json({"error": "the number cannot be reached"}, status=422)
            case "slow":
                await asyncio.sleep(self._delay)
            case "none" | "twice":
                pass
        try:
            letter = self._checked(request, body)
        except (Unauthenticated, msgspec.DecodeError) as error:
            return _json({"error": str(error)}, status=401 if isinstance(error, Unauthenticated) else 400)
        new = self._keep(letter)
        return _cut(request) if new and self.fault == "twice" else _json({"id": letter.key})

    def _checked(self, request: web.Request, body: bytes) -> Letter:
        headers = request.headers
        verify(self._secret, headers.get("X-Timestamp", ""), headers.get("X-Signature", ""), body, now=self._clock())
        return msgspec.json.decode(body, type=Letter)

    def _keep(self, letter: Letter) -> bool:
        known = self.messages.get(letter.key)
        if known is not None:
            known.sends += 1
            return False
        self.messages[letter.key] = Arrived(letter=letter, received_at=self._clock())
        if len(self.messages) > KEPT:
            self.messages.pop(next(iter(self.messages)))
        log.info("message", to=letter.to, key=letter.key)
        return True


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
