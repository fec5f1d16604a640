"""A stand-in for the 110 desk: speaks the true protocol, keeps one incident per key, and can be made to fail.

Faults (`--fault`, or `PUT /faults {"fault": …}` while it runs): `none`; `slow` answers after `delay` seconds; `down`
cuts every connection unanswered; `refusing` answers accepted=false; `twice` records the push, cuts the connection, and
answers the repeat, so it has answered twice; `error` answers 500; `unsigned` takes incidents and tells nothing more.
`GET /incidents` lists what it has. Where it knows the hotline's address it tells that it has signed each incident.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import structlog
from aiohttp import web

from channels.police_codec import IncidentUpdate, Outcome, decode_outcome
from hotline.errors import InvalidInput, Unauthenticated
from hotline.signing import signed_headers
from hotline.standins.kit import StandIn, cut, json_answer, refused

log = structlog.get_logger(__name__)
_MOST_TO_SIGN = 10_000
"""Incidents that may wait to be signed; what comes beyond stays unsigned."""


class Received(msgspec.Struct, kw_only=True):
    """An incident of the desk: how often it was pushed under its key, and when it first came."""

    incident: str
    key: str
    accepted: bool
    received_at: datetime
    pushes: int = 1
    payload: dict[str, Any] = {}


class Desk(StandIn):
    """The desk. `ledger` is a file that gets a line for each new incident, so that a test can count after a crash."""

    FAULTS = ("none", "slow", "down", "refusing", "twice", "error", "unsigned")

    def __init__(
        self, *, secret: str, fault: str = "none", delay: float = 2.0, ledger: Path | None = None, hotline: str = "",
        signs_after: float = 2.0, clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`hotline`: where it tells what it has signed, so many seconds after it came; "" for nowhere."""
        super().__init__(secret=secret, fault=fault, delay=delay, clock=clock)
        self._ledger, self._hotline, self._signs_after = ledger, hotline.rstrip("/"), signs_after
        self._to_sign: asyncio.Queue[str] = asyncio.Queue(_MOST_TO_SIGN)
        self.incidents: dict[str, Received] = {}
        self.outcomes: dict[str, Outcome] = {}

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes([
            web.post("/incidents", self._push), web.post("/outcomes", self._outcome), web.get("/incidents", self._list),
            web.get("/", self._hello), web.put("/faults", self.set_fault),
        ])
        if self._hotline:
            app.cleanup_ctx.append(self._signing)
        return app

    async def _signing(self, _: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            work = asyncio.create_task(self._sign_all(session))
            yield
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _sign_all(self, session: aiohttp.ClientSession) -> None:
        """Tell of each incident until the hotline has heard it."""
        while True:
            key = await self._to_sign.get()
            await asyncio.sleep(self._signs_after)
            if not await self._signed(session, key):
                self._will_sign(key)

    def _will_sign(self, key: str) -> None:
        if self._hotline and self.fault != "unsigned" and not self._to_sign.full():
            self._to_sign.put_nowait(key)

    async def _signed(self, session: aiohttp.ClientSession, key: str) -> bool:
        body = msgspec.json.encode(IncidentUpdate(key=key, status="signed"))
        address = f"{self._hotline}/api/v1/police/incidents/{quote(key, safe='')}"
        try:
            signed = signed_headers(self._secret, body, now=self._clock())
            async with session.post(address, data=body, headers=signed) as answer:
                if answer.status not in (200, 204):
                    log.warning("not_signed", key=key, status=answer.status)
                return answer.status < 500
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("not_signed", key=key, error=type(error).__name__)
            return False

    async def _hello(self, _: web.Request) -> web.Response:
        return json_answer({"desk": "110", "fault": self.fault, "incidents": len(self.incidents)})

    async def _list(self, _: web.Request) -> web.Response:
        return json_answer([*self.incidents.values()])

    async def _push(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if (answer := await self.struck(request)) is not None:
            return answer
        try:
            known, new = self._record(request, body)
        except (Unauthenticated, InvalidInput) as error:
            return refused(error)
        if new and self.fault == "twice":
            return cut(request)
        reason = {} if known.accepted else {"reason": "非警务警情"}
        return json_answer({"incident": known.incident, "accepted": known.accepted, **reason})

    def _record(self, request: web.Request, body: bytes) -> tuple[Received, bool]:
        key = self._checked(request, body)
        if key in self.incidents:
            self.incidents[key].pushes += 1
            return self.incidents[key], False
        now = self._clock()
        known = Received(
            incident=f"J{now:%Y%m%d}{len(self.incidents) + 1:06d}", key=key, accepted=self.fault != "refusing",
            received_at=now, payload=_decoded(body),
        )
        self.incidents[key] = known
        self._write(known)
        if known.accepted:
            self._will_sign(key)
        log.info("incident", incident=known.incident, key=key, number=known.payload.get("number"))
        return known, True

    def _checked(self, request: web.Request, body: bytes) -> str:
        self.check(request, body)
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            raise InvalidInput("a push needs an Idempotency-Key")
        return key

    async def _outcome(self, request: web.Request) -> web.Response:
        body = await request.read()
        if (answer := await self.struck(request)) is not None:
            return answer
        try:
            key, outcome = self._checked(request, body), decode_outcome(body)
        except (Unauthenticated, InvalidInput) as error:
            return refused(error)
        new = key not in self.outcomes
        self.outcomes.setdefault(key, outcome)
        return cut(request) if new and self.fault == "twice" else json_answer({"outcome": key})

    def _write(self, known: Received) -> None:
        if self._ledger is not None:
            with self._ledger.open("ab") as file:
                file.write(msgspec.json.encode(known) + b"\n")


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the body must be a JSON object: {error}") from error

