"""GeoReport v2 in both notations, its own errors, and one ticket for one delivery."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from channels import open311, open311_codec
from channels.datum import gcj02
from channels.limits import RateLimit
from channels.open311_codec import decode_request, jurisdiction_of
from hotline.appeal import Category
from hotline.errors import InvalidInput, Overloaded
from hotline.terms import Channel, State
from tests.channels.conftest import Client, Serve
from tests.channels.memory import NOW, MemoryPort
from tests.channels.test_contract import CITY

KEY = "s3cret-api-key"
FORM = {"service_code": "0307", "lat": "23.02", "long": "113.75", "description": "路灯不亮", "api_key": KEY}
BASE = "/open311/v2"


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    return await serve(open311.routes(
        port, city=CITY, keys={"fixmystreet": KEY}, limit=RateLimit(100, 60), prove=lambda token: f"proof-{token[:4]}"
    ))


async def xml(client: Client, path: str, status: int = 200) -> ET.Element:
    answer = await client.get(BASE + path)
    assert (answer.status, answer.content_type, answer.charset) == (status, "text/xml", "utf-8")
    return ET.fromstring(await answer.read())


async def test_services_in_both_notations(client: Client) -> None:
    listed = await (await client.get(f"{BASE}/services.json?jurisdiction_id=441900")).json()
    assert [service["service_code"] for service in listed] == ["0307", "0308"]
    assert listed[0]["metadata"] is True
    root = await xml(client, "/services.xml")
    assert root.tag == "services"
    assert [service.findtext("service_name") for service in root.findall("service")] == ["路灯", "井盖"]
    assert {child.tag for child in root[0]} == set(listed[0])
    assert root[0].findtext("metadata") == "true"


async def test_service_definition(client: Client) -> None:
    told = await (await client.get(f"{BASE}/services/0307.json")).json()
    assert [value["key"] for value in told["attributes"][0]["values"]] == ["南城", "东城"]
    root = await xml(client, "/services/0307.xml")
    assert root.findtext("attributes/attribute/code") == "town"
    assert [value.findtext("name") for value in root.iter("value")] == ["南城", "东城"]


async def test_a_request_becomes_a_ticket(client: Client, port: MemoryPort) -> None:
    form = FORM | {"attribute[town]": "南城", "media_url": "https://e.org/a.jpg", "last_name": "张", "first_name": "三"}
    answer = await client.post(f"{BASE}/requests.json", data=form)
    assert answer.status == 201
    (told,) = await answer.json()
    assert told["service_request_id"] in port.codes
    assert port.codes[told["service_request_id"]] in told["service_notice"]
    (inbound,) = port.inbounds
    assert (inbound.channel, inbound.source) == (Channel.APP, "open311:fixmystreet")
    assert inbound.appeal.text == "路灯不亮\n照片:https://e.org/a.jpg"
    assert (inbound.appeal.title, inbound.appeal.citizen.name) == ("路灯", "张三")
    assert inbound.category == Category(l1="03", l2="路灯")
    assert (inbound.appeal.place.town, inbound.appeal.place.lat) == ("南城", gcj02(23.02, 113.75)[0])


def test_who_chooses_other_has_said_nothing_of_the_matter() -> None:
    city = jurisdiction_of("441900", [("0307", "03", "城市管理", "路灯"), ("2099", "20", "其他", "其他")], [])
    form = {"service_code": "2099", "description": "路灯不亮", "address_string": "鸿福路"}
    appeal, matter = decode_request(form, city)
    assert (appeal.title, matter) == ("", None)


async def test_the_answer_in_xml(client: Client, port: MemoryPort) -> None:
    answer = await client.post(f"{BASE}/requests.xml", data=FORM)
    root = ET.fromstring(await answer.read())
    assert root.tag == "service_requests"
    assert root.findtext("request/service_request_id") in port.codes


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k1"}])
async def test_fifty_parallel_deliveries_make_one_ticket(
    client: Client, port: MemoryPort, headers: dict[str, str]
) -> None:
    port.delay = 0.01
    answers = await asyncio.gather(
        *(client.post(f"{BASE}/requests.json", data=FORM, headers=headers) for _ in range(50))
    )
    assert {answer.status for answer in answers} == {201}
    assert len({(await answer.json())[0]["service_request_id"] for answer in answers}) == 1
    assert len(port.inbounds) == 1


async def test_other_content_sender_or_time_is_another_request(client: Client, port: MemoryPort) -> None:
    forms = [FORM, FORM | {"description": "灯杆倒了"}, FORM | {"device_id": "d2"}, FORM | {"api_key": ""}]
    for form in forms:
        await client.post(f"{BASE}/requests.json", data=form)
    assert len(port.inbounds) == 4
    port.clock += timedelta(minutes=9)
    await client.post(f"{BASE}/requests.json", data=FORM)
    assert len(port.inbounds) == 4
    port.clock += timedelta(minutes=2)
    await client.post(f"{BASE}/requests.json", data=FORM)
    assert len(port.inbounds) == 5


async def test_a_key_with_other_content_is_refused(client: Client) -> None:
    headers = {"Idempotency-Key": "k1"}
    await client.post(f"{BASE}/requests.json", data=FORM, headers=headers)
    answer = await client.post(f"{BASE}/requests.json", data=FORM | {"description": "x"}, headers=headers)
    assert answer.status == 422
    assert (await answer.json())[0]["code"] == 422


async def test_a_token_when_asked_for(client: Client, port: MemoryPort) -> None:
    (told,) = await (await client.post(f"{BASE}/requests.json", data=FORM | {"token": "true"})).json()
    assert "service_request_id" not in told
    (number, code), = port.codes.items()
    assert code in told["service_notice"]
    (found,) = await (await client.get(f"{BASE}/tokens/{told['token']}.json")).json()
    assert (found["service_request_id"], found["token"]) == (number, told["token"])
    assert code in found["service_notice"]
    root = await xml(client, f"/tokens/{told['token']}.xml")
    assert root.findtext("request/token") == told["token"]
    assert (await client.get(f"{BASE}/tokens/none.json")).status == 404


async def test_a_token_that_was_guessed_opens_no_query_code(client: Client, port: MemoryPort) -> None:
    """Sender and `Idempotency-Key` may be known to others: what is made of them alone tells the number, as it did."""
    headers = {"Idempotency-Key": "1"}
    (told,) = await (await client.post(f"{BASE}/requests.json", data=FORM | {"token": "true"}, headers=headers)).json()
    guessed = open311_codec.token_of("fixmystreet\0", "1")
    assert told["token"].startswith(guessed)
    (found,) = await (await client.get(f"{BASE}/tokens/{guessed}.json")).json()
    assert (found["service_request_id"], found["service_notice"]) == (next(iter(port.codes)), "")
    for wrong in ("proof-0000x", "é"):
        assert (await client.get(f"{BASE}/tokens/{guessed}{wrong}.json")).status == 404


async def test_a_slow_core_answers_a_token(client: Client, port: MemoryPort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open311, "WAIT", 0.05)
    port.delay = 30
    (told,) = await (await client.post(f"{BASE}/requests.json", data=FORM)).json()
    assert (await client.get(f"{BASE}/tokens/{told['token']}.json")).status == 404
    port.delay = 0
    receipt = await port.submit(port.spooled[0])
    (found,) = await (await client.get(f"{BASE}/tokens/{told['token']}.json")).json()
    assert found["service_request_id"] == receipt.number
    assert receipt.code in found["service_notice"]


async def test_a_full_core_says_when_to_come_back(client: Client, port: MemoryPort) -> None:
    port.failure = Overloaded("full", retry_after=7)
    answer = await client.post(f"{BASE}/requests.json", data=FORM)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")


async def test_requests_are_listed_without_personal_data(client: Client, port: MemoryPort) -> None:
    for text in ("路灯不亮", "灯杆倒了"):
        await client.post(f"{BASE}/requests.json", data=FORM | {"description": text, "phone": "13800138000"})
    first, second = port.codes
    port.set_state(first, State.CLOSED, reply="已修复")
    listed = await (await client.get(f"{BASE}/requests.json?status=open")).json()
    assert [row["service_request_id"] for row in listed] == [second]
    assert (listed[0]["status"], listed[0]["service_code"], listed[0]["address"]) == ("open", "0307", "南城")
    assert "138" not in str(listed).replace(second, "")
    assert "不亮" not in str(listed)
    assert not listed[0]["description"]
    root = await xml(client, f"/requests/{first}.xml")
    assert (root.findtext("request/status"), root.findtext("request/status_notes")) == ("closed", "已修复")


@pytest.mark.parametrize("rest", [
    "", "&page_size=1", "&page=2", "&status=closed", "&service_code=none", "&start_date=never",
])
async def test_requests_that_are_named_are_answered_whatever_else_is_asked(client: Client, rest: str) -> None:
    numbers = []
    for n in range(60):
        made = await client.post(f"{BASE}/requests.json", data=FORM | {"description": f"第{n}盏路灯不亮"})
        numbers.append((await made.json())[0]["service_request_id"])
    named = await client.get(f"{BASE}/requests.json?service_request_id={','.join(numbers)}{rest}")
    assert {row["service_request_id"] for row in await named.json()} == set(numbers)


async def test_more_requests_than_are_answered_at_once_are_not_cut_in_silence(client: Client) -> None:
    answer = await client.get(f"{BASE}/requests.json?service_request_id={','.join(map(str, range(101)))}")
    assert answer.status == 400
    assert "at most 100" in (await answer.json())[0]["description"]


@pytest.mark.parametrize(("query", "says"), [
    ("status=broken", "status"), ("start_date=yesterday", "start_date"), ("end_date=2026-11-21T08:00:00", "time zone"),
    ("page=0", "page"), ("page_size=101", "page_size"), ("page=101", "page"), ("page=%F0", "page"),
    ("page=" + "9" * 50, "page"),
])
async def test_wrong_filters_say_what_to_mend(client: Client, query: str, says: str) -> None:
    answer = await client.get(f"{BASE}/requests.json?{query}")
    assert answer.status == 400
    assert says in (await answer.json())[0]["description"]


@pytest.mark.parametrize("query", [
    "start_date=2026-01-01T00:00:00Z", "end_date=2026-01-01T00:00:00+08:00", "start_date=2026-01-01T00:00:00%2B08:00",
    "status=open,closed", "page=2", "service_code=0307,0308",
])
async def test_right_filters(client: Client, query: str) -> None:
    assert (await client.get(f"{BASE}/requests.json?{query}")).status == 200


async def test_what_is_named_several_times_is_as_with_commas(client: Client, port: MemoryPort) -> None:
    for text in ("路灯不亮", "灯杆倒了"):
        await client.post(f"{BASE}/requests.json", data=FORM | {"description": text})
    first, second = port.codes
    port.set_state(first, State.CLOSED, reply="已修复")
    for query in ("status=open&status=closed", f"service_request_id={first}&service_request_id={second}"):
        assert len(await (await client.get(f"{BASE}/requests.json?{query}")).json()) == 2


@pytest.mark.parametrize(("named", "page", "read"), [
    (1, 100, True), (2, 100, True), (3, 100, False), (160, 1, True), (160, 2, False),
])
def test_how_far_a_list_is_read_does_not_grow_with_the_services_that_are_named(
    named: int, page: int, read: bool
) -> None:
    categories = [(f"{n:04}", "03", "城市管理", f"事{n}") for n in range(160)]
    city = jurisdiction_of("441900", categories, [])
    codes = [*city.services][:named] * 2  # one that is named twice is read once
    query = {"service_code": ",".join(codes), "page_size": "100", "page": str(page)}
    if read:
        wanted = open311_codec.decode_filter(query, city, NOW)
        assert len(wanted.categories) * (wanted.offset + wanted.limit) <= 20_000
    else:
        with pytest.raises(InvalidInput, match="narrow the dates"):
            open311_codec.decode_filter(query, city, NOW)


async def test_pages_are_the_same_in_both_notations_and_end_with_an_empty_one(client: Client) -> None:
    for n in range(5):
        await client.post(f"{BASE}/requests.json", data=FORM | {"description": f"第{n}盏路灯不亮"})
    whole = await (await client.get(f"{BASE}/requests.json")).json()
    pages, in_xml = [], []
    for page in range(1, 5):
        listed = await (await client.get(f"{BASE}/requests.json?page={page}&page_size=2")).json()
        root = await xml(client, f"/requests.xml?page={page}&page_size=2")
        pages.append([row["service_request_id"] for row in listed])
        in_xml.append([one.findtext("service_request_id") for one in root.findall("request")])
    numbers = [row["service_request_id"] for row in whole]
    assert pages == in_xml == [numbers[:2], numbers[2:4], numbers[4:], []]


@pytest.mark.parametrize(("query", "start", "end"), [
    ({}, "2026-08-23T14:00:00+08:00", None),
    ({"end_date": "2026-05-01T00:00:00Z"}, "2026-01-31T00:00:00Z", "2026-05-01T00:00:00Z"),
    ({"start_date": "2020-01-01T00:00:00Z"}, "2020-01-01T00:00:00Z", None),
    ({"end_date": "0001-01-02T00:00:00Z"}, "0001-01-02T00:00:00Z", "0001-01-02T00:00:00Z"),
])
def test_a_list_that_names_no_beginning_spans_90_days(query: dict[str, str], start: str, end: str | None) -> None:
    wanted = open311_codec.decode_filter(query, CITY, NOW)
    assert wanted.start == datetime.fromisoformat(start)
    assert wanted.end == (datetime.fromisoformat(end) if end else None)
    assert (wanted.limit, wanted.offset) == (50, 0)


@pytest.mark.parametrize(("change", "status"), [
    ({"service_code": ""}, 400), ({"service_code": "9999"}, 404), ({"lat": "", "long": ""}, 400),
    ({"api_key": "wrong"}, 403), ({"jurisdiction_id": "110000"}, 404), ({"lat": "inf"}, 400),
    ({"media_url": "javascript:alert(1)"}, 400), ({"attribute[town]": "月球"}, 400),
])
async def test_errors_have_open311s_form(client: Client, port: MemoryPort, change: dict[str, Any], status: int) -> None:
    answer = await client.post(f"{BASE}/requests.xml", data=FORM | change)
    assert answer.status == status
    root = ET.fromstring(await answer.read())
    assert root.tag == "errors"
    assert root.findtext("error/code") == str(status)
    assert root.findtext("error/description")
    assert not port.inbounds


async def test_other_paths_and_cities(client: Client) -> None:
    for path in ("/services", "/nothing.json", "/requests/DG1.json", "/services/9999.json"):
        answer = await client.get(BASE + path)
        assert (answer.status, (await answer.json())[0]["code"]) == (404, 404)
    assert (await client.get(f"{BASE}/services.json?jurisdiction_id=other")).status == 404


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("PUT", "/requests.json", "GET,HEAD,POST"), ("DELETE", "/requests.xml", "GET,HEAD,POST"),
    ("POST", "/services.json", "GET,HEAD"), ("PATCH", "/requests/DG1.xml", "GET,HEAD"),
])
async def test_other_methods_are_told_in_the_form_of_open311(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, BASE + path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    if path.endswith(".xml"):
        assert ET.fromstring(await answer.read()).findtext("error/code") == "405"
    else:
        assert (await answer.json())[0]["code"] == 405


@pytest.mark.parametrize("sent", [
    {"json": FORM}, {"data": aiohttp.FormData(FORM, default_to_multipart=True)},
    {"data": b"<request/>", "headers": {"Content-Type": "text/xml"}},
])
async def test_a_request_that_is_no_form_is_told_what_to_send(
    client: Client, port: MemoryPort, sent: dict[str, Any]
) -> None:
    answer = await client.post(f"{BASE}/requests.xml", **sent)
    assert answer.status == 415
    said = ET.fromstring(await answer.read()).findtext("error/description") or ""
    assert "send application/x-www-form-urlencoded" in said
    assert not port.inbounds


async def test_a_path_of_line_breaks_is_told_in_the_form_of_open311(client: Client) -> None:
    answer = await client.get(f"{BASE}/tokens/%0D%0Ax")
    assert (answer.status, (await answer.json())[0]["code"]) == (404, 404)


async def test_the_public_is_limited_by_address_and_apps_are_not(serve: Serve, port: MemoryPort) -> None:
    client = await serve(open311.routes(port, city=CITY, keys={"a": KEY}, limit=RateLimit(1, 60)))
    public = FORM | {"api_key": ""}
    other = public | {"description": "另一件事"}
    statuses = [(await client.post(f"{BASE}/requests.json", data=data)).status for data in (public, other, public)]
    assert statuses == [201, 429, 201], "the last one is a repeat"
    assert (await client.post(f"{BASE}/requests.json", data=FORM)).status == 201


async def test_what_the_public_reads_is_limited_by_address(serve: Serve, port: MemoryPort) -> None:
    client = await serve(open311.routes(port, city=CITY, keys={"a": KEY}, looks=RateLimit(2, 60)))
    paths = ("requests.json", "requests/DG1.json", "requests.xml", "requests.json?api_key=wrong")
    assert [(await client.get(f"{BASE}/{path}")).status for path in paths] == [200, 404, 429, 429]
    assert (await client.get(f"{BASE}/requests.json?api_key={KEY}")).status == 200
    assert (await client.get(f"{BASE}/services.json")).status == 200


async def test_what_an_app_asks_by_its_key_is_counted_with_its_token(serve: Serve, port: MemoryPort) -> None:
    calls = RateLimit(3, 60)
    client = await serve(open311.routes(port, city=CITY, keys={"a": KEY, "b": "other"}, calls=calls))
    calls.take(KEY, port.now().timestamp())  # as the gate takes the token
    asked = [
        await client.get(f"{BASE}/requests.json?api_key={KEY}"), await client.post(f"{BASE}/requests.json", data=FORM),
        await client.post(f"{BASE}/requests.json", data=FORM | {"description": "另一件事"}),
        *[await client.get(f"{BASE}/requests.json?api_key={key}") for key in (KEY, "other")],
    ]
    assert [answer.status for answer in asked] == [200, 201, 429, 429, 200]
    assert (await asked[2].json())[0]["code"] == 429
    assert int(asked[2].headers["Retry-After"]) > 0
