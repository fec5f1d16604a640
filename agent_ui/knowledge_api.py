"""HTTP for the knowledge base: search and suggestions for agents, versions and publication for writers and editors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.staff import Staff
from channels.appeal_codec import Body, decode_json
from channels.kit import json_response, read_limited, require_json
from channels.openapi_document import Operation
from hotline.errors import InvalidInput, NotFound
from hotline.knowledge import Article, ArticleState, Content, Hit, Row
from hotline.library import Library

Known = Callable[[web.Request], Awaitable[Staff]]
_JSON = "application/json"
_BASE = "/api/v1/knowledge"
Note = Annotated[str, Meta(max_length=500)]
T = TypeVar("T")


class AppealText(Body, frozen=True, kw_only=True):
    """An appeal's text and, where it is known, its category."""

    text: Annotated[str, Meta(max_length=10_000)]
    l1: Annotated[str, Meta(max_length=2)] = ""
    l2: Annotated[str, Meta(max_length=40)] = ""
    limit: Annotated[int, Meta(ge=1, le=20)] = 5


class NewVersion(Body, frozen=True, kw_only=True):
    """A changed content; `seen` is the version that the writer began with."""

    content: Content
    seen: Annotated[int, Meta(ge=1)]
    note: Note = ""


class Publication(Body, frozen=True, kw_only=True):
    """Publish the latest version; `review_on` defaults to half a year from today."""

    version: Annotated[int, Meta(ge=1)]
    review_on: date | None = None
    note: Note = ""


class Remark(Body, frozen=True, kw_only=True):
    """Why something is withdrawn, or reviewed until when."""

    note: Note = ""
    review_on: date | None = None


class KnowledgeApi:
    """Handlers over the library."""

    def __init__(self, library: Library, known: Known) -> None:
        self._library, self._known = library, known

    async def search(self, request: web.Request) -> web.Response:
        """Published articles that hold the words."""
        await self._known(request)
        query = request.query
        return json_response(self._library.search(query.get("text", ""), department=query.get("department", "")))

    async def suggest(self, request: web.Request) -> web.Response:
        """Published articles that fit an appeal."""
        await self._known(request)
        asked = await _body(request, AppealText)
        return json_response(self._library.suggest(asked.text, l1=asked.l1, l2=asked.l2, limit=asked.limit))

    async def listed(self, request: web.Request) -> web.Response:
        """Articles of a department and state."""
        await self._known(request)
        query = request.query
        state = query.get("state", "")
        if state not in {"", *ArticleState}:
            raise InvalidInput(f"state is one of {', '.join(ArticleState)}")
        return json_response(await self._library.listed(
            department=query.get("department", ""), state=state, offset=_whole(query.get("offset", "0"))
        ))

    async def overdue(self, request: web.Request) -> web.Response:
        """Published articles whose review is due."""
        await self._known(request)
        return json_response(await self._library.overdue(department=request.query.get("department", "")))

    async def one(self, request: web.Request) -> web.Response:
        """An article with its history."""
        await self._known(request)
        version = request.query.get("version")
        return json_response(await self._library.article(_id(request), _whole(version) if version else None))

    async def write(self, request: web.Request) -> web.Response:
        """Add a draft."""
        staff = await self._known(request)
        return json_response(await self._library.write(staff, await _body(request, Content)), status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Add a version."""
        staff = await self._known(request)
        given = await _body(request, NewVersion)
        return json_response(
            await self._library.change(staff, _id(request), given.content, seen=given.seen, note=given.note)
        )

    async def publish(self, request: web.Request) -> web.Response:
        """Publish the latest version."""
        staff = await self._known(request)
        given = await _body(request, Publication)
        return json_response(await self._library.publish(
            staff, _id(request), given.version, review_on=given.review_on, note=given.note
        ))

    async def withdraw(self, request: web.Request) -> web.Response:
        """Withdraw."""
        staff = await self._known(request)
        given = await _body(request, Remark)
        return json_response(await self._library.withdraw(staff, _id(request), note=given.note))

    async def review(self, request: web.Request) -> web.Response:
        """Note that it still holds."""
        staff = await self._known(request)
        given = await _body(request, Remark)
        return json_response(
            await self._library.review(staff, _id(request), review_on=given.review_on, note=given.note)
        )


async def _body(request: web.Request, kind: type[T]) -> T:
    require_json(request)
    return decode_json(msgspec.json.Decoder(kind), await read_limited(request, 256 * 1024) or b"{}")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise InvalidInput(f"{text[:20]!r} is no whole number")
    return int(text)


def _id(request: web.Request) -> int:
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise NotFound("there is no such article")
    return int(text)


def routes(library: Library, *, known: Known) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    api = KnowledgeApi(library, known)
    return [
        web.get(f"{_BASE}/search", api.search), web.post(f"{_BASE}/suggestions", api.suggest),
        web.get(f"{_BASE}/articles", api.listed), web.get(f"{_BASE}/overdue", api.overdue),
        web.post(f"{_BASE}/articles", api.write), web.get(f"{_BASE}/articles/{{id}}", api.one),
        web.put(f"{_BASE}/articles/{{id}}", api.change),
        web.post(f"{_BASE}/articles/{{id}}/publication", api.publish),
        web.post(f"{_BASE}/articles/{{id}}/withdrawal", api.withdraw),
        web.post(f"{_BASE}/articles/{{id}}/review", api.review),
    ]


def _told(method: str, path: str, summary: str, answer: Any, *errors: str, status: int = 200, **rest: Any) -> Operation:
    return Operation(
        method=method, path=f"{_BASE}/{path}", tag="知识库", security=("staff",), summary=summary,
        answers={status: (_JSON, answer)}, errors=("unauthenticated", *errors), **rest,
    )


_CHANGE = ("forbidden", "not_found", "version_conflict")
_DEPARTMENT = {"department": "only its articles"}
OPERATIONS: tuple[Operation, ...] = (
    _told("get", "search", "Search published articles", list[Hit], query={"text": "words", **_DEPARTMENT}),
    _told("post", "suggestions", "Articles that fit an appeal", list[Hit], body={_JSON: AppealText}),
    _told(
        "get", "articles", "Articles, those changed last first", list[Row],
        query={"state": "draft, published or withdrawn", "offset": "how many to pass over", **_DEPARTMENT},
    ),
    _told("get", "overdue", "Published articles whose review is due", list[Row], query=_DEPARTMENT),
    _told("post", "articles", "Write an article (a draft)", Article, "forbidden", status=201, body={_JSON: Content}),
    _told("get", "articles/{id}", "An article with its history", Article, "not_found", query={"version": "which one"}),
    _told("put", "articles/{id}", "Write a new version (a draft)", Article, *_CHANGE, body={_JSON: NewVersion}),
    _told(
        "post", "articles/{id}/publication", "Publish the latest version", Article, *_CHANGE, body={_JSON: Publication}
    ),
    _told(
        "post", "articles/{id}/withdrawal", "Show it no longer", Article, "forbidden", "not_found",
        "illegal_transition", body={_JSON: Remark},
    ),
    _told(
        "post", "articles/{id}/review", "Note that it still holds", Article, "forbidden", "not_found",
        "illegal_transition", body={_JSON: Remark},
    ),
)
