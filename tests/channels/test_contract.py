"""Every channel keeps the contract of `tests.channels.contract`."""

from __future__ import annotations

import hashlib

import msgspec

from channels import (
    appeal_codec,
    chat_codec,
    form_codec,
    neighbour_codec,
    open311_codec,
    open311_wire,
    phone_codec,
    police_codec,
    portal_codec,
    wechat_codec,
    wishes_codec,
    wording,
)
from channels.message import Inbound, Receipt
from channels.open311_codec import jurisdiction_of
from channels.port import ChatLine
from hotline.errors import InvalidInput
from hotline.ids import StaffName
from hotline.terms import Channel, Kind
from tests.channels.contract import NOW, ChannelContract, payloads

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


class TestPortal(ChannelContract):
    folder, channel = "portal", Channel.PORTAL

    def decode(self, payload: bytes) -> Inbound:
        return portal_codec.inbound_of(portal_codec.decode(payload, portal_codec.PortalAppeal), (), now=NOW)

    def reply(self, receipt: Receipt) -> bytes:
        return appeal_codec.encode_answer(receipt)

    def test_a_ticket_is_the_citizens_whom_the_portal_vouches_for(self) -> None:
        for path in payloads(self.folder, "valid"):
            body = path.read_bytes()
            vouched = portal_codec.decode(body, portal_codec.PortalAppeal).citizen
            assert self.decode(body).appeal.citizen.key == f"portal:{vouched.id}", path.name


class TestWishes(ChannelContract):
    folder, channel = "wishes", Channel.PORTAL

    def decode(self, payload: bytes) -> Inbound:
        return wishes_codec.decode_wish(payload, now=NOW)

    def reply(self, receipt: Receipt) -> bytes:
        return appeal_codec.encode_answer(receipt)

    def test_whatever_it_is_called_it_is_a_wish(self) -> None:
        for path in payloads(self.folder, "valid"):
            assert self.decode(path.read_bytes()).appeal.kind is Kind.WISH, path.name


class TestCity(ChannelContract):
    folder, channel, tells_code = "city", Channel.CITY, False

    def decode(self, payload: bytes) -> Inbound:
        return neighbour_codec.inbound_of(neighbour_codec.decode_hand_over(payload), code="440100", now=NOW)

    def reply(self, receipt: Receipt) -> bytes:
        reply = msgspec.json.encode(neighbour_codec.Taken(number=receipt.number))
        assert neighbour_codec.decode_taken(reply).number == receipt.number
        return reply

    def test_what_the_citizen_said_later_is_judged_too(self) -> None:
        for path in payloads(self.folder, "valid"):
            told = neighbour_codec.decode_hand_over(path.read_bytes())
            text = self.decode(path.read_bytes()).appeal.text
            assert all(message in text for message in told.messages), path.name
