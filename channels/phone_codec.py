"""A ticket that an agent opens during a call: JSON from the console → `Inbound`. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from channels.appeal_codec import AppealBody, AttachmentBody, appeal_of, decode_json
from channels.clean import check_key, clean
from channels.message import Inbound
from channels.phone_number import normalize_phone
from hotline.appeal import Appeal, Attachment
from hotline.errors import InvalidInput
from hotline.ids import StaffName
from hotline.terms import Channel

Id = Annotated[str, Meta(min_length=1, max_length=128)]


class CallAppealBody(AppealBody, frozen=True, kw_only=True):
    """What the agent wrote down.

    Attributes:
        call: the PBX's id of the call.
        id: the console's id of this ticket; several tickets of one call differ in it.
        caller: the caller's number as the PBX gives it, in whatever form; `phone` is what the citizen wants to be
            called on, where it differs.
    """

    call: Id
    id: Id
    caller: Annotated[str, Meta(max_length=128)] = ""


_decoder = msgspec.json.Decoder(CallAppealBody)
_NOBODY = frozenset({
    "withheld", "number withheld", "private number", "unknown number", "no number", "blocked", "hidden", "none", "null",
    "<null>", "无号码", "隐藏号码", "保密号码", "匿名号码",
})
"""What lines tell in the place of a number that is withheld, beside `channels.phone_number`; so do zeros alone."""


def caller_key(caller: str) -> str:
    """Return E.164 for a caller's number, "" for a withheld one, `call:…` for one of no known plan (an extension).

    What it has made of a number it leaves as it is. All who withhold theirs would else be one citizen.
    """
    try:
        return normalize_phone(caller)
    except InvalidInput:
        told = clean(caller.removeprefix("call:"))[:64]
        return f"call:{told}" if told.strip("+0 -") and told.lower() not in _NOBODY else ""


def of_caller(appeal: Appeal, caller: str) -> Appeal:
    """Return the appeal with who calls as its citizen; a telephone that was told stays the one to be called on."""
    known = caller_key(caller)
    phone = appeal.citizen.phone or ("" if known.startswith("call:") else known)
    citizen = msgspec.structs.replace(appeal.citizen, phone=phone, key=known or phone)
    return msgspec.structs.replace(appeal, citizen=citizen)


def decode_call_appeal(body: bytes, *, agent: StaffName, now: datetime) -> tuple[Inbound, list[AttachmentBody]]:
    """Return the appeal as a delivery of the channel `call`, and the files to keep with it; raises InvalidInput."""
    given = decode_json(_decoder, body)
    inbound = Inbound(
        channel=Channel.CALL, external_id=f"{check_key(given.call)}:{check_key(given.id)}",
        appeal=of_caller(appeal_of(given), given.caller), received_at=now, source=agent,
    )
    return inbound, given.attachments or []


def with_files(inbound: Inbound, files: tuple[Attachment, ...]) -> Inbound:
    """Return the delivery with its files."""
    return msgspec.structs.replace(inbound, appeal=msgspec.structs.replace(inbound.appeal, attachments=files))
