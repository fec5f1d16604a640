"""What must happen in the outside world because of events: pure, written in the same transaction as the events.

An `Incident` is pushed to 110; an `Outbound` is sent to a citizen. Each has a key that survives retries and restarts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from channels.datum import KEPT
from channels.message import Outbound
from hotline import commands as c
from hotline.appeal import Triage
from hotline.events import Receive, TicketEvent
from hotline.family_news import FamilyNews, ends_without_answer, joined, news_of
from hotline.ids import TicketNumber
from hotline.lessons import Lesson, lessons_of
from hotline.notices import notice, shared
from hotline.reach import Contact, letters
from hotline.ticket import Ticket


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-off to 110. `key` is the idempotency key at the desk, `payload` the JSON body of the push."""

    key: str
    payload: Mapping[str, Any]


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one event sets going.

    Attributes:
        news: for the citizens of the tickets merged into this one.
        orphans: the ticket ends without an answer: what is merged into it must go its own way again.
        lessons: for the owner of the dispatch directory.
        incidents_end: how the ticket's earlier hand-offs to 110 have ended, whoever ended them; "" where they go on.
    """

    incidents: tuple[Incident, ...] = ()
    messages: tuple[Outbound, ...] = ()
    news: tuple[FamilyNews, ...] = ()
    orphans: bool = False
    lessons: tuple[Lesson, ...] = ()
    incidents_end: str = ""

    def __bool__(self) -> bool:
        """Tell whether there is anything to set going."""
        given = self.incidents or self.messages or self.news or self.orphans or self.lessons or self.incidents_end
        return bool(given)


class Spoken(msgspec.Struct, frozen=True):
    """A citizen's further message, which a change begins with, and what triage made of it.

    `merged`: it is the citizen of this ticket who speaks, which was merged into the one that changes.
    """

    text: str
    triage: Triage
    merged: TicketNumber | None = None


_UNREST = "rule:crowd"
"""The rule whose words tell of danger to public order (群体性事件): such an incident is a `risk_alert` too."""


def incident_payload(ticket: Ticket, fact: c.HandOff, at: str, *, spoken: Spoken | None = None) -> dict[str, Any]:
    """Return the JSON body of `POST /incidents`: what 110 needs to act, the caller's number included.

    `spoken`: the message that led to the hand-off, where it is not the appeal itself. Of a merged ticket's citizen the
    body has the ticket's number only (`speaker`); who they are is told as it is pushed (`told_by`).
    """
    judged = (ticket.triage,) if spoken is None else (ticket.triage, spoken.triage)
    more = {"speaker": spoken.merged} if spoken is not None and spoken.merged is not None else {}
    return {
        "number": ticket.number, "channel": ticket.channel, "occurred_at": at, "services": list(fact.services),
        "text": ticket.appeal.text if spoken is None else f"{ticket.appeal.text}\n补充:{spoken.text}",
        "title": ticket.title, "happened_at": ticket.appeal.happened_at, "about": ticket.appeal.about,
        "evidence": fact.reason,
        "risk_alert": any(evidence.rule == _UNREST for triage in judged for evidence in triage.evidence),
        **_whom_and_where(ticket), **more,
    }


def _whom_and_where(ticket: Ticket) -> dict[str, Any]:
    citizen, place = ticket.appeal.citizen, ticket.appeal.place
    return {
        "citizen": {"name": citizen.name, "phone": citizen.phone},
        "place": {
            "town": ticket.town, "village": place.village, "grid": place.grid, "address": place.address,
            "lat": place.lat, "lon": place.lon, "datum": KEPT,
        },
    }


def told_by(payload: Mapping[str, Any], speaker: Ticket) -> dict[str, Any]:
    """Return the body of a push with the citizen of a merged ticket as whom 110 reaches, since it is they who spoke.

    The place is theirs where they told one; whom and where the ticket itself has stands under `leading`.
    """
    leading = {"citizen": payload["citizen"], "place": payload["place"]}
    own = _whom_and_where(speaker)
    told = own["place"]["address"] or own["place"]["lat"] is not None
    return {**payload, **own, "place": own["place"] if told else payload["place"], "leading": leading}


NOTHING = Effects()
_SILENT = frozenset({Receive, c.Accept})
"""Facts that never set anything going; every new ticket begins with them."""
_ENDS: Mapping[type, str] = {c.Close: "closed", c.PoliceReturn: "returned"}
"""The ways out of `handed_off`, and how they leave the hand-off."""


def effects_of(
    ticket: Ticket, event: TicketEvent, *, signature: str, spoken: Spoken | None = None, parent: Ticket | None = None
) -> Effects:
    """Return what `event` sets going; `ticket` is the ticket after it, `spoken` the message that led to it, `parent`
    the one into which it is merged by it."""
    if type(event.fact) in _SILENT:
        return NOTHING
    incidents: tuple[Incident, ...] = ()
    if isinstance(event.fact, c.HandOff):
        push = f"{ticket.number}-{event.version}"
        payload = incident_payload(ticket, event.fact, event.at.isoformat(), spoken=spoken)
        incidents = (Incident(key=push, payload=payload),)
    told = notice(ticket, event, signature=signature)
    if parent is not None:
        told = joined(told, event, parent)
    contact = Contact(number=ticket.number, channel=ticket.channel, citizen=ticket.appeal.citizen)
    key = f"notice-{ticket.number}-{event.version}"
    return Effects(
        incidents=incidents, messages=letters(contact, told, key=key),
        news=news_of(ticket, event, shared(ticket, event, signature=signature)) if ticket.children else (),
        orphans=ends_without_answer(ticket, event), lessons=lessons_of(ticket, event),
        incidents_end=_ENDS.get(type(event.fact), "") if ticket.clocks.handed_off_at is not None else "",
    )


def effects_of_all(
    ticket: Ticket, events: Sequence[TicketEvent], *, signature: str, spoken: Spoken | None = None
) -> Effects:
    """Return what several events of one change set going together; `ticket` is the ticket after the last."""
    found = [one for event in events if (one := effects_of(ticket, event, signature=signature, spoken=spoken))]
    if len(found) < 2:
        return found[0] if found else NOTHING
    return Effects(
        incidents=tuple(incident for effects in found for incident in effects.incidents),
        messages=tuple(message for effects in found for message in effects.messages),
        news=tuple(news for effects in found for news in effects.news),
        orphans=any(effects.orphans for effects in found),
        lessons=tuple(lesson for effects in found for lesson in effects.lessons),
        incidents_end=next((effects.incidents_end for effects in reversed(found) if effects.incidents_end), ""),
    )
