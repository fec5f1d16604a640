"""Every channel keeps the contract of `tests.channels.contract`."""

from __future__ import annotations

import hashlib

import msgspec

from channels import (
    appeal_codec,
    chat_codec,
    form_codec,
    open311_codec,
    open311_wire,
    phone_codec,
    police_codec,
    wechat_codec,
    wording,
)
from channels.message import Inbound, Receipt
from channels.open311_codec import jurisdiction_of
from channels.port import ChatLine
from hotline.errors import InvalidInput
from hotline.ids import StaffName
from hotline.terms import Channel
from tests.channels.contract import NOW, ChannelContract

CATEGORIES = [("0307", "03", "城市管理", "路灯"), ("0308", "03", "城市管理", "井盖")]
CITY = jurisdiction_of("441900", CATEGORIES, ["南城", "东城"])
SESSION = "s" * 43


def _key(payload: bytes) -> str:
    """The key that a client would choose: one for each content."""
    return hashlib.sha256(payload).hexdigest()


class TestApp(ChannelContract):
    folder, channel = "app", Channel.APP

    def decode(self, payload: bytes) -> Inbound:
        appeal = appeal_codec.appeal_of(appeal_codec.decode_appeal(payload))
        return appeal_codec.inbound_of(appeal, client="demo", key=_key(payload), now=NOW)

    def reply(self, receipt: Receipt) -> bytes:
        return appeal_codec.encode_answer(receipt)


class TestWeb(ChannelContract):
    folder, channel = "web", Channel.WEB

    def decode(self, payload: bytes) -> Inbound:
        body, key = form_codec.decode_fields(form_codec.decode_urlencoded(payload))
        appeal = appeal_codec.appeal_of(body)
        return appeal_codec.inbound_of(appeal, client="", key=key or _key(payload), now=NOW)

    def reply(self, receipt: Receipt) -> bytes:
        return form_codec.encode_page(receipt)


class TestChat(ChannelContract):
    folder, channel = "chat", Channel.WEB

    def decode(self, payload: bytes) -> Inbound:
        frame = chat_codec.decode_frame(payload)
        if not isinstance(frame, chat_codec.Say):
            raise InvalidInput("no message")
        return chat_codec.inbound_of(SESSION, frame, (), now=NOW)

    def reply(self, receipt: Receipt) -> bytes:
        text = wording.receipt_text(receipt)
        line = ChatLine(session=SESSION, seq=2, key="r:1", author=chat_codec.HOTLINE, text=text, at=NOW)
        frame = chat_codec.encode(chat_codec.line_of(line))
        assert chat_codec.decode_answer(frame) == chat_codec.line_of(line)
        return frame.encode()


class TestOpen311(ChannelContract):
    folder, channel = "open311", Channel.APP

    def decode(self, payload: bytes) -> Inbound:
        appeal, matter = open311_codec.decode_request(dict(form_codec.decode_urlencoded(payload)), CITY)
        token = open311_codec.token_of("app", open311_codec.content_key(appeal, "app"))
        return open311_codec.inbound_of(appeal, matter, token=token, source="app", now=NOW)

    def reply(self, receipt: Receipt) -> bytes:
        row = open311_codec.taken_row(receipt, "")
        as_json = open311_wire.encode_rows([row], form="json", many="service_requests", one="request")
        assert msgspec.json.decode(as_json)[0]["service_request_id"] == receipt.number
        return open311_wire.encode_rows([row], form="xml", many="service_requests", one="request")


class TestWeChat(ChannelContract):
    folder, channel = "wechat", Channel.WECHAT

    def decode(self, payload: bytes) -> Inbound:
        message = wechat_codec.decode(wechat_codec.read_xml(payload), now=NOW)
        if not isinstance(message.content, Inbound):
            raise InvalidInput("no message")
        return message.content

    def reply(self, receipt: Receipt) -> bytes:
        content = wechat_codec.Unknown(type="")
        message = wechat_codec.Message(open_id="o1", account="gh_1", content=content)
        reply = wechat_codec.encode_reply(message, wording.receipt_text(receipt), created=1)
        read = wechat_codec.read_xml(reply)
        assert read["Content"] == wording.receipt_text(receipt)
        assert (read["ToUserName"], read["FromUserName"]) == ("o1", "gh_1")
        return reply


class TestCall(ChannelContract):
    folder, channel = "call", Channel.CALL

    def decode(self, payload: bytes) -> Inbound:
        return phone_codec.decode_call_appeal(payload, agent=StaffName("a01"), now=NOW)[0]

    def reply(self, receipt: Receipt) -> bytes:
        return appeal_codec.encode_answer(receipt)


class TestPolice(ChannelContract):
    folder, channel = "police", Channel.POLICE

    def decode(self, payload: bytes) -> Inbound:
        return police_codec.decode_transfer(payload, key=_key(payload), now=NOW)

    def reply(self, receipt: Receipt) -> bytes:
        return appeal_codec.encode_answer(receipt)
