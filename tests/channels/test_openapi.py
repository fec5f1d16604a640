"""The document is valid, tells every route, and its schemas take what the codecs take."""

from __future__ import annotations

import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from channels import appeals, chat, open311, phone, police, police_updates, ratings, sms_codec, tickets, wechat
from channels.appeal_codec import answer_of
from channels.message import Outbound, Receipt
from channels.openapi import rendered
from channels.police_codec import Outcome
from channels.problem import STATUS
from hotline import commands as c
from hotline.appeal import UNTRIAGED
from hotline.effects import Spoken, incident_payload, told_by
from hotline.ids import StaffName, TicketNumber
from hotline.terms import Channel, Service
from tests.channels.conftest import Serve
from tests.channels.contract import RECEIPT, payloads
from tests.channels.memory import MemoryPort
from tests.channels.test_contract import CITY
from tests.channels.test_wechat import SETTINGS
from tests.hotline.test_decide import NOW, ticket

DOCUMENT: dict[str, Any] = msgspec.json.decode(rendered())


def all_routes() -> list[web.AbstractRouteDef]:
    async def authenticate(request: web.Request) -> StaffName:
        return StaffName("a01")

    async def update(key: str, status: str, text: str) -> None:
        pass  # routes are only listed here

    port = MemoryPort()
    return [
        *appeals.routes(port, tokens={}), *tickets.routes(port, tokens={}), *chat.routes(port),
        *open311.routes(port, city=CITY, keys={}), *wechat.routes(port, settings=SETTINGS),
        *police.routes(port, secret="s"),
        *police_updates.routes(update, secret="s", clock=port.now),
        *phone.routes(port, authenticate=authenticate),
        *[route for route in ratings.routes(port) if route.method == "POST"],  # type: ignore[arg-type, attr-defined]
    ]


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_route_is_told_and_every_told_route_is_there() -> None:
    served = {
        (route.method.lower(), re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path))
        for route in all_routes() if isinstance(route, web.RouteDef) and route.method != "*"
    }
    told = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert told == served


def test_every_parameter_of_a_path_is_told() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            names = [DOCUMENT["components"]["parameters"][reference["$ref"].rsplit("/", 1)[1]]
                     for reference in operation.get("parameters", [])]
            in_path = {parameter["name"] for parameter in names if parameter["in"] == "path"}
            assert in_path == set(re.findall(r"\{(\w+)\}", path)), path


def test_every_operation_tells_its_errors() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            named = {"404"} if "{" in path else set()
            sent = {"413"} if "requestBody" in operation else set()
            sent |= {"429"} if any(operation["security"]) else set()
            assert {"400", "500", "503"} | named | sent <= set(operation["responses"]), path
            assert set(map(int, operation["responses"])) - {101, 200, 201, 204, 303} <= set(STATUS.values())


async def test_a_body_of_another_type_is_answered_as_the_document_tells(serve: Serve) -> None:
    client = await serve(all_routes())
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                address = path.replace("{form}", "json").replace("{", "").replace("}", "")
                answer = await client.request(method, address, data=b"x", headers={"Content-Type": "text/plain"})
                assert str(answer.status) in operation["responses"], path


async def test_open311_answers_what_the_document_tells(serve: Serve) -> None:
    client = await serve(open311.routes(MemoryPort(), city=CITY, keys={}))
    body = {"service_code": "0307", "address_string": "鸿福路", "description": "路灯不亮"}
    made = await (await client.post("/open311/v2/requests.json", data=body)).json()
    asked = await (await client.post("/open311/v2/requests.json", data=body | {"token": "true"})).json()
    number, token = made[0]["service_request_id"], asked[0]["token"]
    answers = {
        ("post", "/requests", "201"): made, **{
            ("get", path, status): await (await client.get(f"/open311/v2{address}.json")).json()
            for path, address, status in (
                ("/services", "/services", "200"), ("/services/{code}", "/services/0307", "200"),
                ("/requests", "/requests", "200"), ("/requests/{number}", f"/requests/{number}", "200"),
                ("/tokens/{token}", f"/tokens/{token}", "200"), ("/requests/{number}", "/requests/x", "404"),
            )
        },
    }
    for (method, path, status), answer in answers.items():
        told = DOCUMENT["paths"][f"/open311/v2{path}.{{form}}"][method]["responses"][status]
        schema = told["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator(schema).validate(answer)
        fields, row = (schema["items"], answer[0]) if isinstance(answer, list) else (schema, answer)
        assert set(row) <= set(fields["properties"]), path


def test_open311_tells_both_notations() -> None:
    told = [methods.values() for path, methods in DOCUMENT["paths"].items() if path.startswith("/open311/")]
    answers = [answer for methods in told for method in methods for answer in method["responses"].values()]
    assert answers
    assert all({"application/json", "text/xml"} <= set(answer["content"]) for answer in answers)


@pytest.mark.parametrize(("schema", "channel"), [
    ("AppealBody", "app"), ("TransferBody", "police"), ("CallAppealBody", "call"), ("Say", "chat"),
])
def test_recorded_payloads_fit_their_schema(schema: str, channel: str) -> None:
    wanted = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    for path in payloads(channel, "valid"):
        jsonschema.Draft202012Validator(wanted).validate(msgspec.json.decode(path.read_bytes()))


def test_answers_fit_their_schema() -> None:
    wanted = {"$ref": "#/components/schemas/AppealAnswer", "components": DOCUMENT["components"]}
    assert isinstance(RECEIPT, Receipt)
    jsonschema.Draft202012Validator(wanted).validate(msgspec.to_builtins(answer_of(RECEIPT)))


# ── what we send ─────────────────────────────────────────────────────────────────────────────────
def _sent(name: str) -> dict[str, Any]:
    told: dict[str, Any] = DOCUMENT["webhooks"][name]["post"]
    schema: dict[str, Any] = told["requestBody"]["content"]["application/json"]["schema"]
    return schema | {"components": DOCUMENT["components"]}


@pytest.mark.parametrize("merged", [False, True])
def test_110_is_told_what_the_document_tells_it(merged: bool) -> None:
    own, speaker = ticket(), ticket(number="DG2")
    spoken = Spoken(text="着火了", triage=UNTRIAGED, merged=TicketNumber("DG2")) if merged else None
    body = incident_payload(own, c.HandOff(services=(Service.FIRE,)), "2026-11-20T10:00:00+08:00", spoken=spoken)
    body = told_by(body, speaker) if merged else body
    jsonschema.Draft202012Validator(_sent("incident")).validate(body)


def test_the_document_tells_what_the_desk_answers_and_how_a_transfer_and_a_notice_look() -> None:
    answer = DOCUMENT["webhooks"]["incident"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(DOCUMENT["components"]["schemas"][answer["$ref"].rsplit("/", 1)[1]]["properties"]) == {
        "accepted", "incident", "reason",
    }
    outcome = Outcome(incident="J1", number="DG1", status="closed", department="", outcome="已办结", at=NOW)
    letter = sms_codec.encode(Outbound(channel=Channel.CALL, to="+8613800138000", text="x", key="k"))
    for name, body in (("outcome", msgspec.json.encode(outcome)), ("letter", letter)):
        jsonschema.Draft202012Validator(_sent(name)).validate(msgspec.json.decode(body))
