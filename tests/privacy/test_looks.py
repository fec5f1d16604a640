"""Look-ups, refusals and administration leave a record with time, subject, event and result."""

from __future__ import annotations

from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent_ui.audited import AuditedRequests
from agent_ui.gate import gate
from agent_ui.identity import Proof, Seat
from agent_ui.protocol import Open, RunCommand, Search, TakeSnapshot
from agent_ui.staff import Staff, StaffRole
from channels.problem import problems
from hotline import commands as c
from hotline.audit import Kept
from hotline.errors import Forbidden, IllegalTransition, InvalidInput, NotFound
from hotline.service import Service
from hotline.store.audit import AuditStore
from hotline.store.console import ConsoleStore
from hotline.store.export import ExportStore
from hotline.store.sealing import blind
from hotline.store.tickets import TicketStore
from hotline.terms import Kind
from tests.cities import NOW, RULES
from tests.privacy.house import ZHANG, intake, opened

LI = Staff(name="li", display_name="李", role=StaffRole.AGENT)
UNIT = Staff(name="chen", display_name="陈", role=StaffRole.DEPARTMENT, department="城管局")
OTHER = Staff(name="zhou", display_name="周", role=StaffRole.DEPARTMENT, department="水务局")


class Desk:
    """Console requests over a database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        store = TicketStore(pool, prefix="DG")
        service = Service(store=store, intake=intake(pool, store=store), rules=lambda: RULES, clock=lambda: NOW)
        self.audit = AuditStore(pool)
        self.requests = AuditedRequests(
            note=self.audit.note, blind=blind, clock=lambda: NOW, store=ConsoleStore(pool), act=service.act,
            submit=None, lease=10.0,
        )

    async def ask(self, staff: Staff, ask: Any) -> Any:
        return await self.requests.answer(staff, ask)

    async def last(self) -> Kept | None:
        found = await self.audit.page(limit=1)
        return found[0] if found else None


async def test_a_search_by_phone_is_kept_without_the_phone(pool: asyncpg.Pool) -> None:
    await opened(pool, ["a", "b"])
    desk = Desk(pool)
    answer = await desk.ask(LI, Search(id=1, phone="138 0013 8000"))
    assert len(answer.rows) == 2
    last = await desk.last()
    assert last is not None
    assert (last.at, last.actor, last.act, last.subject) == (NOW, "agent:li", "person.search", blind(ZHANG.phone))
    assert (last.result, last.detail) == ("ok", {"found": "2"})
    with pytest.raises(InvalidInput):
        await desk.ask(LI, Search(id=1, phone="no phone"))
    last = await desk.last()
    assert last is not None
    assert (last.act, last.subject, last.result) == ("person.search", "", "invalid_input")


async def test_what_looks_nobody_up_leaves_nothing(pool: asyncpg.Pool) -> None:
    [receipt] = await opened(pool, ["a"])
    desk = Desk(pool)
    await desk.ask(LI, Search(id=1, number=receipt.number))
    await desk.ask(LI, Search(id=1, text="路灯"))
    await desk.ask(LI, TakeSnapshot(id=1, topic="centre"))
    await desk.ask(LI, Open(id=1, number=receipt.number))
    await desk.ask(LI, RunCommand(id=1, number=receipt.number, command=c.AddNote(text="x")))
    assert await desk.last() is None, "the command is an event of the ticket"


async def test_a_full_view_is_kept_with_its_reason(pool: asyncpg.Pool) -> None:
    [receipt] = await opened(pool, ["a"])
    desk = Desk(pool)
    answer = await desk.ask(LI, Open(id=1, number=receipt.number, reason="核对 13912345678"))
    assert answer.opened.masked is False
    last = await desk.last()
    assert last is not None
    assert (last.act, last.subject, last.result) == ("ticket.unmask", receipt.number, "ok")
    assert last.detail == {"reason": "核对 139****5678", "full": "yes"}


@pytest.mark.parametrize("text", ["举报路灯不亮", "路灯不亮"])
async def test_a_confidential_ticket_hides_the_citizen_from_its_department(pool: asyncpg.Pool, text: str) -> None:
    [receipt] = await opened(pool, ["a"], text=text, confidential=True)
    desk = Desk(pool)
    answer = await desk.ask(UNIT, Open(id=1, number=receipt.number, reason="联系诉求人"))
    assert answer.opened.masked is True
    for reason in ("联系诉求人", ""):
        kept = (await desk.ask(UNIT, Open(id=1, number=receipt.number, reason=reason))).opened
        shown = b"".join(map(bytes, (kept.ticket, *kept.events))).decode()
        assert not any(trace in shown for trace in ("138", "8000", "张", "app:"))
        assert text in shown
    last = await desk.last()
    assert last is not None
    assert (last.actor, last.detail["full"]) == ("department:chen", "no")
    hidden = await desk.ask(UNIT, Search(id=1, phone=ZHANG.phone))
    assert hidden.rows == ()


async def test_a_citizen_may_ask_for_confidentiality_later_and_give_it_up(pool: asyncpg.Pool) -> None:
    [receipt] = await opened(pool, ["a"])
    desk = Desk(pool)

    async def shown() -> tuple[bool, int]:
        ticket = (await desk.ask(UNIT, Open(id=1, number=receipt.number, reason="联系诉求人"))).opened.ticket
        return ZHANG.phone in bytes(ticket).decode(), len((await desk.ask(UNIT, Search(id=1, phone=ZHANG.phone))).rows)

    for confidential, seen in ((True, (False, 0)), (False, (True, 1))):
        await desk.ask(LI, RunCommand(id=1, number=receipt.number, command=c.Correct(confidential=confidential)))
        assert await shown() == seen
    with pytest.raises(Forbidden):
        await desk.ask(UNIT, RunCommand(id=1, number=receipt.number, command=c.Correct(confidential=False)))


async def test_the_export_has_no_words_of_what_became_confidential_or_a_report_later(pool: asyncpg.Pool) -> None:
    receipts = await opened(pool, ["a", "b", "c"])
    desk = Desk(pool)
    for receipt, command in zip(receipts, (c.Correct(confidential=True), c.Correct(kind=Kind.REPORT)), strict=False):
        await desk.ask(LI, RunCommand(id=1, number=receipt.number, command=command))
    rows, _ = await ExportStore(pool).page(0, 50)
    assert {row.number for row in rows if row.text} == {receipts[2].number}


async def test_refusals_are_kept(pool: asyncpg.Pool) -> None:
    [receipt] = await opened(pool, ["a"])
    desk = Desk(pool)
    for staff, ask, error, told in (
        (OTHER, Open(id=1, number=receipt.number), Forbidden, ("console.open", "forbidden")),
        (LI, RunCommand(id=1, number=receipt.number, command=c.Sign()), Forbidden, ("ticket.sign", "forbidden")),
        (UNIT, RunCommand(id=1, number=receipt.number, command=c.Resume()), IllegalTransition,
         ("ticket.resume", "illegal_transition")),
        (LI, Open(id=1, number="DG1", reason="看看"), NotFound, ("ticket.unmask", "not_found")),
    ):
        with pytest.raises(error):
            await desk.ask(staff, ask)
        last = await desk.last()
        assert last is not None
        assert (last.act, last.result) == told


async def test_without_the_audit_there_is_no_answer(pool: asyncpg.Pool) -> None:
    await opened(pool, ["a"])
    desk = Desk(pool)
    await pool.execute("ALTER TABLE audit_records RENAME TO gone")
    with pytest.raises(asyncpg.UndefinedTableError):
        await desk.ask(LI, Search(id=1, phone=ZHANG.phone))


# ── the gate ─────────────────────────────────────────────────────────────────────────────────────
class Known:
    """Accounts of which one is logged in."""

    def __init__(self, role: StaffRole) -> None:
        self.role = role

    def clock(self) -> Any:
        return NOW

    async def seat(self, token: str) -> Seat:
        staff = Staff(name="root", display_name="root", role=self.role)
        return Seat(staff=staff, session=1, proof=Proof.CODE, duties=())


@pytest.mark.parametrize(("role", "method", "path", "status", "kept"), [
    (StaffRole.SYSTEM_ADMIN, "PUT", "/api/v1/unit-systems/城管局", 200,
     ("http.put /api/v1/unit-systems/{unit}", "城管局", "ok")),
    (StaffRole.SYSTEM_ADMIN, "PUT", "/api/v1/unit-systems/bad", 400,
     ("http.put /api/v1/unit-systems/{unit}", "bad", "invalid_input")),
    (StaffRole.AGENT, "PUT", "/api/v1/unit-systems/城管局", 403,
     ("http.put /api/v1/unit-systems/{unit}", "城管局", "forbidden")),
    (StaffRole.SYSTEM_ADMIN, "GET", "/api/v1/unit-systems", 200, None),
    (StaffRole.SUPERVISOR, "GET", "/api/v1/figures/calls", 200, ("http.get /api/v1/figures/calls", "", "ok")),
    (StaffRole.SUPERVISOR, "GET", "/api/v1/figures?format=json", 200, None),
    (StaffRole.SUPERVISOR, "GET", "/api/v1/figures?format=xlsx", 200, ("http.get /api/v1/figures", "", "ok")),
    (StaffRole.SUPERVISOR, "GET", "/api/v1/figures/report", 200, ("http.get /api/v1/figures/report", "", "ok")),
    (StaffRole.SUPERVISOR, "GET", "/api/v1/directory/versions/v1?format=csv", 200,
     ("http.get /api/v1/directory/versions/{version}", "v1", "ok")),
    (StaffRole.SUPERVISOR, "POST", "/api/v1/persons/export", 200, None),
    (StaffRole.AGENT, "POST", "/api/v1/persons/export", 403, ("http.post /api/v1/persons/export", "", "forbidden")),
])
async def test_the_gate_keeps_what_staff_change(
    pool: asyncpg.Pool, role: StaffRole, method: str, path: str, status: int, kept: tuple[str, str, str] | None
) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.match_info.get("unit") == "bad":
            raise InvalidInput("no")
        return web.Response()

    audit = AuditStore(pool)
    guarded = gate(Known(role), note=audit.note)  # type: ignore[arg-type]
    app = web.Application(middlewares=[problems, guarded])
    app.add_routes([
        web.put("/api/v1/unit-systems/{unit}", handler), web.get("/api/v1/unit-systems", handler),
        web.get("/api/v1/figures", handler), web.get("/api/v1/figures/report", handler),
        web.get("/api/v1/directory/versions/{version}", handler),
        web.get("/api/v1/figures/calls", handler), web.post("/api/v1/persons/export", handler),
    ])
    async with TestServer(app) as server, aiohttp.ClientSession() as session, session.request(
        method, server.make_url(path), headers={"Authorization": "Bearer x"}
    ) as answer:
        assert answer.status == status
    found = [(one.act, one.subject, one.result) for one in await audit.page(limit=5)]
    assert found == ([kept] if kept else [])
