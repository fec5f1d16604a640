"""A stand-in for the community grid (智网工程): takes hand-overs, tells outcomes, and can be made to fail.

Faults (`--fault`, or `PUT /faults {"fault": …}`): `none`; `slow` answers after `delay` seconds; `down` cuts every
connection unanswered; `error` answers 500; `refusing` answers 422; `twice` records a hand-over and cuts the connection,
so that the repeat must make no second event. `GET /events` lists what it has; `POST /events/{key}/{status}` with
`{"text": …}` tells the hotline `accepted`, `contacted`, `outcome`, `returned` … under the true protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

import aiohttp
import msgspec
import structlog
from aiohttp import web

from channels.neighbour_codec import HandOver, Status, Taken, Update, decode_hand_over, decode_update
from hotline.errors import InvalidInput, Unauthenticated
from hotline.signing import signed_headers
from hotline.standins.kit import StandIn, cut, json_answer, refused

log = structlog.get_logger(__name__)


class TextBody(msgspec.Struct, frozen=True):
    """What `POST /events/{key}/{status}` takes."""

    text: str = ""


class GridEvent(msgspec.Struct, kw_only=True):
    """An event of the grid, with what the hotline has told of it since."""

    number: str
    matter: HandOver
    pushes: int = 1
    updates: list[Update] = []


class Grid(StandIn):
    """The grid. `hotline` is the address that it tells outcomes to: …/api/v1/neighbours/grid."""

    FAULTS = ("none", "slow", "down", "error", "refusing", "twice")
    ANSWERS: ClassVar = {"refusing": (422, {"error": "非网格职责"})}

    def __init__(
        self, *, secret: str, hotline: str, fault: str = "none", delay: float = 2.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(secret=secret, fault=fault, delay=delay, clock=clock)
        self._hotline = hotline.rstrip("/")
        self.events: dict[str, GridEvent] = {}

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes([
            web.post("/hand-overs", self._take), web.post("/updates", self._update), web.get("/events", self._list),
            web.post("/events/{key}/{status}", self._tell), web.put("/faults", self.set_fault),
        ])
        return app

    async def _list(self, _: web.Request) -> web.Response:
        return json_answer([*self.events.values()])

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if (failed := await self.struck(request)) is not None:
            return failed
        try:
            matter = decode_hand_over(self._checked(request, body))
        except (Unauthenticated, InvalidInput) as error:
            return refused(error)
        known = self.events.get(matter.key)
        if known is not None:
            known.pushes += 1
            return json_answer(Taken(number=known.number))
        known = self.events[matter.key] = GridEvent(number=f"W{len(self.events) + 1:06d}", matter=matter)
        log.info("grid_event", number=known.number, key=matter.key)
        return cut(request) if self.fault == "twice" else json_answer(Taken(number=known.number), status=201)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if (failed := await self.struck(request)) is not None:
            return failed
        try:
            update = decode_update(self._checked(request, body))
        except (Unauthenticated, InvalidInput) as error:
            return refused(error)
        if update.hand_over not in self.events:
            return json_answer({"error": f"no event {update.hand_over}"}, status=404)
        told = self.events[update.hand_over].updates
        if all(known.id != update.id for known in told):
            told.append(update)
        return web.Response(status=204)

    def _checked(self, request: web.Request, body: bytes) -> bytes:
        self.check(request, body)
        return body

    async def _tell(self, request: web.Request) -> web.Response:
        key, status = request.match_info["key"], request.match_info["status"]
        try:
            event = self.events[key]
            text = msgspec.json.decode(await request.read() or b"{}", type=TextBody).text
            update = Update(
                id=f"{event.number}-{status}-{len(text)}", hand_over=key, number=event.number, status=Status(status),
                text=text, at=self._clock(),
            )
        except (KeyError, ValueError, msgspec.DecodeError) as error:
            return json_answer({"error": f"{error}"}, status=400)
        body = msgspec.json.encode(update)
        headers = {"Content-Type": "application/json", **signed_headers(self._secret, body, now=self._clock())}
        async with aiohttp.ClientSession() as session, session.post(
            f"{self._hotline}/updates", data=body, headers=headers
        ) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type="application/json")

