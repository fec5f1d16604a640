"""The hotline's neighbours, and what they are told of the tickets that they and we hand to each other. Pure.

A neighbour that takes tickets stands in the dispatch directory as a unit: to hand a ticket over is to dispatch it
there, and everything else (clocks, supervision, review, follow-up) goes on as with any department. The neighbour's word
comes back as that unit's commands. What it is told follows from the event log alone (`parcels_of`), so nothing is told
that did not happen, and nothing that happened is left untold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from channels.neighbour_codec import HandOver, Status, Update, together
from hotline import commands as c
from hotline.appeal import Entity
from hotline.errors import InvalidInput
from hotline.events import Receive, TicketEvent
from hotline.ids import DepartmentCode
from hotline.particulars import words_after
from hotline.privacy import hidden
from hotline.summary import is_discreet
from hotline.terms import REJECT_ROUTES, Channel
from hotline.ticket import Ticket
from routing.directory import Directory, Unit, UnitKind


class NeighbourKind(StrEnum):
    """What a neighbour is; the code in the setting tells: six digits are another city's hotline."""

    CITY = "city"
    GRID = "grid"
    PORTAL = "portal"
    WISHES = "wishes"
    DATA = "data"


_TAKES_TICKETS = frozenset({NeighbourKind.CITY, NeighbourKind.GRID})
_CITY_CODE = re.compile(r"\d{6}")
_EXAMPLE = "440100=广州12345,https://gz.example/api/v1/neighbours/441900,SECRET|grid=智网工程,http://127.0.0.1:9120,SECRET"


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """A neighbour of the setting `neighbours`. `url` is "" for one that only comes to us."""

    code: str
    unit: DepartmentCode
    url: str
    secret: str

    @property
    def kind(self) -> NeighbourKind:
        """What it is."""
        return NeighbourKind.CITY if _CITY_CODE.fullmatch(self.code) else NeighbourKind(self.code)

    @property
    def takes_tickets(self) -> bool:
        """Tell whether tickets can be handed over to it."""
        return self.kind in _TAKES_TICKETS and bool(self.url)


Neighbours = Mapping[str, Neighbour]
"""By code."""


def neighbours_of(text: str) -> dict[str, Neighbour]:
    """Read `code=unit,address,secret|…`. Raises InvalidInput; the detail says which part is wrong and shows how."""
    found: dict[str, Neighbour] = {}
    for number, part in enumerate(filter(str.strip, text.split("|")), start=1):
        code, _, rest = (piece.strip() for piece in part.partition("="))
        unit, url, secret, *more = [piece.strip() for piece in rest.split(",")] + ["", "", ""]
        if not (_CITY_CODE.fullmatch(code) or code in set(NeighbourKind) - {NeighbourKind.CITY}):
            raise InvalidInput(f"part {number} is no neighbour: six digits for a city, or grid, portal, wishes, data")
        if any(more) or not unit or len(secret) < 8 or (url and not url.startswith(("http://", "https://"))):
            raise InvalidInput(f"{code} must be code=name,address,secret (the secret 8 characters or more): {_EXAMPLE}")
        if code in found:
            raise InvalidInput(f"{code} is there twice")
        found[code] = Neighbour(code=code, unit=DepartmentCode(unit), url=url.rstrip("/"), secret=secret)
    return found


def with_neighbours(directory: Directory, neighbours: Neighbours) -> Directory:
    """Return the directory with the neighbours that take tickets as units."""
    units = {n.unit: Unit(name=n.unit, kind=UnitKind.NEIGHBOUR) for n in neighbours.values() if n.takes_tickets}
    return msgspec.structs.replace(directory, units={**units, **directory.units})


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell a neighbour. `key` is its idempotency key; `hand_over` says which hand-over it is about."""

    key: str
    neighbour: str
    hand_over: str
    path: str
    body: HandOver | Update


HAND_OVERS, UPDATES = "hand-overs", "updates"
_DISPATCHES = (c.Dispatch, c.Rule, c.Redispatch)


def parcels_of(
    events: Sequence[TicketEvent], before: Ticket | None, after: Ticket, by_code: Neighbours
) -> list[Parcel]:
    """Return what the last of `events` has us tell neighbours.

    Args:
        events: the ticket's history up to the event in question.
        before, after: the ticket around it.
    """
    event = events[-1]
    by_unit: dict[str, Neighbour] = {n.unit: n for n in by_code.values() if n.takes_tickets}
    found = [*_to_holder(events, event, before, after, by_unit)]
    if after.channel is Channel.CITY:
        found += _to_origin(event, after, by_code)
    return found


# ── a ticket of ours that a neighbour holds ──────────────────────────────────────────────────────
def _to_holder(
    events: Sequence[TicketEvent], event: TicketEvent, before: Ticket | None, after: Ticket,
    by_unit: Mapping[str, Neighbour],
) -> Iterable[Parcel]:
    holder = by_unit.get(before.lead) if before is not None else None
    if isinstance(event.fact, _DISPATCHES):
        taker = by_unit.get(after.lead)
        if taker is not None:
            key = f"{after.number}-{event.version}"
            body = hand_over_of(after, events, key, taker.kind)
            yield Parcel(key=key, neighbour=taker.code, hand_over=key, path=HAND_OVERS, body=body)
    elif holder is not None:
        key = last_hand_over(events[:-1], after.number, holder.unit)
        told = _news_for_holder(event, holder)
        if key and told is not None:
            status, text = told
            yield _update(key, event, holder.code, after, status, _discreet(text, after, holder.kind))


def last_hand_over(events: Sequence[TicketEvent], number: str, unit: str) -> str:
    """Return the key under which a ticket was last handed to a unit, "" if it was not."""
    lead = ""
    found = ""
    for event in events:
        if isinstance(event.fact, _DISPATCHES):
            lead = event.fact.lead or lead
            found = f"{number}-{event.version}" if lead == unit else found
    return found


def _news_for_holder(event: TicketEvent, holder: Neighbour) -> tuple[Status, str] | None:
    match event.fact:
        case _ if event.actor.name == holder.unit:
            return None  # it knows what it told us
        case c.TakeBack(reason=reason) | c.Withdraw(reason=reason):
            return Status.RECALLED, reason
        case c.HandOff() | c.Merge() | c.Reject():
            return Status.RECALLED, "工单已由来源地另行处理。"
        case c.AddMessage(text=text, inbound=True) | c.SupplyInfo(text=text) | c.Resume(text=text) if text:
            return Status.MESSAGE, text
        case c.Urge(note=note):
            return Status.MESSAGE, f"催办:{note}".rstrip(":")
        case c.RejectReply(reason=reason):
            return Status.MESSAGE, f"办理结果未通过审核,请补充:{reason}"
        case c.SettleFollowUp() | c.DisputeFollowUp():
            return Status.SETTLED, ""
        case _:
            return None


def _hides(ticket: Ticket, kind: NeighbourKind) -> bool:
    """A grid learns of the hazard, never of the citizen; another city learns who it is, unless confidential or 举报."""
    return kind is not NeighbourKind.CITY or is_discreet(ticket)


def _discreet(text: str, ticket: Ticket, kind: NeighbourKind, entities: Iterable[Entity] = ()) -> str:
    """Return a text as a neighbour may read it: citizens write their names and numbers into the matter itself."""
    return hidden(text, *ticket.names, entities=entities) if _hides(ticket, kind) else text


def hand_over_of(ticket: Ticket, events: Sequence[TicketEvent], key: str, kind: NeighbourKind) -> HandOver:
    """Return the whole matter as a neighbour needs it."""
    appeal, place, first = ticket.appeal, ticket.appeal.place, events[0].fact
    spoken = first.triage.entities if isinstance(first, Receive) else ()  # numbers spelt out, which triage has found
    nobody = _hides(ticket, kind)
    return HandOver(
        key=key, number=ticket.number, text=_discreet(appeal.text, ticket, kind, spoken),
        title=_discreet(ticket.title, ticket, kind), kind=ticket.kind,
        category=ticket.category.l2 if ticket.category else "", town=ticket.town, village=place.village,
        grid=place.grid, address=place.address, lat=place.lat, lon=place.lon, received_at=ticket.created_at,
        happened_at=_discreet(appeal.happened_at, ticket, kind), about=_discreet(appeal.about, ticket, kind),
        messages=together([_discreet(text, ticket, kind) for text in words_after(events)]),
        due=ticket.clocks.completion_due, confidential=appeal.confidential,
        name="" if nobody else appeal.citizen.name, phone="" if nobody else appeal.citizen.phone,
    )


# ── a ticket of a neighbour that we hold ─────────────────────────────────────────────────────────
def origin_of(ticket: Ticket) -> tuple[str, str]:
    """Return the code of the city that handed us a ticket, and its key of the hand-over; ("", "") for ours."""
    if ticket.channel is not Channel.CITY:
        return "", ""
    code, _, key = ticket.appeal.citizen.key.partition(":")
    return code, key


def _to_origin(event: TicketEvent, after: Ticket, by_code: Neighbours) -> Iterable[Parcel]:
    code, key = origin_of(after)
    told = _news_for_origin(event, after, code)
    if code in by_code and by_code[code].url and told is not None:
        yield _update(key, event, code, after, *told)


def _news_for_origin(event: TicketEvent, after: Ticket, code: str) -> tuple[Status, str] | None:
    match event.fact:
        case _ if event.actor.name == code:
            return None
        case c.Dispatch(lead=lead):
            return Status.ACCEPTED, f"已转{lead}办理。"
        case c.RecordContact():
            return Status.CONTACTED, ""
        case c.AskInfo(question=question):
            return Status.NEED_INFO, question
        case c.AddMessage(text=text, inbound=False):
            return Status.MESSAGE, text
        case c.HandOff(services=services):
            return Status.ACCEPTED, f"情况紧急,已移交{'、'.join(services)}处置。"
        case c.Answer() | c.AcceptReply():
            return Status.OUTCOME, after.public_reply
        case c.Close() if not after.public_reply:  # of what was answered this is told; here 110 has ended it
            return Status.OUTCOME, f"已由{'、'.join(after.services)}处置完毕。"
        case c.Reject(reason=reason, note=note):
            return Status.RETURNED, f"{REJECT_ROUTES[reason]}{note}"
        case c.Withdraw(reason=reason):
            return Status.RETURNED, reason or "已撤单"
        case _:
            return None


def _update(key: str, event: TicketEvent, code: str, ticket: Ticket, status: Status, text: str) -> Parcel:
    id_ = f"{ticket.number}-{event.version}-{status}"
    body = Update(
        id=id_, hand_over=key, number=ticket.number, status=status, text=text, at=event.at,
        rating=ticket.rating if status is Status.SETTLED else None,
        solved=ticket.solved if status is Status.SETTLED else None,
    )
    return Parcel(key=id_, neighbour=code, hand_over=key, path=UPDATES, body=body)
