"""Random lives of tickets through the real rules: what the table and the guards allow, at random moments."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg
import msgspec

from hotline import commands as c
from hotline.appeal import Appeal, Category, Triage
from hotline.deadlines import Unit, WorkingTime
from hotline.decide import decide, receive
from hotline.errors import HotlineError
from hotline.events import Actor, Role, TicketEvent
from hotline.ids import ticket_number
from hotline.lifecycle import TRANSITIONS
from hotline.opening import Change
from hotline.store.rows import to_json
from hotline.terms import Channel, Kind, Priority, Rating, RejectReason, Service, State, Verdict
from hotline.ticket import Ticket
from tests.cities import POLICY as SLOW
from tests.hotline.test_lifecycle import EXAMPLES

POLICY = msgspec.structs.replace(SLOW, chat_answer=WorkingTime(3, Unit.MINUTES))
UNITS = ["城管局", "水务局", "公安局"]
_DISPATCH: Callable[[random.Random], c.Command] = lambda r: c.Dispatch(lead=r.choice(UNITS))  # noqa: E731
_MAKE: dict[type, Callable[[random.Random], c.Command]] = {
    c.Answer: lambda r: c.Answer(text="已答复"), c.HandOff: lambda r: c.HandOff(services=(Service.POLICE,)),
    c.Reject: lambda r: c.Reject(reason=r.choice(list(RejectReason))), c.Merge: lambda r: c.Merge(parent=1),
    c.AskInfo: lambda r: c.AskInfo(question="在哪里?"), c.SupplyInfo: lambda r: c.SupplyInfo(text="路口"),
    c.Dispatch: _DISPATCH, c.RequestReturn: lambda r: c.RequestReturn(legal_basis="条例", suggested="水务局"),
    c.RefuseReturn: lambda r: c.RefuseReturn(reason="应办"), c.Rule: lambda r: c.Rule(lead=r.choice(UNITS)),
    c.Reply: lambda r: c.Reply(internal="已办", public="已修复"), c.RejectReply: lambda r: c.RejectReply(reason="不详"),
    c.SettleFollowUp: lambda r: c.SettleFollowUp(
        rating=r.choice([None, *Rating]), solved=r.choice([None, False, *[True] * 8]), unreachable=r.random() < 0.2
    ),
    c.DisputeFollowUp: lambda r: c.DisputeFollowUp(
        rating=r.choice([None, Rating.DISSATISFIED]), solved=r.choice([None, False])
    ),
    c.Redispatch: lambda r: c.Redispatch(lead=r.choice([None, *UNITS])),
    c.PoliceReturn: lambda r: c.PoliceReturn(reason="非警务"), c.Reopen: lambda r: c.Reopen(reason="复发"),
}
_SIDE: list[Callable[[random.Random], c.Command]] = [
    lambda r: c.RecordContact(), lambda r: c.RecordArrival(), lambda r: c.Urge(), lambda r: c.Supervise(reason="超期"),
    lambda r: c.Rate(rating=r.choice(list(Rating)), solved=r.choice([None, True, False])),
    lambda r: c.Correct(kind=r.choice(list(Kind)), l1="09", l2=r.choice(["供水", "供电"])),
    lambda r: c.RequestExtension(days=1, reason="开挖"), lambda r: c.GrantExtension(),
    lambda r: c.AddNote(text="记"), lambda r: c.RecordContact(), lambda r: c.AddMessage(text="还没修好"),
    lambda r: c.AddMessage(text="请稍候", inbound=False),
]
_RARE: dict[type, float] = {
    c.Reject: 0.03, c.Merge: 0.03, c.Withdraw: 0.04, c.HandOff: 0.06, c.Answer: 0.15, c.Archive: 0.02, c.AskInfo: 0.2,
}
"""Ways out are taken seldom, so that lives get long."""
_ACTORS = [Actor(Role.AGENT, "a1"), Actor(Role.AGENT, "a2"), Actor(Role.SUPERVISOR, "s1"), Actor(Role.SYSTEM)]


def _triage(r: random.Random) -> Triage:
    return Triage(
        category=r.choice([None, Category(l1="03", l2="路灯"), Category(l1="09", l2="供水")]),
        kind=r.choice(list(Kind)), towns=r.choice([(), ("南城",), ("虎门",)]), title="路灯不亮",
        verdict=r.choices(list(Verdict), [1, 1, 8])[0], priority=r.choices([Priority.P1, Priority.P3], [1, 4])[0],
    )


def born(r: random.Random, now: datetime, sequence: int) -> Change:
    """Return a ticket just received."""
    channel = r.choice(list(Channel))
    first = receive(
        number=ticket_number("DG", now.date(), channel, sequence), channel=channel, appeal=Appeal(text="路灯不亮"),
        triage=_triage(r), now=now, policy=POLICY,
    )
    return Change(before=None, decisions=(first,))


def lived(r: random.Random, ticket: Ticket, now: datetime) -> Change | None:
    """Return what one more command leads to, None where the one that was thought of is refused."""
    ways = list(TRANSITIONS[ticket.state])
    if ways and r.random() < 0.7:
        way = r.choices(ways, [_RARE.get(way, 1.0) for way in ways])[0]
        command = _MAKE[way](r) if way in _MAKE else EXAMPLES[way]
    else:
        command = r.choice(_SIDE)(r)
    try:
        decision = decide(ticket, command, now=now, policy=POLICY, actor=r.choice(_ACTORS))
    except HotlineError:
        return None
    return Change(before=ticket, decisions=(decision,))


def pause(r: random.Random) -> timedelta:
    """Return how long nothing happens: minutes, hours or days."""
    return timedelta(minutes=r.choice([1, 7, 40, 200, 1500, 6000]) * r.random())


def life(seed: int, now: datetime, *, length: int = 40) -> list[TicketEvent]:
    """Return the events of one random life."""
    r = random.Random(seed)
    change = born(r, now, seed)
    events = [event for _, event in change.decisions]
    ticket = change.ticket
    for _ in range(length):
        now += pause(r)
        following = lived(r, ticket, now)
        if following is not None and ticket.state is not State.ARCHIVED:
            events += following.events
            ticket = following.ticket
    return events


async def write_new(connection: asyncpg.Connection, id_: int, change: Change) -> None:
    """Write a ticket with its events, as far as the figures look at them."""
    ticket = change.ticket
    await connection.execute(
        "INSERT INTO tickets (id, number, code, version, state, channel, kind, verdict, priority, created_at, "
        "updated_at, summary) OVERRIDING SYSTEM VALUE VALUES ($1, $2, '', 1, $3, $4, $5, $6, $7, $8, $8, '{}')",
        id_, ticket.number, ticket.state, ticket.channel, ticket.kind, ticket.verdict, ticket.priority,
        ticket.created_at,
    )
    await write_more(connection, id_, change)


async def write_more(connection: asyncpg.Connection, id_: int, change: Change) -> None:
    """Write what happened to a ticket."""
    await connection.executemany(
        "INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics) "
        "VALUES (event_position($1), $2, $3, $4, $5, $6, $7, '{}', '{}')",
        [(n, id_, event.version, event.at, event.type, f"{event.actor.role}:{event.actor.name}", to_json(event))
         for n, event in enumerate(change.events)],
    )
