"""The ticket (工单) as a frozen value, and how an event changes it. Rules live in `hotline.decide`.

`replay(events)` rebuilds a ticket from its events; a ticket in the database is only a cache of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import reduce
from typing import Any, get_args

import msgspec

from hotline import commands as c
from hotline import wish
from hotline.alarms import DISSATISFIED, EXTENSION_ASKED, OF_HAND_OFF, UNACKNOWLEDGED
from hotline.appeal import Appeal, Category, Triage
from hotline.clocks import Clocks
from hotline.course import MOVES, Course, followed
from hotline.events import Receive, TicketEvent
from hotline.extension import Extension
from hotline.ids import DepartmentCode, TicketId, TicketNumber
from hotline.particulars import appeal_after, names_after
from hotline.supervision import Supervision
from hotline.terms import Channel, Kind, Priority, Rating, Sensitive, Service, State, Verdict
from hotline.watch import light_of, lights_kept


class Opinion(msgspec.Struct, frozen=True):
    """协办意见 of one assisting unit; its last word counts."""

    unit: str
    text: str


class Ticket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything known of a ticket. `version` is the number of its last event.

    Attributes:
        suggested, returned_by, return_basis: of the last return that was requested; whose it is, by whom, and why.
        children: tickets merged into this one, in the order in which they came.
        asked_in: the state in which the citizen was asked last: there the answer leads back.
        opinions: of the assisting units of the present dispatch.
        names: every name that was ever told of the citizen, for texts to be shown without; in no masked ticket.
        alarms_seen: those of `alarms`, or of earlier ones, that a supervisor has acknowledged.
        reply_flags: what in the public reply looks like personal data, for the centre to judge.
        rating_note: the last words that came with a rating of this handling.
    """

    number: TicketNumber
    channel: Channel
    version: int
    state: State
    created_at: datetime
    appeal: Appeal
    triage: Triage
    names: tuple[str, ...] = ()
    title: str = ""
    labels: tuple[Sensitive, ...] = ()
    category: Category | None = None
    kind: Kind = Kind.OTHER
    verdict: Verdict = Verdict.NON_EMERGENCY
    services: tuple[Service, ...] = ()
    priority: Priority = Priority.P3
    town: str = ""
    lead: DepartmentCode = DepartmentCode("")
    assisting: tuple[DepartmentCode, ...] = ()
    suggested: DepartmentCode = DepartmentCode("")
    returned_by: DepartmentCode = DepartmentCode("")
    return_basis: str = ""
    directory_version: str = ""
    clocks: Clocks = Clocks()
    course: Course = Course()
    extension: Extension = Extension.NONE
    extension_days: int = 0
    supervision: Supervision = Supervision.NONE
    dispatches: int = 0
    returns: int = 0
    return_locked: bool = False
    police_returns: int = 0
    redos: int = 0
    parent: TicketId | None = None
    children: tuple[TicketNumber, ...] = ()
    asked_in: State = State.RECEIVED
    opinions: tuple[Opinion, ...] = ()
    reply_flags: tuple[str, ...] = ()
    incident: str = ""
    alarms: frozenset[str] = frozenset()
    alarms_seen: frozenset[str] = frozenset()
    lights: frozenset[str] = frozenset()
    agent: str = ""
    public_reply: str = ""
    rating: Rating | None = None
    solved: bool | None = None
    rating_note: str = ""
    urges: int = 0
    wish: wish.Wish | None = None


def _received(event: TicketEvent, fact: Receive) -> Ticket:
    appeal, triage = fact.appeal, fact.triage
    towns = (appeal.place.town, *triage.towns)
    return Ticket(
        number=fact.number, channel=fact.channel, version=event.version, state=event.state, created_at=event.at,
        appeal=appeal, triage=triage, names=names_after((), appeal.citizen), title=appeal.title or triage.title,
        category=triage.category,
        kind=appeal.kind or triage.kind, verdict=triage.verdict, services=triage.services, priority=triage.priority,
        town=next((town for town in towns if town), ""), clocks=event.clocks or Clocks(),
    )


def _given(fact: c.Correct | c.Reassess, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(fact, name)) is not None}


def _corrected(ticket: Ticket, fact: c.Correct) -> dict[str, Any]:
    changes = _given(fact, "kind", "priority", "title", "labels") | {"names": names_after(ticket.names, fact.citizen)}
    if fact.l1 is not None and fact.l2 is not None:
        changes["category"] = Category(l1=fact.l1, l2=fact.l2, confidence=1.0)
    changes |= {"town": fact.place.town} if fact.place is not None and fact.place.town else {}
    return changes | {"appeal": appeal_after(ticket.appeal, fact, ticket.channel)}


def _rated(ticket: Ticket, rating: Rating | None, solved: bool | None, note: str) -> dict[str, Any]:
    return {
        "rating": rating if rating is not None else ticket.rating,
        "solved": solved if solved is not None else ticket.solved, "rating_note": note or ticket.rating_note,
    }


def _unrated(ticket: Ticket) -> dict[str, Any]:
    """What was said is of what was answered before: the next answer is rated anew."""
    return {"rating": None, "solved": None, "rating_note": "", "alarms": ticket.alarms - {DISSATISFIED}}


def _helpers(units: tuple[DepartmentCode, ...], lead: DepartmentCode) -> tuple[DepartmentCode, ...]:
    """Who leads does not assist too, and nobody assists twice, whatever was typed."""
    return tuple(dict.fromkeys(unit for unit in units if unit != lead))


def _redone(ticket: Ticket, fact: c.Redispatch) -> dict[str, Any]:
    return {
        "assisting": _helpers(ticket.assisting, fact.lead or ticket.lead),
        "redos": ticket.redos + 1, "dispatches": ticket.dispatches + 1, "lead": fact.lead or ticket.lead,
        "rating": None, "solved": None, "rating_note": "",  # of the first round: the second is asked anew
        "supervision": ticket.supervision if ticket.redos == 0 else max(ticket.supervision, Supervision.LEVEL_1),
    }


# What each fact changes besides state, version and clocks; facts that are absent change nothing else.
_CHANGES: dict[type, Callable[[Ticket, Any], dict[str, Any]]] = {
    c.Answer: lambda t, f: {"public_reply": f.text},
    c.HandOff: lambda t, f: {
        "services": f.services, "verdict": Verdict.EMERGENCY, "priority": Priority.P0, "incident": "",
        "alarms": t.alarms - OF_HAND_OFF,
        "public_reply": "", "reply_flags": (),  # it ends there without one: what the centre refused is none
    },
    c.PoliceReturn: lambda t, f: {
        "police_returns": t.police_returns + 1, "verdict": Verdict.NON_EMERGENCY,
        "priority": Priority.P3 if f.priority is None else f.priority, "alarms": t.alarms - OF_HAND_OFF,
        "lead": DepartmentCode(""), "assisting": (),  # it is the centre's now, whoever had it before the hand-off
    },
    c.Close: lambda t, f: {"alarms": t.alarms - OF_HAND_OFF},
    c.Merge: lambda t, f: {"parent": f.parent, "lead": DepartmentCode(""), "assisting": ()},
    c.Unmerge: lambda t, f: {"parent": None, **_unrated(t)},
    c.Dispatch: lambda t, f: {
        "lead": f.lead, "assisting": _helpers(f.assisting, f.lead), "directory_version": f.directory_version,
        "dispatches": t.dispatches + 1, "suggested": DepartmentCode(""), "opinions": (),
    },
    c.RequestReturn: lambda t, f: {
        "suggested": f.suggested, "returned_by": t.lead, "return_basis": f.legal_basis,
    },
    c.ApproveReturn: lambda t, f: {"returns": t.returns + 1, "lead": DepartmentCode(""), "assisting": ()},
    c.TakeBack: lambda t, f: {"lead": DepartmentCode(""), "assisting": ()},
    c.RefuseReturn: lambda t, f: {"return_locked": True},
    c.Rule: lambda t, f: {
        "lead": f.lead, "assisting": _helpers(f.assisting, f.lead), "return_locked": True,
        "dispatches": t.dispatches + 1, "opinions": (),
    },
    c.AskInfo: lambda t, f: {"asked_in": t.state},
    c.Reply: lambda t, f: {
        "public_reply": f.public, "reply_flags": f.flags, "alarms": t.alarms - {EXTENSION_ASKED},
    },
    c.Adopt: lambda t, f: {"children": (*t.children, f.child)},
    c.Disown: lambda t, f: {"children": tuple(child for child in t.children if child != f.child)},
    c.SettleFollowUp: lambda t, f: _rated(t, f.rating, None if f.unreachable else f.said_solved, f.note),
    c.DisputeFollowUp: lambda t, f: _rated(t, f.rating, f.said_solved, f.note),
    c.Redispatch: _redone,
    c.Reopen: lambda t, f: {
        "lead": DepartmentCode(""), "assisting": (), **_unrated(t),
    },
    c.Urge: lambda t, f: {"urges": t.urges + 1},
    c.Correct: _corrected,
    c.Reassess: lambda t, f: _given(f, "verdict", "services", "priority"),
    c.Rate: lambda t, f: _rated(t, f.rating, f.solved, f.note),
    c.RequestExtension: lambda t, f: {
        "extension_days": f.days, "alarms": t.alarms | {EXTENSION_ASKED},
        "alarms_seen": t.alarms_seen - {EXTENSION_ASKED},
    },
    **dict.fromkeys((c.GrantExtension, c.RefuseExtension), lambda t, f: {"alarms": t.alarms - {EXTENSION_ASKED}}),
    c.Supervise: lambda t, f: {"supervision": Supervision(t.supervision + 1)},
    c.ShowLight: lambda t, f: {"lights": t.lights | {light_of(f.clock, f.light)}},
    c.AcknowledgeIncident: lambda t, f: {"incident": f.incident, "alarms": t.alarms - {UNACKNOWLEDGED}},
    c.RaiseAlarm: lambda t, f: {"alarms": t.alarms | {f.alarm}, "alarms_seen": t.alarms_seen - {f.alarm}},
    c.AcknowledgeAlarm: lambda t, f: {"alarms_seen": t.alarms_seen | {f.alarm}},
    c.ClearAlarm: lambda t, f: {"alarms": t.alarms - {f.alarm}},
    **dict.fromkeys(get_args(wish.WishCommand), lambda t, f: {"wish": wish.after(t.wish, f)}),
    c.Claim: lambda t, f: {"agent": f.agent},
    c.Release: lambda t, f: {"agent": ""},
}


def evolve(ticket: Ticket | None, event: TicketEvent) -> Ticket:
    """Return the ticket after `event`. No rule is checked here: the event has happened.

    Raises:
        ValueError: the events do not follow one another (`version` has a gap, or the first is no receipt).
    """
    if isinstance(event.fact, Receive):
        if ticket is not None or event.version != 1:
            raise ValueError("a receipt is the first event of a ticket, and only the first")
        return _received(event, event.fact)
    if ticket is None or event.version != ticket.version + 1:
        raise ValueError(f"event {event.version} does not follow version {ticket.version if ticket else 0}")
    changes = _CHANGES[type(event.fact)](ticket, event.fact) if type(event.fact) in _CHANGES else {}
    changes |= {"version": event.version, "state": event.state}
    if isinstance(event.fact, c.GiveOpinion):
        unit = event.actor.name
        changes["opinions"] = (*(one for one in ticket.opinions if one.unit != unit), Opinion(unit, event.fact.text))
    if type(event.fact) in MOVES:
        changes["course"] = followed(ticket.course, event, ticket.clocks.paused_at, ticket.extension_days)
    if event.clocks is not None:
        changes["clocks"] = event.clocks
        if ticket.lights:
            changes["lights"] = lights_kept(ticket.lights, ticket.clocks, event.clocks)
    if event.extension is not None:
        changes["extension"] = event.extension
    if event.extension is Extension.NONE:  # what was asked for has lapsed
        changes |= {"extension_days": 0, "alarms": changes.get("alarms", ticket.alarms) - {EXTENSION_ASKED}}
    return msgspec.structs.replace(ticket, **changes)


def replay(events: Iterable[TicketEvent]) -> Ticket:
    """Rebuild a ticket from all its events in order. Raises ValueError if there are none or they have gaps."""
    ticket = reduce(lambda ticket, event: evolve(ticket, event), events, None)
    if ticket is not None:
        return ticket
    raise ValueError("a ticket has at least one event")
