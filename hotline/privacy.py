"""What of an event tells who somebody is, and how it is taken out before the event is written. Pure.

The log holds an event without the citizen's name, phone and key, without the address of the matter (it is often
theirs), without whom it concerns, without who donates and how they are reached, and with telephone numbers, identity
and card numbers and every name that was told of the citizen starred out of the texts of every event, sign for sign, so
that offsets still fit. What was taken out is the event's private part; it is sealed beside the event
(hotline.store.rows). Otherwise what people wrote stays in clear (docs/decisions/0017-identities-sealed.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from agent_ui.masking import HAN_NAME, ID_CARD, LANDLINE, LONG, MOBILE
from hotline.appeal import Citizen, Entity, Place, Value
from hotline.commands import Command
from hotline.events import Receive, TicketEvent

_CARD = re.compile(r"(?<![0-9A-Za-z])[0-9]{15,19}(?![0-9A-Za-z])")
_DIGIT = re.compile(r"[0-9Xx]")
_TOLD = frozenset({"phone", "id"})
_DONOR = frozenset({"donor", "contact"})
"""Of a promise to fulfil a wish: somebody else than the citizen, hidden whole."""
CODES = frozenset({
    "lead", "suggested", "child", "agent", "alarm", "incident", "directory_version", "l1", "l2", "pledge", "unit",
})
"""Fields of commands that programs read: a citizen who is called like a department must not garble its name."""
NOBODY = Citizen()


class Private(Value, frozen=True):
    """What was taken out of an event: of a receipt the fields that were changed, of a command all of it."""

    citizen: Citizen = NOBODY
    address: str = ""
    title: str = ""
    text: str = ""
    triage_title: str = ""
    happened_at: str = ""
    about: str = ""
    entities: tuple[Entity, ...] = ()
    fact: Command | None = None


def starred(text: str) -> str:
    """Star out telephone, identity and card numbers, sign for sign: 13800138000 → 138****8000."""
    if LONG.search(text) is None:
        return text
    for pattern, kept in ((_CARD, 6), (ID_CARD, 6), (MOBILE, 3), (LANDLINE, 4)):
        text = pattern.sub(lambda found, kept=kept: _star(found[0], kept), text)  # type: ignore[misc]
    return text


def _star(number: str, kept: int) -> str:
    """Keep the first `kept` signs (more where there is a country's code) and the last four; star the digits between."""
    if number.lstrip("+").startswith("86") and kept < 6:
        kept += 3
    if len(number) <= kept + 4:
        kept = max(0, len(number) - 6)
    return number[:kept] + _DIGIT.sub("*", number[kept:-4]) + number[-4:]


def _spoken(text: str, entities: Iterable[Entity]) -> str:
    """Star out what triage has found too: numbers spelt out in words."""
    for one in entities:
        if one.type in _TOLD and text[one.start:one.end] == one.text:
            text = text[:one.start] + _hidden(one.text) + text[one.end:]
    return text


def _hidden(number: str) -> str:
    return number[:3] + "*" * max(0, len(number) - 7) + number[3:][-4:]


def hidden(text: str, *names: str, entities: Iterable[Entity] = ()) -> str:
    """Return a text without numbers that tell who somebody is, and without the citizen's own names."""
    text = starred(_spoken(text, entities))
    for name in sorted(names, key=len, reverse=True):  # 张三 stands in 张三丰 too
        if len(name) > 1 and name in text and HAN_NAME.fullmatch(name):
            text = text.replace(name, name[0] + "*" * (len(name) - 1))
    return text


def split(event: TicketEvent, *names: str) -> tuple[TicketEvent, Private | None]:
    """Return an event as the log may hold it, and what was taken out of it, None for nothing.

    `names`: all that were told of the citizen.
    """
    fact = event.fact
    shown, private = _receipt(fact) if isinstance(fact, Receive) else _command(fact, names)
    return (event, None) if private is None else (msgspec.structs.replace(event, fact=shown), private)


def _receipt(fact: Receive) -> tuple[Receive, Private | None]:
    appeal, triage = fact.appeal, fact.triage
    citizen, told = appeal.citizen, [one for one in triage.entities if one.type in _TOLD]
    text, title = hidden(appeal.text, citizen.name, entities=told), hidden(appeal.title, citizen.name)
    short, when = hidden(triage.title, citizen.name), hidden(appeal.happened_at, citizen.name)
    private = Private(
        citizen=citizen, address=appeal.place.address, title=appeal.title if title != appeal.title else "",
        text=appeal.text if text != appeal.text else "", triage_title=triage.title if short != triage.title else "",
        entities=triage.entities if told else (),
        happened_at=appeal.happened_at if when != appeal.happened_at else "", about=appeal.about,
    )
    if private == _NOTHING:
        return fact, None
    appeal = msgspec.structs.replace(
        appeal, citizen=NOBODY, text=text, title=title, place=_placeless(appeal.place), happened_at=when, about="",
    )
    if told or private.triage_title:
        entities = tuple(_entity(one) for one in triage.entities)
        triage = msgspec.structs.replace(triage, title=short, entities=entities)
    return msgspec.structs.replace(fact, appeal=appeal, triage=triage), private


_NOTHING = Private()


def _placeless(place: Place) -> Place:
    return msgspec.structs.replace(place, address="") if place.address else place


def _entity(one: Entity) -> Entity:
    return msgspec.structs.replace(one, text=_hidden(one.text)) if one.type in _TOLD else one


def _command(fact: Command, names: Sequence[str]) -> tuple[Command, Private | None]:
    changes: dict[str, Any] = {}
    for field in fact.__struct_fields__:
        value = getattr(fact, field)
        if type(value) is str:
            if value and (shown := _field(field, value, names)) != value:
                changes[field] = shown
        elif type(value) is Place and value.address:
            changes[field] = _placeless(value)
        elif type(value) is Citizen and value != NOBODY:
            changes[field] = NOBODY
    return (msgspec.structs.replace(fact, **changes), Private(fact=fact)) if changes else (fact, None)


def _field(field: str, value: str, names: Sequence[str]) -> str:
    if field in _DONOR:
        return value[0] + "*" * (len(value) - 1)
    if field == "about":
        return ""
    return starred(value) if field in CODES else hidden(value, *names)


def joined(event: TicketEvent, private: Private) -> TicketEvent:
    """Return the event as it was before `split`."""
    fact = event.fact
    if private.fact is not None:
        return msgspec.structs.replace(event, fact=private.fact)
    if not isinstance(fact, Receive):
        raise TypeError(f"the private part of a receipt does not belong to a {event.type}")
    appeal, triage = fact.appeal, fact.triage
    place = msgspec.structs.replace(appeal.place, address=private.address) if private.address else appeal.place
    appeal = msgspec.structs.replace(
        appeal, citizen=private.citizen, text=private.text or appeal.text, title=private.title or appeal.title,
        place=place, happened_at=private.happened_at or appeal.happened_at, about=private.about,
    )
    if private.entities or private.triage_title:
        triage = msgspec.structs.replace(
            triage, title=private.triage_title or triage.title, entities=private.entities or triage.entities
        )
    return msgspec.structs.replace(event, fact=msgspec.structs.replace(fact, appeal=appeal, triage=triage))


