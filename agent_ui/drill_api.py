"""From any number to what stands behind it: tickets, calls, the heat map, hot spots with what citizens wrote.

The centre sees all of it, a department the tickets behind its own figures. Rows of tickets hold no personal data beyond
their titles; texts and telephone numbers are masked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

import msgspec
from aiohttp import web

from agent_ui.figures_kit import Session, department_of, question_of, whole
from agent_ui.masking import mask_public, mask_text
from channels.kit import json_response
from hotline.drill import Drill, Side
from hotline.drill_views import CallPage, CallSide, Cell, DrillPage, Heat, Named, RowPage, Told, ToldList
from hotline.errors import Forbidden, InvalidInput
from hotline.events import Receive
from hotline.hotspot import HotSpot
from hotline.metric_views import local_day, midnight
from hotline.ports import Clock
from hotline.terms import State

MAX_PAGE, MAX_TEXTS = 200, 50
E = TypeVar("E", Side, CallSide, State)


class Numbers(Protocol):
    """What stands behind numbers (`hotline.store.drill.DrillStore`)."""

    async def tickets(self, drill: Drill, *, cursor: str = "", limit: int = 50) -> DrillPage:
        """Return a page of the tickets behind a figure. Raises InvalidInput."""
        ...

    async def standing(
        self, state: State, *, late: bool | None, now: datetime, department: str = "", town: str = "",
        cursor: str = "", limit: int = 50,
    ) -> RowPage:
        """Return tickets that stand in a state."""
        ...

    async def calls(
        self, start: datetime, end: datetime, side: CallSide, *, agent: str = "", cursor: str = "", limit: int = 50
    ) -> CallPage:
        """Return calls that asked for an agent."""
        ...

    async def heat(self, first: date, end: date, *, l1: str = "", channel: str = "", kind: str = "") -> list[Cell]:
        """Return appeals by town and category."""
        ...

    async def texts(self, numbers: Sequence[str]) -> list[tuple[str, Receive, tuple[str, ...], msgspec.Raw]]:
        """Return number, first event, the citizen's names and row of tickets."""
        ...


class HotSpotList(msgspec.Struct, frozen=True, kw_only=True):
    """The active hot spots and those that ended within a day, the newest first."""

    hotspots: tuple[HotSpot, ...]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The city's words: first levels, second levels by the code of the first, towns and units in their order."""

    l1: tuple[Named, ...]
    l2: dict[str, tuple[str, ...]]
    towns: tuple[str, ...]
    units: tuple[str, ...]


class Drills:
    """Handlers. `spots` gives the hot spots of a moment."""

    def __init__(
        self, numbers: Numbers, *, session: Session, clock: Clock, terms: Callable[[], Terms],
        spots: Callable[[datetime], Awaitable[Sequence[HotSpot]]],
    ) -> None:
        self._numbers, self._session, self._clock = numbers, session, clock
        self._terms, self._spots = terms, spots

    async def tickets(self, request: web.Request) -> web.Response:
        """Return the tickets behind a figure; the query is that of the figure, with `figure`, `part` and `side`."""
        department, query = department_of(await self._session(request)), request.query
        asked = question_of(request, today=local_day(self._clock()), department=department)
        drill = Drill(
            asked=asked, figure=query.get("figure", ""), part=query.get("part", ""),
            side=_one_of(Side, query.get("side"), Side.NUMERATOR),
        )
        return json_response(await self._numbers.tickets(drill, cursor=query.get("cursor", ""), limit=_limit(request)))

    async def standing(self, request: web.Request) -> web.Response:
        """Return tickets in a state; `late` is yes, no or absent."""
        own, query = department_of(await self._session(request)), request.query
        if own and query.get("department", own) != own:
            raise Forbidden("a department sees its own tickets")
        if (late := query.get("late", "")) not in ("", "yes", "no"):
            raise InvalidInput("late is yes or no")
        return json_response(await self._numbers.standing(
            _one_of(State, query.get("state"), None), late={"": None, "yes": True, "no": False}[late],
            now=self._clock(), department=own or query.get("department", ""), town=query.get("town", ""),
            cursor=query.get("cursor", ""), limit=_limit(request),
        ))

    async def calls(self, request: web.Request) -> web.Response:
        """Return calls of local days, or of the last 24 hours without any; the telephone is masked."""
        await self._centre(request)
        query = request.query
        if "to" in query or "from" in query:
            asked = question_of(request, today=local_day(self._clock()))
            start, end = midnight(asked.first), midnight(asked.end)
        else:
            start, end = self._clock() - timedelta(days=1), self._clock()
        page = await self._numbers.calls(
            start, end, _one_of(CallSide, query.get("side"), CallSide.ASKED), agent=query.get("agent", ""),
            cursor=query.get("cursor", ""), limit=_limit(request),
        )
        masked = tuple(msgspec.structs.replace(call, caller=mask_text(call.caller)) for call in page.calls)
        return json_response(msgspec.structs.replace(page, calls=masked))

    async def heat(self, request: web.Request) -> web.Response:
        """Return appeals by town and first level, or by town and the second levels of `l1`."""
        await self._centre(request)
        asked = question_of(request, today=local_day(self._clock()))
        terms, l1 = self._terms(), request.query.get("l1", "")
        cells = await self._numbers.heat(asked.first, asked.end, l1=l1, channel=asked.channel, kind=asked.kind)
        known = terms.l1 if not l1 else tuple(Named(one, one) for one in terms.l2.get(l1, ()))
        more = sorted({cell.category for cell in cells} - {one.code for one in known})
        towns = [*terms.towns, *sorted({cell.town for cell in cells} - set(terms.towns))]
        return json_response(Heat(
            first=asked.first, last=asked.last, l1=l1, towns=tuple(towns), cells=tuple(cells),
            categories=(*known, *(Named(code, code) for code in more)),
        ))

    async def hot_spots(self, request: web.Request) -> web.Response:
        """Return the hot spots."""
        await self._centre(request)
        return json_response(HotSpotList(hotspots=tuple(await self._spots(self._clock()))))

    async def texts(self, request: web.Request) -> web.Response:
        """Return what citizens wrote in the tickets of `numbers`, by comma, masked."""
        await self._centre(request)
        numbers = [one for one in request.query.get("numbers", "").split(",") if one]
        if not 1 <= len(numbers) <= MAX_TEXTS:
            raise InvalidInput(f"name 1 to {MAX_TEXTS} tickets, by comma, in `numbers`")
        return json_response(ToldList(texts=tuple(
            Told(number=number, text=_masked(fact, names), row=row)
            for number, fact, names, row in await self._numbers.texts(numbers)
        )))

    async def terms(self, request: web.Request) -> web.Response:
        """Return the city's words, for filters."""
        department_of(await self._session(request))
        return json_response(self._terms())

    async def _centre(self, request: web.Request) -> None:
        if department_of(await self._session(request)):
            raise Forbidden("this is for the centre")


def _masked(fact: Receive, names: Sequence[str]) -> str:
    return mask_text(mask_public(fact.appeal.text, *names, phone=fact.appeal.citizen.phone))


def _one_of(kind: type[E], text: str | None, default: E | None) -> E:
    if not text and default is not None:
        return default
    try:
        return kind(text or "")
    except ValueError as error:
        raise InvalidInput(f"{kind.__name__.lower()} is one of {', '.join(kind)}") from error


def _limit(request: web.Request) -> int:
    return whole(request.query.get("limit"), 50, MAX_PAGE)


def routes(api: Drills) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    return [
        web.get("/api/v1/figures/tickets", api.tickets), web.get("/api/v1/figures/standing", api.standing),
        web.get("/api/v1/figures/calls", api.calls), web.get("/api/v1/figures/heat", api.heat),
        web.get("/api/v1/hot-spots", api.hot_spots), web.get("/api/v1/hot-spots/texts", api.texts),
        web.get("/api/v1/terms", api.terms),
    ]
