"""WeChat: both modes, every message and event, repeats, a slow core; wechatpy as an independent oracle."""

from __future__ import annotations

import asyncio
import base64
import secrets
from pathlib import Path
from typing import Any

import msgspec
import pytest
import wechatpy  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto  # type: ignore[import-untyped]
from wechatpy.utils import check_signature  # type: ignore[import-untyped]

from channels import wechat, wechat_codec, wechat_crypto, wording
from channels.message import Inbound, Receipt
from channels.wechat_codec import Event, Lookup, Query, Unknown, WeChatSettings
from hotline.errors import Forbidden, IllegalTransition, InvalidInput, KeyReused, Overloaded, RateLimited, Unavailable
from hotline.ids import TicketNumber
from hotline.standins import wechat as wechat_standin
from hotline.terms import State, Verdict
from tests.channels.conftest import Client, Serve
from tests.channels.contract import FIXTURES, NOW, payloads
from tests.channels.memory import MemoryPort

TOKEN, APP_ID = "hotline-token", "wx5823bf96d3bd56c7"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
SETTINGS = WeChatSettings(token=TOKEN, app_id=APP_ID, aes_key=AES_KEY, menu={"guide": "办事指南"})
TEXT = (FIXTURES / "wechat/valid/text.xml").read_bytes()


def plain_query(token: str = TOKEN) -> dict[str, str]:
    return {"timestamp": "1795240800", "nonce": "n1", "signature": wechat_crypto.signature(token, "1795240800", "n1")}


def sealed(xml: bytes, *, key: str = AES_KEY, app_id: str = APP_ID) -> tuple[bytes, dict[str, str]]:
    """Encrypt as WeChat does, by wechatpy."""
    body = WeChatCrypto(TOKEN, key, app_id).encrypt_message(xml.decode(), "n1", "1795240800")
    signed = wechat_codec.read_xml(body.encode())
    query = plain_query() | {"encrypt_type": "aes", "msg_signature": signed["MsgSignature"]}
    return f"<xml><ToUserName>gh</ToUserName><Encrypt>{signed['Encrypt']}</Encrypt></xml>".encode(), query


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    return await serve(wechat.routes(port, settings=SETTINGS, wait=0.2))


async def say(client: Client, xml: bytes, **params: str) -> Any:
    return await client.post("/wechat", data=xml, params=plain_query() | params)


async def asked(client: Client, text: str, id_: int) -> str:
    """Return what somebody, not the citizen of the ticket, is answered to a text message."""
    xml = wechat_standin.text_message(text, open_id="o2", message_id=id_, created=1)
    return str(wechat_codec.read_xml(await (await say(client, xml)).read())["Content"])


# ── against wechatpy ─────────────────────────────────────────────────────────────────────────────
@given(st.text(max_size=300), st.binary(min_size=16, max_size=16))
def test_wechatpy_reads_what_we_encrypt(text: str, random: bytes) -> None:
    message = wechat_codec.Message(open_id="o1", account="gh", content=Unknown(type=""))
    reply = wechat_codec.encode_reply(message, text, created=1)
    body = wechat_codec.seal(reply, SETTINGS, timestamp=1795240800, nonce="n2", random=random)
    signed = wechat_codec.read_xml(body)
    read = WeChatCrypto(TOKEN, AES_KEY, APP_ID).decrypt_message(
        body.decode(), signed["MsgSignature"], signed["TimeStamp"], signed["Nonce"]
    )
    assert read == reply.decode()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_we_read_what_wechatpy_encrypts(text: str) -> None:
    xml = wechatpy.replies.TextReply(content=text.replace("]]>", ""), source="a", target="b").render()
    body, query = sealed(xml.encode())
    asked = Query(msg_signature=query["msg_signature"], timestamp="1795240800", nonce="n1", encrypted=True)
    assert wechat_codec.unseal(body, asked, SETTINGS)["FromUserName"] == "a"


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_signatures_are_those_of_wechatpy(token: str, timestamp: str, nonce: str) -> None:
    check_signature(token, wechat_crypto.signature(token, timestamp, nonce), timestamp, nonce)


@pytest.mark.parametrize("path", payloads("wechat", "valid"), ids=lambda path: path.stem)
def test_wechatpy_reads_the_recorded_messages_alike(path: Path) -> None:
    theirs = wechatpy.parse_message(path.read_text())
    ours = wechat_codec.decode(wechat_codec.read_xml(path.read_bytes()), now=NOW).content
    assert isinstance(ours, Inbound)
    assert ours.external_id == str(theirs.id)
    assert ours.conversation == theirs.source
    for told in ("content", "recognition"):
        if getattr(theirs, told, None):
            assert ours.appeal.text == getattr(theirs, told).strip()


@given(st.binary(max_size=200), st.binary(min_size=16, max_size=16))
def test_encryption_round_trip(message: bytes, random: bytes) -> None:
    key = wechat_crypto.decode_key(AES_KEY)
    told = wechat_crypto.encrypt(message, key=key, app_id=APP_ID, random=random)
    assert wechat_crypto.decrypt(told, key=key, app_id=APP_ID) == message
    with pytest.raises(InvalidInput):
        wechat_crypto.decrypt(told, key=key, app_id="wx-of-another")


@given(st.binary(max_size=200), st.integers(0, 3))
def test_other_cipher_texts_are_refused(data: bytes, tail: int) -> None:
    key = wechat_crypto.decode_key(AES_KEY)
    for told in (base64.b64encode(data).decode(), base64.b64encode(data).decode() + "=" * tail, data.decode("latin-1")):
        with pytest.raises(InvalidInput):
            wechat_crypto.decrypt(told, key=key, app_id=APP_ID)


@pytest.mark.parametrize("key", ["", "short", "!" * 43, "A" * 44, "键" * 43])
def test_other_keys_are_refused(key: str) -> None:
    with pytest.raises(InvalidInput):
        wechat_crypto.decode_key(key)


# ── codec ────────────────────────────────────────────────────────────────────────────────────────
def content(name: str) -> Any:
    return wechat_codec.decode(wechat_codec.read_xml((FIXTURES / f"wechat/{name}.xml").read_bytes()), now=NOW).content


def test_media_and_places_are_kept() -> None:
    assert content("valid/image").appeal.attachments[0].key == "wechat:Xv1_image-media_id"
    assert content("valid/image").appeal.text == "[图片] http://mmbiz.qpic.cn/mmbiz_jpg/abc/0"
    assert content("valid/voice_recognised").appeal.text == "楼下烧烤档油烟很大。"
    assert content("valid/voice_16k").appeal.text == "[语音]"
    place = content("valid/location").appeal.place
    assert (place.lat, place.lon, place.address) == (23.020536, 113.751765, "广东省东莞市南城街道鸿福路99号")
    assert "https://example.com/a?b=1&c=2" in content("valid/link").appeal.text


@pytest.mark.parametrize(("name", "answer"), [
    ("subscribe", wording.WELCOME), ("subscribe_by_scan", wording.WELCOME), ("scan", wording.WELCOME),
    ("click", "办事指南"), ("unsubscribe", ""), ("view", ""), ("location", ""), ("templatesendjobfinish", ""),
    ("subscribe_msg_popup", ""), ("subscribe_msg_change", ""), ("subscribe_msg_sent", ""), ("of_tomorrow", ""),
])
def test_events_are_answered(name: str, answer: str) -> None:
    event = content(f"events/{name}")
    assert isinstance(event, Event)
    assert event.external_id.startswith("oHOT1aB2cD3eF4gH5iJ6kL7mN8o:1795240801:")
    assert wechat_codec.event_answer(event, SETTINGS) == answer


def test_every_recorded_event_has_its_own_identity() -> None:
    events = [content(f"events/{path.stem}") for path in payloads("wechat", "events")]
    assert len({event.external_id for event in events}) == len(events) - 1  # two ways to subscribe at one moment
    assert content("events/templatesendjobfinish").status == "failed:user block"


@pytest.mark.parametrize("text", [
    "DG2026112130000420 123456", "查询 DG2026112130000001 123456",
    "查询：ＤＧ２０２６１１２１３００００００１，１２３４５６", "进度 dg202611213000042 123456",
    "查询DG20261121300000427 123456",
    # our own words back, in part or whole, in either order
    "工单号:DG2026112130000427\n查询码:123456", "工单号：DG2026112130000427　查询码：123456。",
    "查询码:123456,工单号:DG2026112130000427", "123456 DG2026112130000427", "DG2026112130000423123456",
    "查询dg２０２６１１２１３００００４２３１２３４５６。",
    "承办单位:城市管理和综合执法局\n预计办结:2026-12-05 18:00前\n工单号:DG2026112130000427\n查询码:123456",
])
def test_number_and_code_are_a_look_up_also_where_one_is_mistyped(text: str) -> None:
    found = _said(text)
    assert isinstance(found, Lookup)
    assert (found.number[:2], found.code, found.more) == ("DG", "123456", None)


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("continued", [False, True])
def test_a_receipt_pasted_back_is_a_look_up(verdict: Verdict, continued: bool) -> None:
    receipt = Receipt(
        number=TicketNumber("DG2026112130000427"), code="123456", status="received", verdict=verdict,
        category="03/路灯", department="城市管理和综合执法局", expected_by=NOW, continued=continued,
    )
    assert _said(wording.receipt_text(receipt)) == Lookup(
        number="DG2026112130000427", code="123456", external_id="1"
    )


@pytest.mark.parametrize(("text", "left"), [
    ("DG2026112130000427 123456 还没修", "DG2026112130000427 ****** 还没修"),
    ("DG2026112130000423123456还没修", "DG2026112130000423 ******还没修"),
    ("还没修,工单号DG2026112130000427查询码是123456", "还没修,工单号DG2026112130000427查询码是******"),
    ("灯又坏了 DG2026112130000427 2026年修过 １２３４５６", "灯又坏了 DG2026112130000427 2026年修过 ******"),
    ("您的诉求已受理。\n工单号:DG2026112130000427\n查询码:123456\n事项:路灯\n承办单位:城管局\n还没修",
     "工单号:DG2026112130000427\n查询码:******\n还没修"),
])
def test_what_is_said_beside_number_and_code_is_kept_without_the_code(text: str, left: str) -> None:
    found = _said(text)
    assert isinstance(found, Lookup)
    assert found.more is not None
    assert (found.code, found.more.appeal.text, found.more.external_id) == ("123456", left, "1")


@pytest.mark.parametrize("text", [
    "路灯坏了", "DG2026112130000427", "SF1234567890123 1234", "DG2026112130000427 2026年修过", "罚款130000元",
    "DG2026112130000427 请打13800138000",
])
def test_other_texts_are_no_look_up(text: str) -> None:
    assert isinstance(_said(text), Inbound)


def _said(text: str) -> object:
    fields = {"MsgType": "text", "FromUserName": "o", "ToUserName": "g", "MsgId": "1", "Content": text}
    return wechat_codec.decode(fields, now=NOW).content


def test_replies_are_cut_to_whole_characters_and_stay_xml() -> None:
    message = wechat_codec.Message(open_id="o]]>", account="gh", content=Unknown(type=""))
    read = wechat_codec.read_xml(wechat_codec.encode_reply(message, "好]]>" * 1000 + "\x00", created=1))
    assert read["ToUserName"] == "o]]>"
    assert read["Content"].startswith("好]]>好")
    assert read["Content"].endswith("…")
    assert len(read["Content"].encode()) <= 2048


# ── over HTTP ────────────────────────────────────────────────────────────────────────────────────
async def test_verification(client: Client) -> None:
    answer = await client.get("/wechat", params=plain_query() | {"echostr": "42-<echo>"})
    assert (answer.status, await answer.text(), answer.content_type) == (200, "42-<echo>", "text/plain")
    wrong = await client.get("/wechat", params=plain_query("other") | {"echostr": "42"})
    assert (wrong.status, (await wrong.json())["error_id"]) == (403, "forbidden")
    assert (await client.get("/wechat")).status == 403


async def test_a_plain_message_is_answered_with_number_and_code(client: Client, port: MemoryPort) -> None:
    answer = await say(client, TEXT)
    assert (answer.status, answer.content_type) == (200, "text/xml")
    told = wechat_codec.read_xml(await answer.read())
    assert told["ToUserName"] == "oHOT1aB2cD3eF4gH5iJ6kL7mN8o"
    (number, code), = port.codes.items()
    assert number in told["Content"]
    assert code in told["Content"]
    assert port.inbounds[0].appeal.citizen.key == told["ToUserName"]


async def test_an_encrypted_message_gets_an_encrypted_answer(client: Client, port: MemoryPort) -> None:
    body, query = sealed(TEXT)
    answer = await client.post("/wechat", data=body, params=query)
    signed = wechat_codec.read_xml(await answer.read())
    told = WeChatCrypto(TOKEN, AES_KEY, APP_ID).decrypt_message(
        (await answer.read()).decode(), signed["MsgSignature"], signed["TimeStamp"], signed["Nonce"]
    )
    assert next(iter(port.codes)) in told


async def test_a_repeat_in_either_mode_gets_the_first_answer(client: Client, port: MemoryPort) -> None:
    port.delay = 0.01
    body, query = sealed(TEXT)
    answers = await asyncio.gather(
        *(say(client, TEXT) for _ in range(50)), *(client.post("/wechat", data=body, params=query) for _ in range(5))
    )
    assert {answer.status for answer in answers} == {200}
    assert len(port.inbounds) == 1
    assert len({wechat_codec.read_xml(await answer.read())["Content"] for answer in answers[:50]}) == 1


@pytest.mark.parametrize("case", ["token", "signature", "key", "app", "body", "cut"])
async def test_forged_and_foreign_encrypted_messages_are_refused(client: Client, port: MemoryPort, case: str) -> None:
    other = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    body, query = sealed(TEXT, key=other if case == "key" else AES_KEY, app_id="wx0" if case == "app" else APP_ID)
    if case == "token":
        query = query | {"msg_signature": "0" * 40}
    elif case == "signature":
        del query["msg_signature"]
    elif case == "body":
        body = body.replace(b"<Encrypt>", b"<Encrypt>AAAA")
    elif case == "cut":
        body = b"<xml></xml>"
    answer = await client.post("/wechat", data=body, params=query)
    assert answer.status == (400 if case in ("key", "app") else 403)
    assert not port.inbounds


async def test_plain_messages_can_be_switched_off(serve: Serve, port: MemoryPort) -> None:
    client = await serve(wechat.routes(port, settings=msgspec.structs.replace(SETTINGS, plain=False)))
    assert (await say(client, TEXT)).status == 403
    body, query = sealed(TEXT)
    assert (await client.post("/wechat", data=body, params=query)).status == 200


async def test_malformed_messages_are_problems(client: Client, port: MemoryPort) -> None:
    for path in payloads("wechat", "malformed"):
        answer = await say(client, path.read_bytes())
        assert (answer.status, (await answer.json())["error_id"]) == (400, "invalid_input"), path.name
    assert not port.inbounds


async def test_the_stand_in_speaks_as_wechat_does(client: Client, port: MemoryPort) -> None:
    xml = wechat_standin.text_message("路灯<不亮> & 很黑", open_id="o1", message_id=7, created=1795240800)
    query = wechat_standin.signed_query(TOKEN, timestamp=1795240800, nonce="n")
    assert (await client.post("/wechat", data=xml, params=query)).status == 200
    assert (port.inbounds[0].appeal.text, port.inbounds[0].external_id) == ("路灯<不亮> & 很黑", "7")
    big = wechat_standin.text_message("x" * 300_000, open_id="o1", message_id=8, created=1795240800)
    assert (await client.post("/wechat", data=big, params=query)).status == 413


async def test_events_and_unknown_types_make_no_ticket(client: Client, port: MemoryPort) -> None:
    for path in payloads("wechat", "events"):
        answer = await say(client, path.read_bytes())
        assert answer.status == 200
        assert (await answer.read() == b"success") == (path.stem not in (
            "subscribe", "subscribe_by_scan", "scan", "click"))
    answer = await say(client, TEXT.replace(b"[text]", b"[hologram]"))
    assert wording.UNSUPPORTED in await answer.text()
    assert not port.inbounds


async def test_a_sticker_makes_no_ticket_whatever_wechat_calls_it(client: Client, port: MemoryPort) -> None:
    for id_, words in enumerate(("【收到不支持的消息类型，暂无法显示】", "[收到不支持的消息类型,暂无法显示]\n"), 1):
        xml = wechat_standin.text_message(words, open_id="o1", message_id=id_, created=1795240800)
        assert wording.UNSUPPORTED in await (await say(client, xml)).text()
    assert not port.inbounds
    quoted = wechat_standin.text_message(
        "公众号总说【收到不支持的消息类型，暂无法显示】", open_id="o1", message_id=9, created=1795240800,
    )
    await say(client, quoted)
    assert len(port.inbounds) == 1


async def test_a_slow_core_is_answered_success_and_spooled(client: Client, port: MemoryPort) -> None:
    port.delay = 30
    started = asyncio.get_running_loop().time()
    answer = await say(client, TEXT)
    assert asyncio.get_running_loop().time() - started < 5
    assert await answer.read() == b"success"
    (spooled,) = port.spooled
    port.delay = 0
    await port.submit(spooled)
    later = await say(client, TEXT)
    assert next(iter(port.codes)) in await later.text()
    assert len(port.inbounds) == 1


@pytest.mark.parametrize(
    "failure", [Overloaded("full"), Unavailable("no database"), OSError("gone"), ValueError("bug")]
)
async def test_a_failing_core_costs_no_message(client: Client, port: MemoryPort, failure: Exception) -> None:
    port.failure = failure
    answer = await say(client, TEXT)
    assert await answer.read() == b"success"
    assert [inbound.external_id for inbound in port.spooled] == ["23456789012345678"]


@pytest.mark.parametrize(("failure", "told"), [
    (RateLimited("slow down"), wording.TOO_FAST), (KeyReused("other content"), "success"),
])
async def test_refusals_are_told(client: Client, port: MemoryPort, failure: Exception, told: str) -> None:
    port.failure = failure
    assert told in await (await say(client, TEXT)).text()
    assert not port.spooled


async def test_when_even_the_spool_fails_wechat_is_asked_to_try_again(client: Client, port: MemoryPort) -> None:
    def full(inbound: object) -> None:
        raise OSError("disk full")

    port.failure, port.spool = Overloaded("full"), full  # type: ignore[method-assign]
    answer = await say(client, TEXT)
    assert answer.status == 500
    assert (await answer.json())["reference"]


async def test_look_up_by_number_and_code(client: Client, port: MemoryPort) -> None:
    await say(client, TEXT)
    (number, code), = port.codes.items()
    port.set_state(number, State.CLOSED, reply="已修复")

    async def ask(text: str) -> str:
        xml = TEXT.replace("南城鸿福路凌晨还在施工,吵得睡不着 /::( ".encode(), text.encode())
        return str(wechat_codec.read_xml(await (await say(client, xml)).read())["Content"])

    assert "已修复" in await ask(f"查询 {number.lower()} {code}")
    assert await ask(f"{number} 000001") == wording.NOT_FOUND
    assert len(port.inbounds) == 1


@pytest.mark.parametrize(("text", "hinted"), [
    ("DG2026112130000423", True), ("查询ＤＧ２０２６１１２１３００００４２３。", True),
    ("DG2026112130000423还没修", False), ("路灯坏了", False),
])
async def test_a_number_without_its_code_is_kept_and_told_what_is_missing(
    client: Client, port: MemoryPort, text: str, hinted: bool
) -> None:
    assert (wording.CODE_NEEDED in await asked(client, text, 1)) is hinted
    assert len(port.inbounds) == 1  # it may be what an agent has asked for


async def test_words_beside_number_and_code_join_that_ticket_and_nobody_reads_the_code(
    client: Client, port: MemoryPort
) -> None:
    await say(client, TEXT)
    (number, code), = port.codes.items()

    async def tell(text: str, id_: int) -> str:
        xml = wechat_standin.text_message(text, open_id="o2", message_id=id_, created=1)
        return str(wechat_codec.read_xml(await (await say(client, xml)).read())["Content"])

    assert f"工单{number}" in await tell(f"{number} {code} 还没修", 1)
    assert (port.inbounds[-1].continues, port.inbounds[-1].conversation) == (number, "")
    assert wording.NOT_FOUND in await tell(f"{number} 000001 还没修", 2)
    assert (port.inbounds[-1].continues, port.inbounds[-1].conversation) == (None, "o2")
    await tell(f"新诉求 {number} {code} 井盖丢了", 3)
    assert (port.inbounds[-1].continues, port.inbounds[-1].conversation) == (None, "o2")
    assert [inbound.appeal.text for inbound in port.inbounds[1:]] == [
        f"{number} ****** 还没修", f"{number} ****** 还没修", f"新诉求 {number} ****** 井盖丢了",
    ]


async def test_words_for_a_ticket_that_is_finished_open_another(
    client: Client, port: MemoryPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(client, TEXT)
    (number, code), = port.codes.items()
    submit = port.submit

    async def finished(inbound: Inbound) -> Receipt:
        if inbound.continues is not None:
            raise IllegalTransition("finished")
        return await submit(inbound)

    monkeypatch.setattr(port, "submit", finished)
    await say(client, wechat_standin.text_message(f"{number} {code} 又坏了", open_id="o2", message_id=1, created=1))
    assert (port.inbounds[-1].conversation, port.inbounds[-1].appeal.text) == ("o2", f"{number} ****** 又坏了")


async def test_a_mistyped_number_is_not_found_and_counts_and_nobody_reads_the_code(
    client: Client, port: MemoryPort
) -> None:
    await say(client, TEXT)
    (number, code), = port.codes.items()
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)

    answers = [await asked(client, f"查询 {wrong} {code}", id_) for id_ in range(20)]
    assert answers == [wording.NOT_FOUND] * 20
    assert await asked(client, f"查询 {number} {code}", 20) == wording.TOO_FAST
    assert len(port.inbounds) == 1


async def test_guessing_codes_is_stopped(client: Client, port: MemoryPort) -> None:
    await say(client, TEXT)
    (number, code), = port.codes.items()

    answers = [await asked(client, f"{number} {guess:06d}", guess) for guess in range(500_000, 500_025)]
    assert answers == [wording.NOT_FOUND] * 20 + [wording.TOO_FAST] * 5
    assert await asked(client, f"{number} {code}", 1) == wording.TOO_FAST


async def test_a_wrong_pair_sent_again_is_one_guess(client: Client, port: MemoryPort) -> None:
    await say(client, TEXT)
    (number, code), = port.codes.items()
    for _ in range(3):
        answers = [await asked(client, f"{number} {500_000 + id_}", id_) for id_ in range(19)]
        assert answers == [wording.NOT_FOUND] * 19
    assert number in await asked(client, f"{number} {code}", 19)


@pytest.mark.parametrize("failure", [None, Unavailable("no database"), OSError("gone"), ValueError("bug")])
async def test_a_look_up_that_fails_is_told_so_and_costs_no_word(
    client: Client, port: MemoryPort, failure: Exception | None
) -> None:
    await say(client, TEXT)
    (number, code), = port.codes.items()
    port.delay, port.failure = 0.0 if failure else 30, failure
    assert await asked(client, f"{number} {code}", 1) == wording.LOOK_LATER
    assert wording.LOOK_LATER in await asked(client, f"{number} {code} 又坏了", 2)
    assert [inbound.appeal.text for inbound in port.spooled] == [f"{number} ****** 又坏了"]
    port.delay, port.failure = 0.0, None
    assert number in await asked(client, f"{number} {code}", 3)


def test_a_wrong_signature_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        wechat_crypto.verify("é", TOKEN, "1", "2")
