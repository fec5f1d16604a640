"""110's non-police transfers (非警务警情移交) → `Inbound`, and outcomes back to the desk. JSON; pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from channels.appeal_codec import AppealBody, Line, appeal_of, decode_json
from channels.clean import check_key, clean_line
from channels.message import Inbound
from hotline.errors import InvalidInput
from hotline.terms import Channel


class TransferBody(AppealBody, frozen=True):
    """A transfer: an appeal with the desk's number of the incident and what kind of matter it is (挪车, 停水 …).

    `incident` identifies it: sent again, even under another `Idempotency-Key`, it is the same transfer.
    """

    incident: Annotated[str, Meta(max_length=128)] = ""
    matter: Line = ""


class IncidentUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """`signed` a unit is on it, `returned` not a matter of 110 (`text` says why), `closed` dealt with.

    `key` names the incident once more, as the signature covers the body and not the path: an update that was captured
    cannot be played on another incident.
    """

    key: Annotated[str, Meta(min_length=1, max_length=200)]
    status: Literal["signed", "returned", "closed"]
    text: Annotated[str, Meta(max_length=2000)] = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a transfer, sent to the desk. `status` as in the answer to the transfer.

    The transfer is named as the desk named it: by `incident`, by its `Idempotency-Key` in `key` where that was all.
    """

    incident: str
    number: str
    status: str
    department: str
    outcome: str
    at: datetime
    key: str = ""


_decoder = msgspec.json.Decoder(TransferBody)
_update = msgspec.json.Decoder(IncidentUpdate)
_outcome = msgspec.json.Decoder(Outcome)


def decode_transfer(body: bytes, *, key: str, now: datetime) -> Inbound:
    """Return the transfer as a delivery.

    Args:
        body: the signed bytes.
        key: the request's `Idempotency-Key`, "" without; used where the body has no `incident`.

    Raises:
        InvalidInput: malformed, or neither incident nor key given.
    """
    given = decode_json(_decoder, body)
    identity = clean_line(given.incident, field="incident")
    if not identity and not key:
        raise InvalidInput("give the desk's incident number in the body (`incident`), or an Idempotency-Key")
    if given.attachments:
        raise InvalidInput("a transfer carries no attachments; name where they can be seen in its text")
    appeal = appeal_of(given)
    appeal = msgspec.structs.replace(appeal, title=appeal.title or clean_line(given.matter, field="matter"))
    external_id = f"incident:{identity}" if identity else f"key:{check_key(key)}"
    citizen = msgspec.structs.replace(appeal.citizen, key=external_id)
    appeal = msgspec.structs.replace(appeal, citizen=citizen)
    return Inbound(
        channel=Channel.POLICE, external_id=external_id, appeal=appeal, received_at=now, source="police110"
    )


def decode_update(body: bytes, *, key: str) -> IncidentUpdate:
    """Return what 110 tells of the incident `key`; raises InvalidInput, also when the body names another."""
    update = decode_json(_update, body)
    if update.key != key:
        raise InvalidInput("key in the body must be the key in the path: only the body is signed")
    return update


def decode_outcome(body: bytes) -> Outcome:
    """Return an outcome as the desk reads it (`hotline.standins.desk110`); raises InvalidInput."""
    return decode_json(_outcome, body)


def incident_of(inbound_id: str) -> str:
    """Return the desk's incident number in a transfer's external id, "" where it came by key only."""
    return inbound_id.removeprefix("incident:") if inbound_id.startswith("incident:") else ""


def key_of(inbound_id: str) -> str:
    """Return the `Idempotency-Key` in the external id of a transfer that came by key only, "" otherwise."""
    return inbound_id.removeprefix("key:") if inbound_id.startswith("key:") else ""
