"""A stand-in for the 110 desk: speaks the true protocol, keeps one incident per key, and can be made to fail.

Faults (`--fault`, or `PUT /faults {"fault": …}` while it runs): `none`; `slow` answers after `delay` seconds; `down`
cuts every connection unanswered; `refusing` answers accepted=false; `twice` records the push, cuts the connection, and
answers the repeat, so it has answered twice; `error` answers 500. `GET /incidents` lists what it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import structlog
from aiohttp import web

from hotline.errors import InvalidInput, Unauthenticated
from hotline.signing import verify

log = structlog.get_logger(__name__)
Fault = Literal["none", "slow", "down", "refusing", "twice", "error"]
FAULTS: tuple[Fault, ...] = ("none", "slow", "down", "refusing", "twice", "error")


class FaultBody(msgspec.Struct, frozen=True):
    """What `PUT /faults` takes."""

    fault: Fault
    delay: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 2.0


class Received(msgspec.Struct, kw_only=True):
    """An incident of the desk: how often it was pushed under its key, and when it first came."""

    incident: str
    key: str
    accepted: bool
    received_at: datetime
    pushes: int = 1
    payload: dict[str, Any] = {}


class Desk:
    """The desk. `ledger` is a file that gets a line for each new incident, so that a test can count after a crash."""

    def __init__(
        self, *, secret: str, fault: Fault = "none", delay: float = 2.0, ledger: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._secret, self._fault, self._delay, self._ledger, self._clock = secret, fault, delay, ledger, clock
        self.incidents: dict[str, Received] = {}
        self.outcomes: dict[str, Any] = {}

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes([
            web.post("/incidents", self._push), web.post("/outcomes", self._outcome), web.get("/incidents", self._list),
            web.get("/", self._hello), web.put("/faults", self._set_fault),
        ])
        return app

    async def _hello(self, _: web.Request) -> web.Response:
        return _json({"desk": "110", "fault": self._fault, "incidents": len(self.incidents)})

    async def _list(self, _: web.Request) -> web.Response:
        return _json([*self.incidents.values()])

    async def _set_fault(self, request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read(), type=FaultBody)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, status=400)
        self._fault, self._delay = body.fault, body.delay
        return _json({"fault": self._fault})

    async def _push(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        match self._fault:
            case "down":
                return _cut(request)
            case "error":
                return _json({"error": "the desk is broken"}, status=500)
            case "slow":
                await asyncio.sleep(self._delay)
            case "none" | "refusing" | "twice":
                pass
        try:
            known, new = self._record(request, body)
        except (Unauthenticated, InvalidInput) as error:
            return _json({"error": error.detail}, status=401 if isinstance(error, Unauthenticated) else 400)
        if new and self._fault == "twice":
            return _cut(request)
        reason = {} if known.accepted else {"reason": "非警务警情"}
        return _json({"incident": known.incident, "accepted": known.accepted, **reason})

    def _record(self, request: web.Request, body: bytes) -> tuple[Received, bool]:
        key = self._checked(request, body)
        if key in self.incidents:
            self.incidents[key].pushes += 1
            return self.incidents[key], False
        now = self._clock()
        known = Received(
            incident=f"J{now:%Y%m%d}{len(self.incidents) + 1:06d}", key=key, accepted=self._fault != "refusing",
            received_at=now, payload=_decoded(body),
        )
        self.incidents[key] = known
        self._write(known)
        log.info("incident", incident=known.incident, key=key, number=known.payload.get("number"))
        return known, True

    def _checked(self, request: web.Request, body: bytes) -> str:
        headers = request.headers
        verify(self._secret, headers.get("X-Timestamp", ""), headers.get("X-Signature", ""), body, now=self._clock())
        key = headers.get("Idempotency-Key", "")
        if not key:
            raise InvalidInput("a push needs an Idempotency-Key")
        return key

    async def _outcome(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            key = self._checked(request, body)
            self.outcomes.setdefault(key, _decoded(body))
        except (Unauthenticated, InvalidInput) as error:
            return _json({"error": error.detail}, status=401 if isinstance(error, Unauthenticated) else 400)
        return _json({"outcome": key})

    def _write(self, known: Received) -> None:
        if self._ledger is not None:
            with self._ledger.open("ab") as file:
                file.write(msgspec.json.encode(known) + b"\n")


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the body must be a JSON object: {error}") from error


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
