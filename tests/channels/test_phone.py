"""Tickets from calls, and callers recognised whatever the form of their number."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from channels import phone, phone_codec, phone_number
from channels.message import Inbound
from channels.phone_number import normalize_phone
from hotline.appeal import UNTRIAGED
from hotline.city import load_city
from hotline.config import Settings
from hotline.containment import as_contact
from hotline.core import open_core
from hotline.errors import InvalidInput, Unauthenticated
from hotline.ids import StaffName
from hotline.terms import Channel
from tests.channels.conftest import Client, Serve
from tests.channels.contract import FIXTURES, NOW
from tests.channels.memory import MemoryPort

MOBILE, LANDLINE = "+8613800138000", "+8676922830000"
FORMS = {
    MOBILE: [
        "13800138000", "+8613800138000", "+86 138-0013-8000", "008613800138000", "0086-138-0013-8000", "8613800138000",
        "86 13800138000", "138 0013 8000", "(138)00138000", "１３８００１３８０００", "＋８６１３８００１３８０００",
        "138–0013–8000", "013800138000", "17951 13800138000", "tel:+8613800138000", "sip:13800138000@10.0.0.1:5060",
        "幺三八零零幺三八零零零", "一三八〇〇一三八〇〇〇", "幺三八洞洞幺三八洞洞洞", "壹叁捌零零壹叁捌零零零",
        " 138\u00a00013\u30008000 ", "138.0013.8000", "加八六 138 0013 8000",
    ],
    LANDLINE: [
        "0769-22830000", "076922830000", "(0769) 2283 0000", "0769 2283-0000", "+86-769-22830000", "0086769 22830000",
        "22830000", "2283-0000", "两二八三洞洞洞洞", "零七六九 二二八三零零零零", "+86 (769) 2283 0000",
    ],
    "+8618672718810": ["18672718810", "幺八六拐两拐幺八八幺洞"],
    "+85223456789": ["+852 2345 6789", "00852-23456789"],
    "+864008300769": ["400-830-0769", "4008300769"],
    "": ["", " ", "anonymous", "Unknown", "未知号码", "匿名"],
}


@pytest.mark.parametrize(("form", "number"), [(form, number) for number, forms in FORMS.items() for form in forms])
def test_every_form_is_the_same_caller(form: str, number: str) -> None:
    assert normalize_phone(form) == number


@pytest.mark.parametrize("form", ["12345", "110", "8001", "1380013800", "138001380001", "call me", "++86", "1" * 65,
                                  "12000138000", "0769-1", "\x00", "+", "00"])
def test_what_cannot_be_called_is_refused(form: str) -> None:
    with pytest.raises(InvalidInput):
        normalize_phone(form)


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        number = normalize_phone(text)
    except InvalidInput:
        return
    assert number == "" or (number[0] == "+" and number[1:].isdigit())
    assert normalize_phone(number) == number


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.lists(st.integers(0, 11), max_size=4))
def test_spaces_and_dashes_never_matter(number: str, cuts: list[int]) -> None:
    try:
        plain = normalize_phone(f"+86{number}")
    except InvalidInput:
        return
    broken = number
    for cut in sorted(cuts, reverse=True):
        broken = f"{broken[:cut]}-{broken[cut:]}" if 0 < cut < 11 else broken
    assert normalize_phone(broken) == plain


async def test_a_local_number_is_of_the_city_that_is_served(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_number, "_home", [])
    folder = shutil.copytree("cities/441900", tmp_path / "440100")
    table = folder / "city.toml"
    table.write_text(table.read_text("utf-8").replace('area_code = "0769"', 'area_code = "020"'), "utf-8")
    body = {"call": "1", "id": "1", "caller": "8765 4321", "phone": "87654322", "text": "电梯停用"}
    triage, settings = lambda texts: [UNTRIAGED] * len(texts), Settings(data_dir=str(tmp_path))
    async with open_core(settings, triage=triage, city=load_city(folder), dsn=database) as guangzhou:
        inbound, _ = phone_codec.decode_call_appeal(msgspec.json.encode(body), agent=StaffName("a01"), now=NOW)
        receipt = await guangzhou.front.submit(inbound)
        citizen = (await guangzhou.store.read(receipt.number)).ticket.appeal.citizen
    assert (citizen.key, citizen.phone) == ("+862087654321", "+862087654322")
    assert as_contact("020-8765 4321") == as_contact("87654321") == citizen.key
    assert normalize_phone("0769-22830000") == LANDLINE
    with pytest.raises(InvalidInput, match="020-"):
        normalize_phone("call me")


def test_without_a_city_a_local_number_is_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_number, "_home", [])
    for local in ("87654321", "2283000"):
        with pytest.raises(InvalidInput):
            normalize_phone(local)
    assert normalize_phone("020-87654321") == "+862087654321"


# ── tickets from calls ───────────────────────────────────────────────────────────────────────────
def decoded(name: str) -> Inbound:
    body = (FIXTURES / f"call/valid/{name}.json").read_bytes()
    return phone_codec.decode_call_appeal(body, agent=StaffName("a01"), now=NOW)[0]


def test_the_caller_is_the_citizen() -> None:
    mobile = decoded("mobile").appeal.citizen
    assert (mobile.name, mobile.phone, mobile.key) == ("王先生", MOBILE, MOBILE)
    landline = decoded("landline").appeal.citizen
    assert (landline.phone, landline.key) == ("+8613900139000", LANDLINE)
    assert decoded("withheld").appeal.citizen.key == ""
    extension = decoded("extension").appeal.citizen
    assert (extension.phone, extension.key) == ("", "call:8001")


@pytest.mark.parametrize("told", [
    "", "anonymous", "Restricted", "Withheld", "Private Number", "<null>", "0", "00000000", "+", "隐藏号码", "call:0",
])
def test_who_withholds_their_number_is_nobody_we_know(told: str) -> None:
    """All of them would be one citizen: each agent would see the others' tickets, and one's nuisance mark hit all."""
    assert phone_codec.caller_key(told) == ""
    assert phone_codec.caller_key("8001") == phone_codec.caller_key("call:8001") == "call:8001"


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    async def authenticate(request: web.Request) -> StaffName:
        if request.headers.get("X-Staff") != "a01":
            raise Unauthenticated("log in first")
        return StaffName("a01")

    return await serve(phone.routes(port, authenticate=authenticate))


async def test_an_agent_opens_a_ticket_once(client: Client, port: MemoryPort) -> None:
    body = {"call": "17.1", "id": "t1", "caller": "0769-22830000", "text": "电梯停用"}
    send = [client.post("/api/v1/calls/appeals", json=body, headers={"X-Staff": "a01"}) for _ in range(20)]
    answers = await asyncio.gather(*send)
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    (inbound,) = port.inbounds
    assert (inbound.channel, inbound.external_id, inbound.source) == (Channel.CALL, "17.1:t1", "a01")
    second = await client.post("/api/v1/calls/appeals", json=body | {"id": "t2"}, headers={"X-Staff": "a01"})
    assert second.status == 201


async def test_only_agents_open_tickets(client: Client, port: MemoryPort) -> None:
    answer = await client.post("/api/v1/calls/appeals", json={"call": "1", "id": "1", "text": "a"})
    assert answer.status == 401
    assert not port.inbounds
