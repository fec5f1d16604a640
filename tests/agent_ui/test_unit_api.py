"""The API of units' own systems over HTTP: pull by cursor, act once, files, and the administrator's side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from openapi_spec_validator import OpenAPIV31SpecValidator

from agent_ui import auth, files, proposals_api, unit_admin, unit_api, unit_openapi
from agent_ui.requests import Requests
from agent_ui.staff import Staff, acting_role
from channels.attachments import describe
from channels.message import Receipt
from channels.openapi import rendered
from channels.problem import problems
from hotline import commands as c
from hotline.appeal import Appeal, Attachment, Citizen
from hotline.events import SYSTEM, Actor, Role
from hotline.service import Service
from hotline.standins.unit import UnitClient
from hotline.store.audit import AuditStore
from hotline.store.proposals import ProposalStore
from hotline.store.relatives import RelativesStore
from hotline.store.tickets import TicketStore
from hotline.store.unit_pages import UnitPages
from hotline.store.units import UnitStore
from hotline.store.uploads import Uploads
from hotline.summary import Summary
from hotline.units import Units
from routing.addresses import networks
from routing.unit_codec import Part, UnitEvent, UnitPage
from tests.agent_ui.stack import PASSWORD, Stack
from tests.cities import NOW, RULES

UNIT = quote("城管局", safe="")
PNG = (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
       b"\x00\x00\x00\rIDATx\x9ccd`\xf8\x0f\x00\x01\x04\x01\x00_\xe5\xc3K\x00\x00\x00\x00IEND\xaeB`\x82")
PHONE = "+8613812345678"


class Api:
    """The API with a client, and the unit's token."""

    def __init__(self, stack: Stack, client: TestClient[Any, Any], token: str, units: Units) -> None:
        self.stack, self.client, self.token, self.units = stack, client, token, units

    async def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> tuple[int, Any]:
        """Return status and decoded body."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"} | more.pop("headers", {})
        async with self.client.request(method, path, headers=headers, **more) as answer:
            body = await answer.read()
            decoded = "json" in answer.content_type
            return answer.status, msgspec.json.decode(body) if decoded and body else body

    async def page(self, cursor: str = "", limit: int = 100) -> UnitPage:
        path = f"/api/v1/units/{UNIT}/tickets"
        status, body = await self.ask("GET", path, params={"cursor": cursor, "limit": str(limit)})
        assert status == 200, body
        return msgspec.convert(body, UnitPage)

    async def act(self, number: str, command: dict[str, Any], key: str = "", **more: Any) -> tuple[int, Any]:
        path = f"/api/v1/units/{UNIT}/tickets/{number}/commands"
        return await self.ask("POST", path, json={"command": command, **more}, headers={"Idempotency-Key": key})

    async def login(self, name: str) -> str:
        return (await self.stack.accounts.login(name, PASSWORD)).token


@pytest.fixture
async def api(stack: Stack, tmp_path: Path) -> AsyncIterator[Api]:
    async with AsyncExitStack() as exits:
        records = Uploads(stack.pool, files=tmp_path)
        service = Service(store=TicketStore(stack.pool, prefix="DG"), intake=stack.intake, rules=lambda: RULES,
                          clock=stack.clock, files=records)
        book = UnitStore(stack.pool)
        units = Units(store=book, directory=lambda: RULES.directory, allowed=networks("127.0.0.0/8"), clock=stack.clock)

        async def keep(data: bytes, name: str) -> Attachment:
            attachment = describe(data, name)
            await records.keep_attachment(attachment, data, stack.clock())
            return attachment

        async def session(request: web.Request) -> Staff:
            return await stack.accounts.session(auth.token_of(request))

        async def worker(request: web.Request) -> Staff:
            staff = await session(request)
            acting_role(staff)
            return staff

        requests = Requests(store=stack.store, act=service.act, submit=stack.intake.submit, clock=stack.clock, lease=10,
                            relatives=RelativesStore(stack.pool))
        kept = files.TicketFiles(store=stack.store, keep=keep, path_of=records.path_of)
        app = web.Application(middlewares=[problems])
        app.add_routes([
            *unit_api.routes(unit_api.UnitApi(
                authenticate=units.authenticate, requests=requests, pages=UnitPages(stack.pool, stack.store),
                act_once=service.act_once, book=book, files=kept, clock=stack.clock,
                note=AuditStore(stack.pool).note,
            )),
            *unit_admin.routes(units, book, session=session, clock=stack.clock),
            *files.routes(kept, authenticate=worker),
            *proposals_api.routes(ProposalStore(stack.pool), session=session, clock=stack.clock),
        ])
        client = await exits.enter_async_context(TestClient(TestServer(app)))
        made = await units.register("城管局", url="", by="root")
        yield Api(stack, client, made.token, units)


async def appeal(stack: Stack, text: str = "体育路路灯不亮13812345678", **more: Any) -> Receipt:
    return await stack.appeal(text, citizen=Citizen(name="王小明", phone=PHONE), **more)


# ── pulling ──────────────────────────────────────────────────────────────────────────────────────
async def test_pulling_shows_what_stands_and_then_what_happens(api: Api) -> None:
    numbers = [(await appeal(api.stack)).number for _ in range(5)]
    await api.stack.appeal("咨询社保")  # not this unit's
    seen, cursor, pages = [], "", 0
    while True:
        page = await api.page(cursor, limit=2)
        seen += page.tickets
        cursor, pages = page.next, pages + 1
        if not page.more:
            break
    assert pages == 3
    assert sorted(one.number for one in seen) == sorted(numbers)
    assert {(one.part, one.event) for one in seen} == {(Part.LEAD, "")}
    assert not any("13812345678" in msgspec.json.encode(one).decode() for one in seen)
    assert (await api.page(cursor)).tickets == ()
    await api.stack.service.act(numbers[0], c.Sign(), actor=Actor(Role.DEPARTMENT, "城管局"))
    await api.stack.service.act(numbers[1], c.AddNote(text="x"), actor=SYSTEM)
    later = await api.page(cursor)
    assert [(one.event, one.number) for one in later.tickets] == [("sign", numbers[0]), ("add_note", numbers[1])]
    assert (await api.page(later.next)).tickets == ()


async def test_pages_with_snapshot_and_events_miss_nothing_whatever_happens_between(api: Api) -> None:
    """The client keeps the highest version of each ticket: it ends with what the database has."""
    numbers = [(await appeal(api.stack)).number for _ in range(6)]
    known: dict[str, Any] = {}
    cursor, quiet, acts = "", 0, iter(numbers * 2)
    while quiet < 2:
        page = await api.page(cursor, limit=2)
        for one in page.tickets:
            if one.number not in known or known[one.number].summary.version < one.summary.version:
                known[one.number] = one
        cursor = page.next
        quiet = 0 if page.tickets else quiet + 1
        if (number := next(acts, None)) is not None:
            await api.stack.service.act(number, c.Urge(), actor=SYSTEM)
            quiet = 0
    for number in numbers:
        assert known[number].summary.version == (await api.stack.store.find(number)).summary.version


@pytest.mark.parametrize("cursor", [
    "x", "e", "e-1", "s1", "s1.x", "e99999999999999999", "e9999999999999999", "s1.1-1x",
])
async def test_made_up_cursors_are_refused(api: Api, cursor: str) -> None:
    status, body = await api.ask("GET", f"/api/v1/units/{UNIT}/tickets", params={"cursor": cursor})
    assert (status, body["error_id"]) == (400, "invalid_input")


@pytest.mark.parametrize("limit", ["0", "501", "x", "-1", "1.5", "", "9" * 4_301])
async def test_wrong_limits_are_refused(api: Api, limit: str) -> None:
    status, body = await api.ask("GET", f"/api/v1/units/{UNIT}/tickets", params={"limit": limit})
    assert (status, body["error_id"]) == (400, "invalid_input")


async def test_a_ticket_is_masked_unless_a_reason_is_given_and_recorded(api: Api) -> None:
    receipt = await appeal(api.stack)
    path = f"/api/v1/units/{UNIT}/tickets/{receipt.number}"
    _, masked = await api.ask("GET", path)
    assert (masked["masked"], masked["ticket"]["appeal"]["citizen"]["phone"]) == (True, "+86138****5678")
    _, full = await api.ask("GET", path, params={"reason": "上门联系"})
    assert (full["masked"], full["ticket"]["appeal"]["citizen"]["phone"]) == (False, PHONE)
    last = full["events"][-1]
    assert "上门联系" in last["fact"]["text"]
    assert last["actor"] == {"role": "department", "name": "城管局"}
    _, none = await api.ask("GET", path, params={"since_version": "99"})
    assert none["events"] == []
    hidden = await api.stack.intake.submit(msgspec.structs.replace(
        _confidential(api), appeal=Appeal(text="体育路路灯不亮", confidential=True, citizen=Citizen(phone=PHONE)),
    ))
    _, kept = await api.ask("GET", f"/api/v1/units/{UNIT}/tickets/{hidden.number}", params={"reason": "想看"})
    assert kept["masked"] is True
    assert kept["ticket"]["appeal"]["citizen"] == {}
    assert kept["events"][0]["fact"]["appeal"]["citizen"] == {}


def _confidential(api: Api) -> Any:
    from channels.message import Inbound
    from hotline.terms import Channel

    return Inbound(channel=Channel.WEB, external_id="hidden", appeal=Appeal(text=""), received_at=api.stack.clock())


# ── acting ───────────────────────────────────────────────────────────────────────────────────────
async def test_an_act_counts_once_under_its_key(api: Api) -> None:
    receipt = await appeal(api.stack)
    first = await api.act(receipt.number, {"type": "sign"}, "k1")
    assert first == (200, {"number": receipt.number, "version": 4, "state": "handling", "repeat": False})
    assert await api.act(receipt.number, {"type": "sign"}, "k1") == (200, first[1] | {"repeat": True})
    for command, key, wanted in (
        ({"type": "record_contact"}, "k1", (422, "idempotency_key_reused")),
        ({"type": "sign"}, "k2", (409, "illegal_transition")),
        ({"type": "accept_reply"}, "k3", (403, "forbidden")), ({"type": "explode"}, "k4", (400, "invalid_input")),
        ({"type": "sign"}, "", (400, "invalid_input")), ({"type": "sign"}, "a b", (400, "invalid_input")),
        ({"type": "reply", "internal": "", "public": "王小明您好"}, "k5", (422, "personal_data")),
    ):
        status, body = await api.act(receipt.number, command, key)
        assert (status, body["error_id"]) == wanted, command
    status, body = await api.act(receipt.number, {"type": "record_contact"}, "k6", expected_version=1)
    assert (status, body["error_id"]) == (409, "version_conflict")
    assert (await api.act("DG1", {"type": "sign"}, "k7"))[0] == 404
    refused = [(one.actor, one.act, one.subject, one.result) for one in await AuditStore(api.stack.pool).page(limit=50)]
    assert ("department:城管局", "ticket.accept_reply", receipt.number, "forbidden") in refused
    assert ("department:城管局", "ticket.sign", "DG1", "not_found") in refused
    assert not any(result == "ok" for *_, result in refused), "what was carried out is an event of the ticket"


async def test_the_whole_way_of_a_ticket_through_the_stand_in(api: Api) -> None:
    receipt = await appeal(api.stack)
    client = UnitClient(api.client.session, base=str(api.client.make_url("")), unit="城管局", token=api.token)
    for _ in range(2):  # what comes twice does nothing the second time
        for event in await client.pull():
            await client.handle(event)
    assert (await api.stack.store.find(receipt.number)).ticket.state == "pending_review"


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "tickets"), ("GET", "tickets/DG1"), ("POST", "tickets/DG1/commands"), ("POST", "attachments"),
    ("GET", "tickets/DG1/attachments/x"), ("GET", "deliveries"), ("POST", "deliveries/x/resend"),
])
async def test_a_token_opens_its_own_path_only(api: Api, method: str, path: str) -> None:
    other = quote("水务局", safe="")
    assert (await api.ask(method, f"/api/v1/units/{other}/{path}"))[0] == 403
    assert (await api.ask(method, f"/api/v1/units/{UNIT}/{path}", token="wrong"))[0] == 401
    assert (await api.ask(method, f"/api/v1/units/{UNIT}/{path}", headers={"Authorization": "Basic x"}))[0] == 401


async def test_tickets_of_others_are_not_shown(api: Api) -> None:
    receipt = await api.stack.appeal("咨询社保")
    assert (await api.ask("GET", f"/api/v1/units/{UNIT}/tickets/{receipt.number}"))[0] == 403
    assert (await api.act(receipt.number, {"type": "sign"}, "k"))[0] == 403


# ── files ────────────────────────────────────────────────────────────────────────────────────────
async def test_a_file_is_kept_attached_and_given_out_to_who_sees_the_ticket(api: Api) -> None:
    receipt = await appeal(api.stack)
    _, kept = await api.ask("POST", f"/api/v1/units/{UNIT}/attachments", params={"name": "现场.png"}, data=PNG)
    await api.act(receipt.number, {"type": "sign"}, "k1")
    status, _ = await api.act(receipt.number, {"type": "attach", "attachments": [kept], "note": "现场"}, "k2")
    assert status == 200
    path = f"/api/v1/units/{UNIT}/tickets/{receipt.number}/attachments/"
    async with api.client.get(path + kept["key"], headers={"Authorization": f"Bearer {api.token}"}) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", PNG)
        assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    given = (await AuditStore(api.stack.pool).page(limit=1))[0]
    assert (given.act, given.subject, given.result) == ("unit.download", f"{receipt.number}/{kept['key']}", "ok")
    assert (await api.ask("GET", path + "0" * 64))[0] == 404
    assert (await api.ask("GET", path + "..%2f..%2fetc%2fpasswd"))[0] == 404
    agent, admin = await api.login("zhang"), await api.login("root")
    staff = f"/api/v1/staff/tickets/{receipt.number}/attachments/{kept['key']}"
    assert (await api.ask("GET", staff, token=agent)) == (200, PNG)
    assert (await api.ask("GET", staff, token=admin))[0] == 403
    assert (await api.ask("POST", "/api/v1/staff/attachments", token=agent, data=b"<script>"))[0] == 415
    assert (await api.ask("POST", "/api/v1/staff/attachments", token=agent, data=PNG))[0] == 201
    other = await api.stack.appeal("咨询社保")
    elsewhere, wang = f"/api/v1/staff/tickets/{other.number}/attachments/{kept['key']}", await api.login("wang")
    assert (await api.ask("GET", elsewhere, token=agent))[0] == 404
    assert (await api.ask("GET", elsewhere, token=wang))[0] == 403


# ── the administrator ────────────────────────────────────────────────────────────────────────────
async def test_the_system_administrator_registers_systems_and_nobody_else(api: Api) -> None:
    admin = await api.login("root")
    path = f"/api/v1/unit-systems/{quote('水务局', safe='')}"
    status, made = await api.ask("PUT", path, token=admin, json={"url": "http://127.0.0.1:9/webhook"})
    assert (status, made) == (200, {"unit": "水务局", "url": "http://127.0.0.1:9/webhook", "active": True})
    assert (await api.ask("PUT", path, token=admin, json={"renew": True}))[0] == 400
    _, listed = await api.ask("GET", "/api/v1/unit-systems", token=admin)
    assert [one["unit"] for one in listed["systems"]] == ["城管局", "水务局"]
    assert "secret" not in str(listed)
    for body in ({"url": "http://127.0.0.2.example/"}, {"url": "https://10.0.0.1/"}, {"x": 1}):
        assert (await api.ask("PUT", path, token=admin, json=body))[0] == 400
    assert (await api.ask("PUT", "/api/v1/unit-systems/x", token=admin, json={}))[0] == 404
    for name in ("zhang", "li", "wang"):
        token = await api.login(name)
        assert (await api.ask("PUT", path, token=token, json={}))[0] == 403
        assert (await api.ask("GET", "/api/v1/deliveries", token=token))[0] == 403
    assert (await api.ask("GET", "/api/v1/unit-systems", token=api.token))[0] == 401


async def test_a_units_own_account_makes_its_secrets_and_nobody_else(api: Api) -> None:
    admin, wang = await api.login("root"), await api.login("wang")
    path, tickets = f"/api/v1/unit-systems/{UNIT}", f"/api/v1/units/{UNIT}/tickets"
    for name in ("root", "zhang", "li"):
        assert (await api.ask("POST", f"{path}/secrets", token=await api.login(name)))[0] == 403
    other = f"/api/v1/unit-systems/{quote('水务局', safe='')}/secrets"
    assert (await api.ask("POST", other, token=wang))[0] == 403, "wang is of 城管局"
    status, made = await api.ask("POST", f"{path}/secrets", token=wang)
    assert (status, made["unit"], bool(made["secret"])) == (200, "城管局", True)
    assert (await api.ask("GET", tickets, token=made["token"]))[0] == 200
    assert (await api.ask("GET", tickets, token=api.token))[0] == 401, "the old one has ended"
    await api.ask("PUT", path, token=admin, json={"url": "http://127.0.0.1:9/webhook"})
    assert (await api.ask("GET", tickets, token=made["token"]))[0] == 200, "a new address leaves it alone"


async def test_a_system_that_was_only_placed_has_no_token_and_its_unit_none_without_it(api: Api) -> None:
    await api.stack.pool.execute("DELETE FROM unit_systems")
    wang, path = await api.login("wang"), f"/api/v1/unit-systems/{UNIT}"
    assert (await api.ask("POST", f"{path}/secrets", token=wang))[0] == 404
    await api.ask("PUT", path, token=await api.login("root"), json={})
    [row] = await api.stack.pool.fetch("SELECT secret <> '' AS signs, token_hash FROM unit_systems")
    assert tuple(row) == (True, None)
    assert (await api.ask("POST", f"{path}/secrets", token=wang))[0] == 200


async def test_dead_letters_are_listed_by_pages_and_resent(api: Api) -> None:
    admin, book = await api.login("root"), UnitStore(api.stack.pool)
    await api.units.register("城管局", url="http://127.0.0.1:9/webhook", by="root")
    await book.gather_all(api.stack.clock())
    for _ in range(3):
        await appeal(api.stack)
    await book.gather_all(api.stack.clock())
    await api.stack.pool.execute("UPDATE webhook_deliveries SET state = 'dead', last_error = 'away'")
    _, page = await api.ask("GET", "/api/v1/deliveries", token=admin, params={"limit": "2", "unit": "城管局"})
    _, rest = await api.ask("GET", "/api/v1/deliveries", token=admin, params={"limit": "2", "cursor": page["next"]})
    ids = [one["id"] for one in (*page["deliveries"], *rest["deliveries"])]
    assert (len(set(ids)), rest["next"]) == (3, "")
    _, mine = await api.ask("GET", f"/api/v1/units/{UNIT}/deliveries")
    assert [one["id"] for one in mine["deliveries"]] == ids
    assert (await api.ask("POST", f"/api/v1/units/{UNIT}/deliveries/{ids[0]}/resend"))[0] == 204
    assert (await api.ask("POST", f"/api/v1/deliveries/{ids[1]}/resend", token=admin))[0] == 204
    assert (await api.ask("POST", f"/api/v1/deliveries/{ids[1]}/resend", token=admin))[0] == 404
    _, waiting = await api.ask("GET", f"/api/v1/units/{UNIT}/deliveries", params={"state": "pending"})
    assert sorted(one["id"] for one in waiting["deliveries"]) == sorted(ids[:2])
    for wrong in ({"state": "x"}, {"cursor": "x"}, {"cursor": "2026-01-01~"}, {"cursor": "2026-01-01T00:00:00~x"}):
        assert (await api.ask("GET", "/api/v1/deliveries", token=admin, params=wrong))[0] == 400


async def test_a_supervisor_sees_the_examples_of_a_proposal_and_dismisses_it(api: Api) -> None:
    receipt = await appeal(api.stack)
    back = c.RequestReturn(legal_basis="排水条例", suggested="水务局")
    for actor, command in ((Actor(Role.DEPARTMENT, "城管局"), back), (Actor(Role.AGENT, "zhang"), c.ApproveReturn())):
        await api.stack.service.act(receipt.number, command, actor=actor)
    [one] = await ProposalStore(api.stack.pool).proposals()
    path, li = f"/api/v1/directory/proposals/{one.id}", await api.login("li")
    _, shown = await api.ask("GET", path, token=li)
    assert (shown["examples"], shown["to_unit"], shown["state"]) == ([receipt.number], "水务局", "open")
    assert (await api.ask("POST", f"{path}/dismissal", token=li, json={"note": ""}))[0] == 400
    status, after = await api.ask("POST", f"{path}/dismissal", token=li, json={"note": "职责不变"})
    assert (status, after["state"], after["decided_by"]) == (200, "dismissed", "li")
    assert (await api.ask("POST", f"{path}/dismissal", token=li, json={"note": "再次"}))[0] == 404
    assert (await api.ask("GET", "/api/v1/directory/proposals/x", token=li))[0] == 404
    assert (await api.ask("GET", path, token=await api.login("zhang")))[0] == 403


# ── the document ─────────────────────────────────────────────────────────────────────────────────
def test_the_document_tells_the_api_and_the_webhook() -> None:
    document = msgspec.json.decode(rendered(
        *unit_openapi.OPERATIONS, *proposals_api.OPERATIONS, types=unit_openapi.TYPES, webhooks=unit_openapi.WEBHOOKS,
    ))
    OpenAPIV31SpecValidator(document).validate()
    told = document["webhooks"]["ticket"]["post"]
    assert set(told["responses"]) == {"204"}
    schema = told["requestBody"]["content"]["application/json"]["schema"] | {"components": document["components"]}
    row = Summary(
        number="DG1", version=3, state="pending_sign", channel="web", title="x", kind="complaint", priority="P3",
        verdict="non_emergency", created_at=NOW, updated_at=NOW, lead="城管局",
    )
    event = UnitEvent(unit="城管局", number="DG1", part=Part.LEAD, seq=1, summary=row, event="dispatch", at=NOW)
    jsonschema.Draft202012Validator(schema).validate(msgspec.json.decode(msgspec.json.encode(event)))
