"""Appeals over HTTP: apps, the web page, forms, files, and everything that can be wrong with them."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from channels import appeals
from channels.appeal_codec import AppealBody, PlaceBody
from channels.form_codec import FIELDS
from channels.kit import MAX_WITH_FILES, client_address
from channels.limits import RateLimit
from channels.port import ChannelPort
from hotline.errors import Overloaded, Unavailable
from hotline.terms import Channel
from tests.channels.conftest import Client, Serve
from tests.channels.memory import MemoryPort

TOKENS = {"demo": "s3cret", "yss": "other"}
APP = {"Authorization": "Bearer s3cret"}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PLACE = {"town": "南城", "lat": 23.0, "lon": 113.7}
BODY = {"text": "南城街道鸿福路路灯不亮", "phone": "138-0013-8000", "place": PLACE}


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    accepted: ChannelPort = port
    return await serve(appeals.routes(accepted, tokens=TOKENS, limit=RateLimit(100, 60)))


async def test_app_is_answered_201_then_200_with_the_same_body(client: Client, port: MemoryPort) -> None:
    headers = APP | {"Idempotency-Key": "k-1"}
    first = await client.post("/api/v1/appeals", json=BODY, headers=headers)
    again = await client.post("/api/v1/appeals", json=BODY, headers=headers)
    assert (first.status, again.status) == (201, 200)
    answer = await first.json()
    assert answer == await again.json()
    assert set(answer) == {"number", "code", "status", "verdict", "category", "department", "expected_by"}
    (inbound,) = port.inbounds
    assert inbound.channel is Channel.APP
    assert inbound.source == "demo"
    assert inbound.appeal.citizen.phone == "+8613800138000"
    assert inbound.appeal.place.lat == 23.0


async def test_fifty_parallel_deliveries_make_one_ticket(client: Client, port: MemoryPort) -> None:
    port.delay = 0.01
    headers = APP | {"Idempotency-Key": "same"}
    answers = await asyncio.gather(*(client.post("/api/v1/appeals", json=BODY, headers=headers) for _ in range(50)))
    assert sorted({answer.status for answer in answers}) == [200, 201]
    assert len({(await answer.json())["number"] for answer in answers}) == 1
    assert len(port.inbounds) == 1


async def test_a_body_that_is_not_encoded_as_it_says_is_the_senders_mistake(client: Client, port: MemoryPort) -> None:
    headers = APP | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post("/api/v1/appeals", data=b"zzz", headers=headers)
    assert (answer.status, (await answer.json())["error_id"]) == (400, "invalid_input")
    assert port.inbounds == []


async def test_clients_do_not_share_keys(client: Client, port: MemoryPort) -> None:
    for headers in (APP, {"Authorization": "Bearer other"}, {}):
        answer = await client.post("/api/v1/appeals", json=BODY, headers={**headers, "Idempotency-Key": "k"})
        assert answer.status == 201
    assert [inbound.source for inbound in port.inbounds] == ["demo", "yss", ""]
    assert port.inbounds[2].channel is Channel.WEB


async def test_a_key_with_other_content_is_refused(client: Client) -> None:
    headers = APP | {"Idempotency-Key": "k"}
    await client.post("/api/v1/appeals", json=BODY, headers=headers)
    answer = await client.post("/api/v1/appeals", json={"text": "另一件事"}, headers=headers)
    assert answer.status == 422
    assert (await answer.json())["error_id"] == "idempotency_key_reused"


async def test_without_a_key_each_request_is_its_own(client: Client, port: MemoryPort) -> None:
    for _ in range(2):
        await client.post("/api/v1/appeals", json=BODY, headers=APP)
    assert len(port.inbounds) == 2


@pytest.mark.parametrize(("body", "says", "field"), [
    (b"", "truncated", ""), (b"{", "truncated", ""), (b"[]", "Expected `object`", ""),
    (b"null", "Expected `object`", ""), (b"{}", "`text`", ""), (b'{"text": ""}', "`$.text`", "text"),
    (b'{"text": " \\u0000 "}', "empty", "text"), (b'{"text": 5}', "`$.text`", "text"),
    (b'{"text":"a","kind":"x"}', "`$.kind`", "kind"), (b'{"text": "\xff"}', "utf-8", ""),
    (b'{"text": "a", "phon": "1"}', "phon", ""), (b'{"text": "a", "phone": "12"}', "phone", "phone"),
    (b'{"text":"a","place":{"lat":1}}', "lat and lon", "place"),
    (b'{"text": "a", "place": {"lat": 91, "lon": 1}}', "`$.place.lat`", "place"),
    (b'{"text": "a", "attachments": [{}]}', "key or data", "attachments"),
    (b'{"text": "a", "attachments": [{"data": "!!"}]}', "base64", "attachments"),
    (b'{"text": "' + b"a" * 10_001 + b'"}', "10000", "text"), (b'{"text": "\\ud800"}', "not as described", ""),
    (b'{"text": "a", "title": "' + b"a" * 201 + b'"}', "200", "title"),
])
async def test_wrong_bodies_say_what_to_mend(
    client: Client, port: MemoryPort, body: bytes, says: str, field: str
) -> None:
    answer = await client.post("/api/v1/appeals", data=body, headers=APP | {"Content-Type": "application/json"})
    problem = await answer.json()
    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert (problem["error_id"], problem.get("field", "")) == ("invalid_input", field)
    assert says in problem["detail"]
    assert not port.inbounds


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic s3cret", "s3cret", "Bearer s3cre\u00e9"])
async def test_a_wrong_token_is_not_taken_for_the_web(client: Client, port: MemoryPort, header: str) -> None:
    answer = await client.post("/api/v1/appeals", json=BODY, headers={"Authorization": header})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not port.inbounds


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "键"])
async def test_a_wrong_key_is_refused(client: Client, key: str) -> None:
    answer = await client.post("/api/v1/appeals", json=BODY, headers=APP | {"Idempotency-Key": key})
    assert answer.status == 400


async def test_a_repeat_from_the_web_passes_its_limit(serve: Serve, port: MemoryPort) -> None:
    client = await serve(appeals.routes(port, tokens=TOKENS, limit=RateLimit(1, 60)))
    port.delay = 0.01

    async def send(key: str) -> int:
        return (await client.post("/api/v1/appeals", json=BODY, headers={"Idempotency-Key": key})).status

    assert sorted(await asyncio.gather(*(send("k1") for _ in range(5)))) == [200, 200, 200, 200, 201]
    assert [await send(key) for key in ("k2", "k1")] == [429, 200]
    assert len(port.inbounds) == 1


async def test_the_web_is_limited_by_address_and_apps_are_not(serve: Serve, port: MemoryPort) -> None:
    client = await serve(appeals.routes(port, tokens=TOKENS, limit=RateLimit(2, 60), proxies=1))
    web = [await client.post("/api/v1/appeals", json=BODY) for _ in range(3)]
    assert [answer.status for answer in web] == [201, 201, 429]
    assert int(web[2].headers["Retry-After"]) > 0
    elsewhere = await client.post("/api/v1/appeals", json=BODY, headers={"X-Forwarded-For": "6.6.6.6, 9.9.9.9"})
    assert elsewhere.status == 201
    assert (await client.post("/api/v1/appeals", json=BODY, headers=APP)).status == 201


@pytest.mark.parametrize(("headers", "address"), [
    (["6.6.6.6, 9.9.9.9"], "9.9.9.9"), (["6.6.6.6", "9.9.9.9"], "9.9.9.9"),
    (["6.6.6.6, 7.7.7.7", "9.9.9.9"], "9.9.9.9"),
    (["9.9.9.9:50123"], "9.9.9.9"), (["[2001:db8::9]:443"], "2001:db8::9"), (["2001:db8::9"], "2001:db8::9"),
    (["::ffff:9.9.9.9"], "::ffff:9.9.9.9"),
])
def test_the_address_is_what_the_proxy_saw(headers: list[str], address: str) -> None:
    given = CIMultiDict([("X-Forwarded-For", line) for line in headers])
    assert client_address(make_mocked_request("GET", "/", given), proxies=1) == address


@pytest.mark.parametrize(("failure", "error_id"), [
    (Overloaded("full", retry_after=3), "overloaded"), (Unavailable("no database"), "unavailable"),
])
async def test_a_full_service_answers_503(client: Client, port: MemoryPort, failure: Exception, error_id: str) -> None:
    port.failure = failure
    answer = await client.post("/api/v1/appeals", json=BODY, headers=APP)
    assert answer.status == 503
    assert (await answer.json())["error_id"] == error_id
    assert answer.headers.get("Retry-After") == ("3" if error_id == "overloaded" else "5")


async def test_inline_and_uploaded_files_are_attached(client: Client, port: MemoryPort) -> None:
    kept = await (await client.post("/api/v1/attachments?name=../../a.exe", data=PNG, headers=APP)).json()
    again = {"key": kept["key"], "name": "../../a.exe"}
    files = [{"key": kept["key"]}, again, {"name": "b.png", "data": base64.b64encode(PNG + b"x").decode()}]
    answer = await client.post("/api/v1/appeals", json=BODY | {"attachments": files}, headers=APP)
    assert answer.status == 201
    found = [(one.name, one.media_type, one.size) for one in port.inbounds[0].appeal.attachments]
    kinds = [("image/png", len(PNG)), ("image/png", len(PNG)), ("image/png", len(PNG) + 1)]
    assert found == [(name, *kind) for name, kind in zip(("file.png", "a_exe.png", "b.png"), kinds, strict=True)]


@pytest.mark.parametrize(("data", "status"), [(b"", 400), (b"<svg onload=x>", 415), (b"MZ" + b"\0" * 100, 415)])
async def test_other_files_are_refused(client: Client, data: bytes, status: int) -> None:
    assert (await client.post("/api/v1/attachments?name=a.png", data=data, headers=APP)).status == status


async def test_unknown_attachments_are_refused(client: Client) -> None:
    answer = await client.post("/api/v1/appeals", json=BODY | {"attachments": [{"key": "0" * 64}]}, headers=APP)
    assert answer.status == 404


def _form(**fields: Any) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    return form


@pytest.mark.parametrize("space", ["", " ", "\n\t"])
async def test_json_under_curls_default_type_is_json(client: Client, port: MemoryPort, space: str) -> None:
    headers = APP | {"Idempotency-Key": "c", "Content-Type": "application/x-www-form-urlencoded"}
    data = f'{space}{{"text": "路灯=坏了&很黑%41", "confidential": true}}'.encode()
    answer = await client.post("/api/v1/appeals", data=data, headers=headers)
    assert answer.status == 201
    (inbound,) = port.inbounds
    assert (inbound.appeal.text, inbound.appeal.confidential) == ("路灯=坏了&很黑%41", True)
    broken = await client.post("/api/v1/appeals", data=data[:-1], headers=headers)
    assert (broken.status, (await broken.json())["error_id"]) == (400, "invalid_input")


def test_a_form_says_what_json_says() -> None:
    said = [*AppealBody.__struct_fields__, *PlaceBody.__struct_fields__]
    assert sorted(FIELDS) == sorted({*said} - {"place", "attachments"})


async def test_urlencoded_form(client: Client, port: MemoryPort) -> None:
    fields = {"text": "楼下烧烤油烟大", "name": "张三", "phone": "", "town": "东城", "confidential": "on", "key": "f1"}
    answer = await client.post("/api/v1/appeals", data=fields)
    again = await client.post("/api/v1/appeals", data=fields)
    assert (answer.status, again.status) == (201, 200)
    (inbound,) = port.inbounds
    assert inbound.channel is Channel.WEB
    assert inbound.appeal.confidential
    assert inbound.appeal.place.town == "东城"


async def test_multipart_form_with_files_answers_a_page(client: Client, port: MemoryPort) -> None:
    form = _form(text="井盖丢失", lat="23.02", lon="113.75")
    form.add_field("file", PNG, filename="现场 照片.png", content_type="text/plain")
    form.add_field("file", b"", filename="", content_type="application/octet-stream")
    answer = await client.post("/api/v1/appeals", data=form, headers={"Accept": "text/html"})
    assert answer.status == 201
    page = await answer.text()
    assert port.inbounds[0].appeal.place.lon == 113.75
    assert port.inbounds[0].appeal.attachments[0].name == "现场_照片.png"
    assert next(iter(port.codes)) in page


@pytest.mark.parametrize(("content_type", "body"), [
    ("multipart/form-data", b"x"), ("multipart/form-data; boundary=b", b"x"),
    ("multipart/form-data; boundary=b", b"--b\r\n\r\n\r\n"), ("multipart/form-data; boundary=b", b"--b--\r\n"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--b--'),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--"),
    ("application/x-www-form-urlencoded", b""), ("application/x-www-form-urlencoded", b"text=a&text=b"),
    ("application/x-www-form-urlencoded", b"text=a&nope=b"), ("application/x-www-form-urlencoded", b"text=%ff%00"),
    ("application/x-www-form-urlencoded", b"text=a&lat=x&lon=1"),
    ("application/x-www-form-urlencoded", b"text=a&lat=nan&lon=1"),
])
async def test_wrong_forms_are_refused(client: Client, port: MemoryPort, content_type: str, body: bytes) -> None:
    answer = await client.post("/api/v1/appeals", data=body, headers={"Content-Type": content_type})
    assert (answer.status, (await answer.json())["error_id"]) == (400, "invalid_input"), await answer.text()
    assert not port.inbounds


async def test_a_packed_part_of_a_form_is_refused(client: Client, port: MemoryPort) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="text"\r\nContent-Encoding: gzip\r\n\r\nx\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await client.post("/api/v1/appeals", data=part, headers=headers)
    assert (answer.status, (await answer.json())["error_id"]) == (415, "unsupported_media_type")
    assert not port.inbounds


async def test_other_types_and_methods_are_problems(client: Client) -> None:
    answer = await client.post("/api/v1/appeals", data=b"<a/>", headers={"Content-Type": "text/xml"})
    assert (answer.status, answer.content_type) == (415, "application/problem+json")
    answer = await client.get("/api/v1/appeals")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    answer = await client.get("/nowhere")
    assert (answer.status, (await answer.json())["error_id"]) == (404, "not_found")


async def test_a_body_that_is_too_large_is_a_problem(client: Client) -> None:
    kind = {"Content-Type": "application/json"}
    answer = await client.post("/api/v1/appeals", data=b"[" * (MAX_WITH_FILES + 1), headers=kind)
    assert (answer.status, (await answer.json())["error_id"]) == (413, "too_large")
