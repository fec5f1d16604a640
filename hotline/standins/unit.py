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
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import structlog
from aiohttp import web

from hotline.errors import Unauthenticated
from hotline.standins.kit import StandIn, cut, json_answer, refused
from hotline.terms import State
from routing.unit_codec import Part, UnitEvent, UnitPage

log = structlog.get_logger(__name__)
REPLY = {"internal": "已派人到场处理", "public": "您反映的问题已到场核实并处理完毕,感谢您的监督。"}


class Taken(msgspec.Struct, kw_only=True):
    """A webhook as it was taken: how often it came, and what it said."""

    delivery: str
    times: int
    event: UnitEvent


class UnitDesk(StandIn):
    """The receiving side: checks signatures, keeps one entry for each delivery id."""

    FAULTS = ("none", "slow", "down", "error", "twice")

    def __init__(
        self, *, secret: str, fault: str = "none", delay: float = 2.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(secret=secret, fault=fault, delay=delay, clock=clock)
        self.taken: dict[str, Taken] = {}
        self.attempts: list[str] = []
        self.refused = 0

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes([
            web.post("/webhook", self._webhook), web.get("/received", self._list), web.put("/faults", self.set_fault),
        ])
        return app

    async def _list(self, _: web.Request) -> web.Response:
        return json_answer([*self.taken.values()])

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.attempts.append(request.headers.get("X-Delivery-Id", ""))
        if (answer := await self.struck(request)) is not None:
            return answer
        try:
            new = self._take(request, body)
        except (Unauthenticated, msgspec.DecodeError) as error:
            self.refused += 1
            return refused(error)
        return cut(request) if new and self.fault == "twice" else web.Response(status=204)

    def _take(self, request: web.Request, body: bytes) -> bool:
        self.check(request, body)
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

