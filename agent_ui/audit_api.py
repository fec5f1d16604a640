"""HTTP for the audit administrator: what everybody did, commands on tickets, and whether the chain is whole.

Looking is audited too; so is checking the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from agent_ui.accounts import Accounts
from agent_ui.auth import private
from agent_ui.gate import seat_of
from agent_ui.setup import AuditPage, AuditState
from channels.kit import json_response
from channels.openapi_document import Operation
from hotline.audit import NO_CHAIN, OK, Fault, Kept, Record, head_text
from hotline.errors import InvalidInput
from hotline.feed import MAX_SEQ

_JSON = "application/json"
_BASE = "/api/v1/audit"
PAGE = 100


class Audit(Protocol):
    """The audit (`hotline.store.audit.AuditStore`)."""

    async def note(self, record: Record) -> None:
        """Write a record."""
        ...

    async def page(
        self, *, actor: str = "", act: str = "", subject: str = "", result: str = "", since: datetime | None = None,
        before: tuple[datetime, int] | None = None, limit: int,
    ) -> list[Kept]:
        """Return records, the newest first."""
        ...

    async def commands(self, *, before: int, number: str = "", limit: int) -> list[Kept]:
        """Return commands on tickets, the newest first."""
        ...

    async def head(self) -> tuple[int, bytes] | None:
        """Return number and hash of the newest link."""
        ...

    async def size(self) -> tuple[int, int]:
        """Return how many links there are and how many rows they cover; of a long chain about how many."""
        ...

    async def waiting(self) -> tuple[int, datetime | None]:
        """Return how many rows are not chained yet."""
        ...

    async def verify(self, step: Callable[[int], object]) -> Fault | None:
        """Check the whole chain; return the first fault."""
        ...


class AuditApi:
    """Handlers."""

    def __init__(self, audit: Audit, accounts: Accounts) -> None:
        self._audit, self._accounts = audit, accounts

    async def records(self, request: web.Request) -> web.Response:
        """Records, the newest first; looking at them anew is a record itself."""
        query = request.query
        given = {name: query.get(name, "")[:200] for name in ("actor", "act", "subject", "result")}
        before, since = query.get("before", ""), query.get("since", "")
        if not before:
            told = {name: text for name, text in given.items() if text}
            await self._note(request, "audit.read", detail=told)
        found = await self._audit.page(
            **given, since=_moment(since) if since else None, before=_cursor(before) if before else None, limit=PAGE
        )
        following = f"{found[-1].at.isoformat()},{found[-1].id}" if len(found) == PAGE else ""
        return private(json_response(AuditPage(records=found, next=following)))

    async def commands(self, request: web.Request) -> web.Response:
        """Commands on tickets, the newest first."""
        number, before = request.query.get("number", "")[:40], request.query.get("before", "")
        if not before:
            await self._note(request, "audit.commands", subject=number)
        position = _whole(before) if before else MAX_SEQ
        found = await self._audit.commands(before=position, number=number, limit=PAGE)
        following = str(found[-1].position) if len(found) == PAGE else ""
        return private(json_response(AuditPage(records=found, next=following)))

    async def chain(self, _: web.Request) -> web.Response:
        """How long the chain is, and its head."""
        return private(json_response(await self._state("")))

    async def check(self, request: web.Request) -> web.Response:
        """Read every row again; the first that does not fit is told."""
        fault = await self._audit.verify(lambda _: None)
        told = "" if fault is None else f"link {fault.link}: {fault.what} {fault.log} {fault.number or ''}".strip()
        await self._note(
            request, "audit.verify", result="broken" if told else OK, detail={"outcome": told or "whole"}
        )
        return private(json_response(await self._state(told)))

    async def _state(self, fault: str) -> AuditState:
        (links, rows), head = await self._audit.size(), await self._audit.head()
        waiting, _ = await self._audit.waiting()
        return AuditState(
            links=links, rows=rows, head=head_text(*head) if head else "", waiting=waiting,
            fault=fault or ("" if head else NO_CHAIN),
        )

    async def _note(
        self, request: web.Request, act: str, *, subject: str = "", result: str = OK,
        detail: dict[str, str] | None = None,
    ) -> None:
        staff = (await seat_of(self._accounts, request)).staff
        await self._audit.note(Record(
            at=self._accounts.clock(), actor=f"{staff.role}:{staff.name}", act=act, subject=subject,
            result=result, detail=detail or {},
        ))


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("since is a moment such as 2026-11-21T08:00:00+08:00") from error
    if found.tzinfo is None:
        raise InvalidInput("a moment bears its zone")
    return found


def _cursor(text: str) -> tuple[datetime, int]:
    moment, _, number = text.rpartition(",")
    return _moment(moment), _whole(number)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20) or not 0 <= int(text) <= MAX_SEQ:
        raise InvalidInput("before is `next` of the page before")
    return int(text)


def routes(audit: Audit, *, accounts: Accounts) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    api = AuditApi(audit, accounts)
    return [
        web.get(_BASE, api.records), web.get(f"{_BASE}/commands", api.commands), web.get(f"{_BASE}/chain", api.chain),
        web.post(f"{_BASE}/chain", api.check),
    ]


def _told(method: str, path: str, summary: str, answer: Any, **rest: Any) -> Operation:
    return Operation(
        method=method, path=f"{_BASE}{path}", tag="审计", security=("staff",), summary=summary,
        answers={200: (_JSON, answer)}, errors=("unauthenticated", "forbidden"), **rest,
    )


_BEFORE = {"before": "`next` of the page before"}
OPERATIONS: tuple[Operation, ...] = (
    _told("get", "", "Who did what when, with which result; the newest first", AuditPage, query={
        "actor": "role:name", "act": "login, person.grant, …", "subject": "to whom or what",
        "result": "ok or an error id", "since": "a moment with its zone", **_BEFORE,
    }),
    _told("get", "/commands", "Commands on tickets", AuditPage, query={"number": "工单号", **_BEFORE}),
    _told("get", "/chain", "How long the chain is, and its head", AuditState),
    _told("post", "/chain", "Read every row again and tell the first that does not fit", AuditState),
)
