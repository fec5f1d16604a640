"""What is learnt of a citizen and of their matter after the receipt, and what is known by it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hotline import commands as c
from hotline.appeal import Appeal, Citizen, Place
from hotline.events import Receive, TicketEvent
from hotline.terms import Channel

_TOLD = ("confidential", "happened_at", "about")


def appeal_after(appeal: Appeal, fact: c.Correct, channel: Channel) -> Appeal:
    """Return what is known of an appeal after a correction."""
    told: dict[str, Any] = {name: value for name in _TOLD if (value := getattr(fact, name)) is not None}
    if fact.place is not None:
        told["place"] = place_after(appeal.place, fact.place)
    if fact.citizen is not None:
        told["citizen"] = _completed(appeal.citizen, fact.citizen, channel)
    return msgspec.structs.replace(appeal, **told) if told else appeal


def place_after(known: Place, told: Place) -> Place:
    """Return what is known of a place after something was told of it: what is empty stays as it is known."""
    changes = {name: value for name in Place.__struct_fields__ if (value := getattr(told, name)) not in ("", None)}
    return msgspec.structs.replace(known, **changes)


def words_after(events: Iterable[TicketEvent]) -> tuple[str, ...]:
    """Return what the citizen said after the receipt, in its order: messages, and answers to whoever asked."""
    facts = (event.fact for event in events)
    return tuple(
        fact.text for fact in facts if isinstance(fact, c.AddMessage | c.SupplyInfo | c.Resume)
        and fact.text and (not isinstance(fact, c.AddMessage) or fact.inbound)
    )


def who(events: Iterable[TicketEvent]) -> Citizen:
    """Return the citizen as the receipt names them and corrections after it; of a ticket's events these are enough."""
    citizen, channel = Citizen(), Channel.WEB
    for event in events:
        match event.fact:
            case Receive(appeal=appeal, channel=channel):
                citizen = appeal.citizen
            case c.Correct(citizen=Citizen() as told):
                citizen = _completed(citizen, told, channel)
            case _:
                pass
    return citizen


def names_after(names: tuple[str, ...], told: Citizen | None) -> tuple[str, ...]:
    """Return every name that was told of a citizen, also what was wrong: texts were written while it was theirs."""
    return names if told is None or not told.name or told.name in names else (*names, told.name)


def names_of(events: Iterable[TicketEvent]) -> tuple[str, ...]:
    """Return every name that the citizen has had, the longest first: what was put right stands in earlier texts."""
    told = (event.fact.appeal.citizen if isinstance(event.fact, Receive) else event.fact.citizen
            for event in events if isinstance(event.fact, Receive | c.Correct))
    names = {one.name for one in told if one is not None and one.name}
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


def _completed(known: Citizen, told: Citizen, channel: Channel) -> Citizen:
    """Return who a citizen is after something was told of them; an app goes on to know them by what it sent."""
    changes = {name: value for name in Citizen.__struct_fields__ if (value := getattr(told, name))}
    if told.phone and known.key == known.phone != "" and channel is not Channel.APP:
        changes["key"] = told.phone
    return msgspec.structs.replace(known, **changes)
