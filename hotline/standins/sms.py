"""A stand-in for an SMS gateway and an app's push: speaks the true protocol (`channels.sms`), and can be made to fail.

Faults (`--fault`, or `PUT /faults {"fault": …}` while it runs): `none`; `slow` answers after `delay` seconds; `down`
cuts every connection; `refusing` answers 422; `busy` answers 429; `error` 500; `twice` takes the message, cuts the
connection, and answers the repeat. `GET /messages` lists what arrived, each key once, with how often it was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
import structlog
from aiohttp import web

from channels import sms_codec
from channels.sms_codec import Letter
from hotline.errors import Unauthenticated
from hotline.standins.kit import StandIn, cut, json_answer, refused

log = structlog.get_logger(__name__)
KEPT = 10_000


class Arrived(msgspec.Struct, kw_only=True):
    """A message as a telephone would show it."""

    letter: Letter
    received_at: datetime
    sends: int = 1


class SmsStandIn(StandIn):
    """The gateway; keeps the newest 10,000 messages."""

    FAULTS = ("none", "slow", "down", "refusing", "busy", "error", "twice")
    ANSWERS: ClassVar = {"refusing": (422, {"error": "the number cannot be reached"})}

    def __init__(
        self, *, secret: str, fault: str = "none", delay: float = 2.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(secret=secret, fault=fault, delay=delay, clock=clock)
        self.messages: dict[str, Arrived] = {}

    def app(self) -> web.Application:
        """Return the application; messages are taken at `/` and `/sms`."""
        app = web.Application()
        app.add_routes([
            web.post("/", self._take), web.post("/sms", self._take), web.post("/push", self._take),
            web.get("/messages", self._list), web.get("/", self._hello), web.put("/faults", self.set_fault),
        ])
        return app

    async def _hello(self, _: web.Request) -> web.Response:
        return json_answer({"gateway": "sms", "fault": self.fault, "messages": len(self.messages)})

    async def _list(self, _: web.Request) -> web.Response:
        return json_answer([*self.messages.values()])

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.fault == "busy":
            return web.Response(status=429, headers={"Retry-After": "1"})
        if (answer := await self.struck(request)) is not None:
            return answer
        try:
            letter = self._checked(request, body)
        except (Unauthenticated, msgspec.DecodeError) as error:
            return refused(error)
        new = self._keep(letter)
        return cut(request) if new and self.fault == "twice" else json_answer({"id": letter.key})

    def _checked(self, request: web.Request, body: bytes) -> Letter:
        self.check(request, body)
        return sms_codec.decode(body)

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

