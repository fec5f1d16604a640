"""What must happen in the outside world because of events: pure, written in the same transaction as the events.

An `Incident` is pushed to 110; an `Outbound` is sent to a citizen. Each has a key that survives retries and restarts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from channels.message import Outbound
from hotline import commands as c
from hotline.appeal import Citizen
from hotline.events import TicketEvent
from hotline.family_news import FamilyNews, ends_without_answer, news_of
from hotline.ids import TicketNumber
from hotline.lessons import Lesson, lessons_of
from hotline.terms import REJECT_ROUTES, Channel, Verdict
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
    """

    incidents: tuple[Incident, ...] = ()
    messages: tuple[Outbound, ...] = ()
    news: tuple[FamilyNews, ...] = ()
    orphans: bool = False
    lessons: tuple[Lesson, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to set going."""
        return bool(self.incidents or self.messages or self.news or self.orphans or self.lessons)


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Where the citizen of a ticket is told of it."""

    number: TicketNumber
    channel: Channel
    citizen: Citizen


def incident_payload(ticket: Ticket, fact: c.HandOff, at: str) -> dict[str, Any]:
    """Return the JSON body of `POST /incidents`: what 110 needs to act, the caller's number included."""
    place = ticket.appeal.place
    return {
        "number": ticket.number, "channel": ticket.channel, "occurred_at": at, "services": list(fact.services),
        "text": ticket.appeal.text, "title": ticket.title, "evidence": fact.reason, "risk_alert": "public_order"
        in {evidence.rule for evidence in ticket.triage.evidence},
        "citizen": {"name": ticket.appeal.citizen.name, "phone": ticket.appeal.citizen.phone},
        "place": {"town": ticket.town, "address": place.address, "lat": place.lat, "lon": place.lon},
    }


def notice(ticket: Ticket, event: TicketEvent, *, signature: str) -> str:
    """Return what the citizen is told of an event, "" for nothing. `signature` is the hotline's name, 东莞12345."""
    head = f"【{signature}】工单{ticket.number}:"
    match event.fact:
        case c.Answer(text=text):
            return f"{head}{text}"
        case c.Merge():
            return f"{head}与同一事项的诉求合并办理,进展和结果将一并告知您。"
        case c.Unmerge():
            return f"{head}恢复单独办理。"
        case c.AskInfo(question=question):
            return f"{head}需要您补充信息:{question}"
        case c.AddMessage(text=text, inbound=False):
            return text
        case c.HandOff(services=services):
            return f"{head}情况紧急,已移交{'、'.join(services)}处置。如有危险请立即直接拨打{services[0]}。"
        case c.Reject(reason=reason):
            return f"{head}不予受理。{REJECT_ROUTES[reason]}"
        case c.Dispatch(lead=lead) if event.version > 3:
            return f"{head}已转{lead}办理。"
        case c.AcceptReply():
            return f"{head}办理结果:{ticket.public_reply}"
        case _:
            return ""


_TOLD_BY_MESSAGE = frozenset({Channel.WECHAT, Channel.POLICE, Channel.WEB})
"""Channels on which we can write first, where the citizen has a key there (a WeChat open id, a chat session, 110's own
number); others read progress by number and code."""


def addressed(contact: Contact, text: str, *, key: str) -> Outbound | None:
    """Return a message to a citizen on the channel they used, None where we cannot write first."""
    if not text or contact.channel not in _TOLD_BY_MESSAGE or not contact.citizen.key:
        return None
    return Outbound(
        channel=contact.channel, key=key, to=contact.citizen.key, text=text, number=contact.number,
    )


def effects_of(ticket: Ticket, event: TicketEvent, *, signature: str) -> Effects:
    """Return what `event` sets going; `ticket` is the ticket after it."""
    incidents: tuple[Incident, ...] = ()
    if isinstance(event.fact, c.HandOff):
        key = f"{ticket.number}-{event.version}"
        incidents = (Incident(key=key, payload=incident_payload(ticket, event.fact, event.at.isoformat())),)
    text = notice(ticket, event, signature=signature)
    first_answer = event.version == 2 and ticket.verdict is Verdict.EMERGENCY
    contact = Contact(number=ticket.number, channel=ticket.channel, citizen=ticket.appeal.citizen)
    message = None if first_answer else addressed(contact, text, key=f"notice-{ticket.number}-{event.version}")
    return Effects(
        incidents=incidents, messages=(message,) if message is not None else (), news=news_of(ticket, event, text),
        orphans=ends_without_answer(ticket, event), lessons=lessons_of(ticket, event),
    )


def effects_of_all(ticket: Ticket, events: Sequence[TicketEvent], *, signature: str) -> Effects:
    """Return what several events of one change set going together; `ticket` is the ticket after the last."""
    found = [effects_of(ticket, event, signature=signature) for event in events]
    return Effects(
        incidents=tuple(incident for effects in found for incident in effects.incidents),
        messages=tuple(message for effects in found for message in effects.messages),
        news=tuple(news for effects in found for news in effects.news),
        orphans=any(effects.orphans for effects in found),
        lessons=tuple(lesson for effects in found for lesson in effects.lessons),
    )
