"""HTTP for the set-up of the house: categories, figures in force, days off, queues, models, who may do what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.access import REQUESTS
from agent_ui.account_api import body_of
from agent_ui.accounts import Accounts
from agent_ui.gate import seat_of
from agent_ui.identity import Seat
from agent_ui.routes import ROUTES
from agent_ui.setup import (
    Calendars,
    CategoryRow,
    DayOff,
    Days,
    InForce,
    Models,
    Permission,
    QueuesInForce,
)
from channels.appeal_codec import Body
from channels.kit import json_response
from channels.openapi_document import Operation
from hotline.audit import Record
from hotline.errors import InvalidInput
from hotline.ports import Clock
from routing.queue_file import AgentPhone
from routing.queue_plan import Centre

_JSON = "application/json"
_BASE = "/api/v1/setup"
_FIRST, _LAST = 2004, 2100


class YearBody(Body, frozen=True, kw_only=True):
    """All days of a year that were set here; they take the place of those before."""

    year: Annotated[int, Meta(ge=_FIRST, le=_LAST)]
    days: Annotated[list[DayOff], Meta(max_length=120)]


class QueuesBody(Body, frozen=True, kw_only=True):
    """How the telephone serves from now on; agents who are not named stay as they are.

    `version`: the one that was changed, so that nobody's changes are undone unseen.
    """

    version: Annotated[int, Meta(ge=0)]
    centre: Centre
    agents: dict[str, AgentPhone] = msgspec.field(default_factory=dict)


class Queues(Protocol):
    """Queues in the database (`hotline.store.queues.QueueStore`)."""

    centre: Centre
    version: int

    async def reload(self) -> None:
        """Read them anew."""
        ...

    async def agents(self) -> dict[str, AgentPhone]:
        """Return everybody who has a telephone."""
        ...

    async def keep(
        self, centre: Centre, agents: dict[str, AgentPhone], *, by: str, now: Any, seen: int | None = None
    ) -> None:
        """Put a version in force. Raises InvalidInput; VersionConflict where `seen` is not the newest any more."""
        ...


class House(Protocol):
    """What the house tells of itself (`hotline.roles.setup.Told`)."""

    def categories(self) -> list[CategoryRow]:
        """Return the categories."""
        ...

    def thresholds(self) -> list[InForce]:
        """Return figures of clocks, waits, alarms and triage."""
        ...

    def security(self) -> list[InForce]:
        """Return figures of the identity."""
        ...

    def days(self, year: int, own: list[DayOff]) -> Days:
        """Return a year's days."""
        ...

    async def models(self) -> Models:
        """Return the models that are here, and how they compare. Reads files."""
        ...


class SetupApi:
    """Handlers."""

    def __init__(
        self, house: House, *, accounts: Accounts, calendars: Calendars, queues: Queues,
        note: Callable[[Record], Awaitable[None]], clock: Clock,
    ) -> None:
        self._house, self._accounts, self._calendars, self._queues = house, accounts, calendars, queues
        self._note, self._clock = note, clock

    async def categories(self, _: web.Request) -> web.Response:
        """The categories with the units that lead them."""
        return json_response(self._house.categories())

    async def thresholds(self, _: web.Request) -> web.Response:
        """Figures in force."""
        return json_response(await asyncio.to_thread(self._house.thresholds))

    async def security(self, _: web.Request) -> web.Response:
        """Figures of the identity."""
        return json_response(self._house.security())

    async def models(self, _: web.Request) -> web.Response:
        """Models and their comparison."""
        return json_response(await self._house.models())

    async def access(self, _: web.Request) -> web.Response:
        """Who may use what."""
        rows = [Permission(what=name, door=one.door, roles=tuple(sorted(one.roles))) for name, one in ROUTES.items()]
        rows += [
            Permission(what=f"console {kind.__struct_config__.tag}", door="console", roles=tuple(sorted(roles)))
            for kind, roles in REQUESTS.items()
        ]
        return json_response(rows)

    async def calendar(self, request: web.Request) -> web.Response:
        """A year's days off and worked."""
        year = request.query.get("year", str(self._clock().year))
        if not (year.isascii() and year.isdigit() and _FIRST <= int(year[:6]) <= _LAST):
            raise InvalidInput(f"year is from {_FIRST} to {_LAST}")
        return json_response(self._house.days(int(year), await self._calendars.days()))

    async def put_calendar(self, request: web.Request) -> web.Response:
        """Set a year's days; clocks that begin from now on count by them."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, YearBody)
        wrong = [f"{one.day}" for one in body.days if one.day.year != body.year]
        if wrong or len({one.day for one in body.days}) != len(body.days):
            raise InvalidInput(f"each day once, and in {body.year}: {', '.join(wrong[:5]) or 'a day stands twice'}")
        record = self._record(seat, "calendar.set", str(body.year), days=str(len(body.days)))
        await self._calendars.put(body.days, year=body.year, record=record, now=self._clock())
        return json_response(self._house.days(body.year, await self._calendars.days()))

    async def queues(self, _: web.Request) -> web.Response:
        """How the telephone serves."""
        await self._queues.reload()
        agents = await self._queues.agents()
        return json_response(
            QueuesInForce(version=self._queues.version, centre=self._queues.centre, agents=agents)
        )

    async def put_queues(self, request: web.Request) -> web.Response:
        """Put queues in force; running telephones follow within a second."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, QueuesBody)
        await self._queues.keep(
            body.centre, body.agents, by=seat.staff.name, now=self._clock(), seen=body.version
        )
        await self._note(self._record(
            seat, "queues.set", "", queues=str(len(body.centre.queues)), agents=str(len(body.agents))
        ))
        return await self.queues(request)

    def _record(self, seat: Seat, act: str, subject: str, **detail: str) -> Record:
        return Record(
            at=self._clock(), actor=f"{seat.staff.role}:{seat.staff.name}", act=act, subject=subject, detail=detail
        )


def routes(api: SetupApi) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    return [
        web.get(f"{_BASE}/categories", api.categories), web.get(f"{_BASE}/thresholds", api.thresholds),
        web.get(f"{_BASE}/security", api.security), web.get(f"{_BASE}/models", api.models),
        web.get(f"{_BASE}/access", api.access), web.get(f"{_BASE}/calendar", api.calendar),
        web.put(f"{_BASE}/calendar", api.put_calendar), web.get(f"{_BASE}/queues", api.queues),
        web.put(f"{_BASE}/queues", api.put_queues),
    ]


def _told(method: str, path: str, summary: str, answer: Any, *errors: str, **rest: Any) -> Operation:
    return Operation(
        method=method, path=f"{_BASE}/{path}", tag="设置", security=("staff",), summary=summary,
        answers={200: (_JSON, answer)}, errors=("unauthenticated", "forbidden", *errors), **rest,
    )


OPERATIONS: tuple[Operation, ...] = (
    _told("get", "categories", "The categories with the units that lead them", list[CategoryRow]),
    _told("get", "thresholds", "Figures in force, and where each is set", list[InForce]),
    _told("get", "security", "Figures of the identity, and where each is set", list[InForce]),
    _told("get", "models", "Models with their cards, and the shadow beside the present one", Models),
    _told("get", "access", "Who may use which route, and ask what at a console", list[Permission]),
    _told("get", "calendar", "A year's holidays and make-up days", Days, query={"year": "default: this one"}),
    _told("put", "calendar", "Set a year's holidays and make-up days", Days, body={_JSON: YearBody}),
    _told("get", "queues", "Queues and skills of the telephone", QueuesInForce),
    _told("put", "queues", "Put queues and skills in force", QueuesInForce, "unavailable", "version_conflict",
          body={_JSON: QueuesBody}),
)
