"""Transfers from 110: signatures, time, replays, repeats."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from channels import police, police_codec, police_updates
from channels.message import Inbound
from channels.police_codec import Outcome
from hotline.appeal import Appeal, Citizen
from hotline.errors import InvalidInput
from hotline.signing import signature
from hotline.terms import Channel
from tests.channels.conftest import Client, Serve
from tests.channels.memory import NOW, MemoryPort

SECRET = "desk-secret"
BODY = msgspec.json.encode({"incident": "4419002026112100017", "matter": "挪车", "text": "堵住消防通道"})
PATH = "/api/v1/police/transfers"


def headers(body: bytes = BODY, *, key: str = "k1", secret: str = SECRET, shift: float = 0) -> dict[str, str]:
    timestamp = str(int(NOW.timestamp() + shift))
    return {"X-Timestamp": timestamp, "X-Signature": signature(secret, timestamp, body), "Idempotency-Key": key}


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    return await serve(police.routes(port, secret=SECRET))


async def test_a_transfer_is_answered_like_an_appeal(client: Client, port: MemoryPort) -> None:
    answer = await client.post(PATH, data=BODY, headers=headers())
    assert answer.status == 201
    assert set(await answer.json()) == {
        "number", "code", "status", "verdict", "category", "department", "expected_by"}
    (inbound,) = port.inbounds
    assert (inbound.channel, inbound.appeal.title, inbound.source) == (Channel.POLICE, "挪车", "police110")
    assert police_codec.incident_of(inbound.external_id) == "4419002026112100017"


async def test_repeats_get_the_first_answer(client: Client, port: MemoryPort) -> None:
    first = await client.post(PATH, data=BODY, headers=headers())
    sent = [headers(), headers(shift=30), headers(key="k2", shift=60)]
    again = [await client.post(PATH, data=BODY, headers=each) for each in sent]
    assert [answer.status for answer in again] == [200, 200, 200]
    assert {await answer.text() for answer in again} == {await first.text()}
    assert len(port.inbounds) == 1


async def test_fifty_parallel_deliveries_make_one_ticket(client: Client, port: MemoryPort) -> None:
    port.delay = 0.01
    answers = await asyncio.gather(*(client.post(PATH, data=BODY, headers=headers()) for _ in range(50)))
    assert {answer.status for answer in answers} == {200, 201}
    assert len(port.inbounds) == 1


async def test_a_captured_request_cannot_be_played_as_another(client: Client, port: MemoryPort) -> None:
    body = msgspec.json.encode({"text": "停水两天"})
    assert (await client.post(PATH, data=body, headers=headers(body))).status == 201
    replayed = await client.post(PATH, data=body, headers=headers(body) | {"Idempotency-Key": "k2"})
    assert (replayed.status, (await replayed.json())["error_id"]) == (409, "replayed")
    port.clock += timedelta(seconds=301)
    stale = await client.post(PATH, data=body, headers=headers(body))
    assert stale.status == 401
    assert len(port.inbounds) == 1


@pytest.mark.parametrize("change", [
    {"X-Signature": ""}, {"X-Signature": "0" * 64}, {"X-Timestamp": ""}, {"X-Timestamp": "soon"},
    {"X-Timestamp": "9" * 5000}, {"X-Timestamp": "-1"}, {"X-Timestamp": "１７９５"}, {"X-Signature": "é"},
])
async def test_forged_requests_are_refused(client: Client, port: MemoryPort, change: dict[str, str]) -> None:
    answer = await client.post(PATH, data=BODY, headers=headers() | change)
    assert (answer.status, (await answer.json())["error_id"]) == (401, "unauthenticated")
    assert not port.inbounds
    assert not port.nonces


@pytest.mark.parametrize("shift", [-301, 301])
async def test_a_wrong_clock_is_told(client: Client, shift: float) -> None:
    answer = await client.post(PATH, data=BODY, headers=headers(shift=shift))
    assert answer.status == 401
    assert "clock" in (await answer.json())["detail"]


@pytest.mark.parametrize("shift", [-299, 299])
async def test_clocks_may_differ_a_little(client: Client, shift: float) -> None:
    assert (await client.post(PATH, data=BODY, headers=headers(shift=shift))).status == 201


async def test_another_secret_or_body_is_refused(client: Client) -> None:
    assert (await client.post(PATH, data=BODY, headers=headers(secret="other"))).status == 401
    assert (await client.post(PATH, data=BODY + b" ", headers=headers())).status == 401


async def test_something_must_identify_a_transfer(client: Client) -> None:
    body = msgspec.json.encode({"text": "停水"})
    given = headers(body)
    del given["Idempotency-Key"]
    answer = await client.post(PATH, data=body, headers=given)
    assert (answer.status, (await answer.json())["error_id"]) == (400, "invalid_input")


def test_without_a_secret_nothing_is_served() -> None:
    with pytest.raises(ValueError, match="secret"):
        police.routes(MemoryPort(), secret="")


def test_an_outcome_is_read_whole_or_refused() -> None:
    outcome = Outcome(
        incident="1", number="DG2026112150000420", status="closed", department="城管局", outcome="已挪车", at=NOW)
    body = msgspec.json.encode(outcome)
    assert police_codec.decode_outcome(body) == outcome
    for wrong in (b"{}", b"", body[:-1], body.replace(b'"number"', b'"nummer"')):
        with pytest.raises(InvalidInput):
            police_codec.decode_outcome(wrong)
    assert (police_codec.incident_of("key:k1"), police_codec.key_of("key:k1")) == ("", "k1")
    assert police_codec.key_of("incident:J1") == ""


async def test_updates_of_our_incidents_are_signed_too(serve: Serve, port: MemoryPort) -> None:
    taken: list[tuple[str, str, str]] = []

    async def update(key: str, status: str, text: str) -> None:
        taken.append((key, status, text))

    client = await serve(police_updates.routes(update, secret=SECRET, clock=port.now))
    path = "/api/v1/police/incidents/k-17"
    body = msgspec.json.encode({"key": "k-17", "status": "returned", "text": "非警务"})
    assert (await client.post(path, data=body, headers=headers(body))).status == 204
    assert (await client.post(path, data=body, headers=headers(body, secret="other"))).status == 401
    assert (await client.post("/api/v1/police/incidents/k-18", data=body, headers=headers(body))).status == 400
    for wrong in (b"", b'{"status": "closed"}', b'{"key": "k-17", "status": "lost"}', b'{"key": 17}'):
        assert (await client.post(path, data=wrong, headers=headers(wrong))).status == 400
    assert taken == [("k-17", "returned", "非警务")]


def test_a_transfer_by_key_is_the_same_content_as_before_its_outcome_was_told() -> None:
    """A repeat may reach a process of another version while a restart rolls: it is no other content."""
    taken = Inbound(
        channel=Channel.POLICE, external_id="key:k1", received_at=NOW,
        appeal=Appeal(text="井盖缺失", citizen=Citizen(key="key:k1", phone="+8613800138000")),
    )
    before = msgspec.structs.replace(
        taken, appeal=Appeal(text="井盖缺失", citizen=Citizen(phone="+8613800138000"))
    )
    assert taken.content_hash() == before.content_hash()
    other = msgspec.structs.replace(taken, appeal=Appeal(text="路灯不亮", citizen=taken.appeal.citizen))
    assert taken.content_hash() != other.content_hash()
