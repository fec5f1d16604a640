"""What a console shows of a ticket in a list, and which topics its events belong to.

A summary is complete and carries the ticket's version, so a console that keeps the highest version is right whatever
the order of arrival (tested as a property: snapshot + events = fresh snapshot).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from hotline.chat_clock import is_chat
from hotline.lifecycle import OPEN_STATES
from hotline.terms import Kind, State, Verdict
from hotline.ticket import Ticket

CENTRE_STATES = frozenset({
    State.RECEIVED, State.NEED_INFO, State.PENDING_DISPATCH, State.RETURN_REQUESTED, State.ARBITRATION,
    State.PENDING_REVIEW, State.ANSWERED, State.PENDING_FOLLOW_UP, State.REDO,
})
"""States in which the hotline centre, not a department, has to act."""
_CENTRE_OWES = CENTRE_STATES & OPEN_STATES  # what is answered stays on the centre's lists, but nothing is due any more


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of a console's list. No personal data beyond the title. `due` is the clock that expires next.

    `alarms_seen` are those of `alarms` that a supervisor has acknowledged.
    `children` counts the tickets that are merged into this one. `lights` are those that are shown (`completion_red`),
    `try_at` is when the next try of the follow-up is to be made. With `chat` the citizen sits in a chat: what is said
    to them is read at once.
    """

    number: str
    version: int
    state: str
    channel: str
    title: str
    kind: str
    priority: str
    verdict: str
    created_at: datetime
    updated_at: datetime
    category: str = ""
    town: str = ""
    lead: str = ""
    assisting: tuple[str, ...] = ()
    agent: str = ""
    due: datetime | None = None
    alarms: tuple[str, ...] = ()
    alarms_seen: tuple[str, ...] = ()
    supervision: int = 0
    needs_person: bool = False
    children: int = 0
    lights: tuple[str, ...] = ()
    try_at: datetime | None = None
    chat: bool = False


def next_due(ticket: Ticket) -> datetime | None:
    """Return the running clock that expires first, None while paused or when none runs."""
    clocks, state = ticket.clocks, ticket.state
    if clocks.paused_at is not None:
        return None
    running: list[datetime | None] = []
    if state in (State.PENDING_SIGN, State.HANDLING):
        running = [
            clocks.sign_due if state is State.PENDING_SIGN else None,
            clocks.contact_due if clocks.contacted_at is None else None,
            clocks.on_site_due if clocks.arrived_at is None else None, clocks.completion_due,
        ]
    elif state is State.PENDING_FOLLOW_UP:
        running = [clocks.follow_up_due]
    elif state in _CENTRE_OWES:
        running = [clocks.completion_due or clocks.ceiling_due, clocks.chat_due]
    return min((due for due in running if due is not None), default=None)


def summarize(ticket: Ticket, updated_at: datetime) -> Summary:
    """Return the list row of a ticket."""
    category = f"{ticket.category.l1}/{ticket.category.l2}" if ticket.category else ""
    return Summary(
        number=ticket.number, version=ticket.version, state=ticket.state, channel=ticket.channel,
        title=ticket.title, kind=ticket.kind, priority=ticket.priority, verdict=ticket.verdict,
        created_at=ticket.created_at, updated_at=updated_at, category=category, town=ticket.town, lead=ticket.lead,
        assisting=ticket.assisting, agent=ticket.agent, due=next_due(ticket), alarms=tuple(sorted(ticket.alarms)),
        alarms_seen=tuple(sorted(ticket.alarms & ticket.alarms_seen)),
        supervision=ticket.supervision, needs_person=ticket.triage.needs_person,
        children=len(ticket.children), lights=tuple(sorted(ticket.lights)),
        try_at=ticket.clocks.follow_up_next if ticket.state is State.PENDING_FOLLOW_UP else None,
        chat=is_chat(ticket.appeal),
    )


def is_supervised(ticket: Ticket) -> bool:
    """Tell whether an open ticket is under supervision (督办)."""
    return ticket.supervision > 0 and ticket.state in OPEN_STATES


def is_discreet(ticket: Ticket) -> bool:
    """Tell whether a ticket is 举报 or confidential: who handles it never learns who the citizen is."""
    return ticket.appeal.confidential or ticket.kind is Kind.REPORT


def topics(ticket: Ticket) -> frozenset[str]:
    """Return the topics under which this ticket is listed now.

    `tickets` all · `ticket:NUMBER` · `centre` the centre's work · `emergency` verdict emergency or unclear ·
    `department:NAME` lead and assisting · `agent:NAME` · `alarms` · `supervised`. An event goes to the topics before
    and after it, so a list also learns of what leaves it.
    """
    found = {"tickets", f"ticket:{ticket.number}"}
    if ticket.state in CENTRE_STATES:
        found.add("centre")
    if ticket.verdict is not Verdict.NON_EMERGENCY and ticket.state is not State.ARCHIVED:
        found.add("emergency")
    found |= {f"department:{unit}" for unit in (ticket.lead, *ticket.assisting) if unit}
    if ticket.agent:
        found.add(f"agent:{ticket.agent}")
    if ticket.alarms:
        found.add("alarms")
    if is_supervised(ticket):
        found.add("supervised")
    return frozenset(found)
