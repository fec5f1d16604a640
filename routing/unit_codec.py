"""What units' own systems are sent and may ask: the wire types of webhooks and of the pull API. Pure.

A webhook is thin: it says what happened to which ticket, with the row of the list and no personal data beyond a masked
title. The ticket itself is pulled, under the same rules as at a console.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from agent_ui.masking import mask_text
from hotline.commands import Command
from hotline.feed import FeedEvent
from hotline.summary import Summary


class Part(StrEnum):
    """A unit's part in a ticket."""

    LEAD = "lead"
    ASSISTING = "assisting"
    FORMER = "former"


_INTERNAL = frozenset({
    "receive", "accept", "claim", "release", "raise_alarm", "clear_alarm", "acknowledge_alarm",
    "acknowledge_incident", "record_try", "reassess",
})
"""Facts of the centre's own work, which units are not told; a new ticket comes to them with its `dispatch`."""


class UnitEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a webhook, and an item of the pull API.

    Attributes:
        seq: position in the hotline's log. Webhooks may overtake each other, and of two acts that met the later may
            stand before the earlier: of two rows of a ticket the one with the higher `summary.version` is right.
        event: the fact's tag (`dispatch`, `sign`, `reply`, …); in the pull API "" for a ticket as it stands.
        by: the role of who did it: citizen, agent, supervisor, department, police, system.
        part: the unit's part in the ticket after it; `former`: it is not theirs any more.
        delivery: the webhook's id, the same in every attempt, "" in the pull API.
    """

    unit: str
    number: str
    part: Part
    seq: int
    summary: Summary
    event: str = ""
    by: str = ""
    at: datetime | None = None
    delivery: str = ""


class UnitPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the pull API. Ask again with `next` as cursor, at once if there is `more`."""

    tickets: tuple[UnitEvent, ...]
    next: str
    more: bool


class ActBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An act on a ticket: `{"command": {"type": "sign"}}`. With `expected_version` refused if the ticket moved on."""

    command: Command
    expected_version: Annotated[int, Meta(ge=1)] | None = None


class ActAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an act led to. `repeat`: this key was used before, and nothing has changed now."""

    number: str
    version: int
    state: str
    repeat: bool = False


_summaries = msgspec.json.Decoder(Summary)


def shown(summary: str | bytes) -> Summary:
    """Decode a row of a list and hide numbers that stand in its title."""
    row = _summaries.decode(summary)
    return msgspec.structs.replace(row, title=mask_text(row.title), agent="")


def part_of(unit: str, row: Summary) -> Part:
    """Return a unit's part in a ticket by the ticket's row."""
    if unit == row.lead:
        return Part.LEAD
    return Part.ASSISTING if unit in row.assisting else Part.FORMER


def is_told(event: FeedEvent) -> bool:
    """Tell whether units hear of an event."""
    return bool(event.summary) and event.type not in _INTERNAL


def unit_event(event: FeedEvent, unit: str, *, delivery: str = "") -> UnitEvent:
    """Return an event of the log as a unit's system sees it."""
    row = shown(event.summary)
    return UnitEvent(
        unit=unit, number=row.number, part=part_of(unit, row), seq=event.seq, summary=row, event=event.type,
        by=event.actor.partition(":")[0], at=event.at, delivery=delivery,
    )


def delivery_id(seq: int, system: int) -> str:
    """Return the id of a webhook: the same however often the event is read."""
    return f"wh-{system}-{seq}"


def act_hash(number: str, body: ActBody) -> bytes:
    """Return 16 bytes that change when the act does."""
    return hashlib.blake2b(msgspec.msgpack.encode((number, body)), digest_size=16).digest()
