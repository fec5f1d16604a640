"""The API of units' own systems over HTTP: pull by cursor, act once, files, and the document that tells it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from agent_ui import proposals_api, unit_openapi
from channels.openapi import rendered
from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.events import SYSTEM, Actor, Role
from hotline.standins.unit import UnitClient
from hotline.store.audit import AuditStore
from hotline.summary import Summary
from routing.unit_codec import Part, UnitEvent
from tests.agent_ui.unit_system import PHONE, PNG, UNIT, Api, appeal
from tests.cities import NOW


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


async def test_a_file_is_given_out_under_the_name_that_is_shown_with_the_ticket(api: Api) -> None:
    receipt = await appeal(api.stack)
    _, kept = await api.ask("POST", f"/api/v1/units/{UNIT}/attachments", data=PNG)
    await api.act(receipt.number, {"type": "sign"}, "k1")
    file = kept | {"name": "王小明身份证13812345678.png"}
    assert (await api.act(receipt.number, {"type": "attach", "attachments": [file]}, "k2"))[0] == 200
    path = f"/api/v1/units/{UNIT}/tickets/{receipt.number}/attachments/{kept['key']}"
    async with api.client.get(path, headers={"Authorization": f"Bearer {api.token}"}) as answer:
        shown = unquote(answer.headers["Content-Disposition"])
    assert shown == "attachment; filename*=UTF-8''王*身份证138****5678.png"


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
