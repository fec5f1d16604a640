"""Messages and events of a WeChat official account: XML → `Inbound` or `Event`, answers → XML. Pure.

A message is known by its MsgId, an event by FromUserName + CreateTime + Event: WeChat repeats both up to three times
when the answer takes longer than 5 s. Source: developers.weixin.qq.com, 接收普通消息, 接收事件推送, 被动回复用户消息.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from channels import wechat_crypto, wording
from channels.clean import MAX_TEXT, clean, clean_line
from channels.message import Inbound
from channels.wechat_lookup import asked_in
from hotline.appeal import Appeal, Attachment, Citizen, Place
from hotline.errors import Forbidden, InvalidInput
from hotline.terms import Channel

SUCCESS = b"success"
MEDIA_KEY = "wechat:"
REPLY_BYTES = 2048
Fields = Mapping[str, str]


class WeChatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The official account. `plain` accepts unencrypted messages beside encrypted ones (明文模式, 兼容模式);
    switch it off in 安全模式. `menu` maps keys of menu buttons (CLICK) to answers."""

    token: str
    app_id: str
    aes_key: str = ""
    plain: bool = True
    menu: Mapping[str, str] = {}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What WeChat puts into the address of a request."""

    signature: str = ""
    timestamp: str = ""
    nonce: str = ""
    msg_signature: str = ""
    encrypted: bool = False


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened at WeChat; no appeal. `external_id` is its identity, `status` of a sent notice."""

    external_id: str
    name: str
    open_id: str
    key: str = ""
    status: str = ""


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """The citizen asks how a ticket stands. `number` is as it was typed, in capitals: there may be none such.

    A mistyped one is a look-up all the same: as an appeal it would show others the code that opens the true ticket.
    `more` is what else they said, without the code; `external_id` is the message's, the same when it is sent again.
    """

    number: str
    code: str
    external_id: str = ""
    more: Inbound | None = None


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a type that WeChat may add, or does not hand on; it is answered with what can be sent instead."""

    type: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived, with both addresses for the answer."""

    open_id: str
    account: str
    content: Inbound | Event | Lookup | Unknown


def read_xml(body: bytes) -> dict[str, str]:
    """Return the leaves under the root; raises InvalidInput. No DTD, no entities."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise InvalidInput(f"the body is not the XML of a WeChat message: {error}") from error
    return {child.tag: child.text or "" for child in root if len(child) == 0}


def unseal(body: bytes, query: Query, settings: WeChatSettings) -> Fields:
    """Check the signature and return the message's fields, decrypted where they are encrypted.

    Raises:
        Forbidden: wrong signature, or a plain message in 安全模式.
        InvalidInput: malformed, or not encrypted for this account.
    """
    outer = read_xml(body)
    if not query.encrypted:
        if not settings.plain:
            raise Forbidden("unencrypted messages are not taken; set the account to 安全模式")
        wechat_crypto.verify(query.signature, settings.token, query.timestamp, query.nonce)
        return outer
    sealed = outer.get("Encrypt", "")
    wechat_crypto.verify(query.msg_signature, settings.token, query.timestamp, query.nonce, sealed)
    key = wechat_crypto.decode_key(settings.aes_key)
    return read_xml(wechat_crypto.decrypt(sealed, key=key, app_id=settings.app_id))


def decode(fields: Fields, *, now: datetime) -> Message:
    """Return what a message says; raises InvalidInput when it lacks what its type needs."""
    open_id, account = _need(fields, "FromUserName"), _need(fields, "ToUserName")
    return Message(open_id=open_id, account=account, content=_content(fields, open_id, now))


def _need(fields: Fields, name: str) -> str:
    value = clean_line(fields.get(name), field=name)
    if not value:
        raise InvalidInput(f"the message has no {name}")
    return value


def _content(fields: Fields, open_id: str, now: datetime) -> Inbound | Event | Lookup | Unknown:
    kind = _need(fields, "MsgType")
    if kind == "event":
        return _event(fields, open_id)
    if kind not in _READERS or (kind == "text" and wording.stands_for_nothing(fields.get("Content", ""))):
        return Unknown(type=kind)
    appeal = _READERS[kind](fields)
    asked = asked_in(appeal.text) if kind == "text" else None
    if asked is None:
        return _inbound(fields, appeal, open_id, now)
    more = _inbound(fields, Appeal(text=asked.words[:MAX_TEXT]), open_id, now) if asked.words else None
    return Lookup(number=asked.number, code=asked.code, external_id=_need(fields, "MsgId"), more=more)


def _inbound(fields: Fields, appeal: Appeal, open_id: str, now: datetime) -> Inbound:
    return Inbound(
        channel=Channel.WECHAT, external_id=_need(fields, "MsgId"), received_at=now, conversation=open_id,
        source="wechat", appeal=msgspec.structs.replace(appeal, citizen=Citizen(key=open_id)),
    )


def _event(fields: Fields, open_id: str) -> Event:
    name = _need(fields, "Event")
    created = _need(fields, "CreateTime")
    return Event(
        external_id=f"{open_id}:{created}:{name}", name=name.lower(), open_id=open_id,
        key=clean_line(fields.get("EventKey"), limit=1000), status=clean_line(fields.get("Status")),
    )


def _text(fields: Fields) -> Appeal:
    content = clean(fields.get("Content", ""))[:MAX_TEXT]
    if not content:
        raise InvalidInput("the message has no Content")
    return Appeal(text=content)


def _media(fields: Fields, name: str, media_type: str) -> tuple[Attachment, ...]:
    """A file still at WeChat, kept there for three days: a job fetches it (`hotline.media`)."""
    key = MEDIA_KEY + _need(fields, "MediaId")
    return (Attachment(key=key, name=name, media_type=media_type, size=0),)


def _image(fields: Fields) -> Appeal:
    url = clean_line(fields.get("PicUrl"), limit=2000)
    return Appeal(text=f"[图片] {url}".strip(), attachments=_media(fields, "图片.jpg", "image/jpeg"))


def _voice(fields: Fields) -> Appeal:
    spoken = clean(fields.get("Recognition", ""))[:MAX_TEXT]
    return Appeal(text=spoken or "[语音]", attachments=_media(fields, "语音.amr", "audio/amr"))


def _video(fields: Fields) -> Appeal:
    return Appeal(text="[视频]", attachments=_media(fields, "视频.mp4", "video/mp4"))


def _location(fields: Fields) -> Appeal:
    """Location_X is the latitude, Location_Y the longitude (GCJ-02)."""
    try:
        lat, lon = float(_need(fields, "Location_X")), float(_need(fields, "Location_Y"))
    except ValueError as error:
        raise InvalidInput("Location_X and Location_Y are numbers") from error
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise InvalidInput("Location_X and Location_Y are degrees")
    address = clean_line(fields.get("Label"), limit=1000)[:200]
    return Appeal(text=f"[位置] {address}".strip(), place=Place(address=address, lat=lat, lon=lon))


def _link(fields: Fields) -> Appeal:
    parts = [clean_line(fields.get(name), limit=MAX_TEXT) for name in ("Title", "Description", "Url")]
    text = "\n".join(part for part in parts if part)
    if not text:
        raise InvalidInput("the link has neither Title nor Url")
    return Appeal(text=f"[链接] {text}"[:MAX_TEXT])


_READERS: dict[str, Callable[[Fields], Appeal]] = {
    "text": _text, "image": _image, "voice": _voice, "video": _video, "shortvideo": _video, "location": _location,
    "link": _link,
}


def event_answer(event: Event, settings: WeChatSettings) -> str:
    """Return what an event is answered with, "" for nothing; the same for a repeat."""
    match event.name:
        case "subscribe" | "scan":
            return wording.WELCOME
        case "click":
            return settings.menu.get(event.key, wording.HELP)
        case _:  # unsubscribe, view, location, templatesendjobfinish, subscribe_msg_*: nobody waits for an answer
            return ""


def encode_reply(message: Message, text: str, *, created: int) -> bytes:
    """Return the passive answer as XML; `created` in seconds since 1970. Cut to WeChat's 2048 bytes."""
    fields = (
        f"<ToUserName>{_cdata(message.open_id)}</ToUserName><FromUserName>{_cdata(message.account)}</FromUserName>"
        f"<CreateTime>{created}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{_cdata(wording.cut(clean(text), REPLY_BYTES))}</Content>"
    )
    return f"<xml>{fields}</xml>".encode()


def seal(reply: bytes, settings: WeChatSettings, *, timestamp: int, nonce: str, random: bytes) -> bytes:
    """Return the encrypted answer; `random` is 16 fresh random bytes."""
    key = wechat_crypto.decode_key(settings.aes_key)
    sealed = wechat_crypto.encrypt(reply, key=key, app_id=settings.app_id, random=random)
    signed = wechat_crypto.signature(settings.token, str(timestamp), nonce, sealed)
    fields = (
        f"<Encrypt>{_cdata(sealed)}</Encrypt><MsgSignature>{_cdata(signed)}</MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{_cdata(nonce)}</Nonce>"
    )
    return f"<xml>{fields}</xml>".encode()


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
