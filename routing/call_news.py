"""What consoles learn of calls: the screen-pop, each change of an agent's call, the transcript, and the floor. Pure.

Personal data is masked by whoever makes these values (`agent_ui.masking`); a full view is asked for with a reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from routing.calls import Call, Direction, Ear, Leg, Phase, Role

SummaryJson = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/Summary"})]


class CallSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Whose call it is, who has talked in it, and whom its agent brings in, for the checks of who may see it."""

    id: str
    caller: str
    agent: str
    had: tuple[str, ...] = ()
    colleague: str = ""


class EarlierCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call of the same number: with whom, whether answered, and the ticket that came of it."""

    at: datetime
    agent: str = ""
    answered: bool = False
    number: str = ""


class CallCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who calls (来电弹屏): name and phone masked unless asked for in full, open tickets, earlier tickets and calls.

    `marked`: why the contact is contained as a nuisance; "" for everybody else.
    """

    phone: str = ""
    name: str = ""
    marked: str = ""
    masked: bool = True
    open: tuple[SummaryJson, ...] = ()
    history: tuple[SummaryJson, ...] = ()
    earlier: tuple[EarlierCall, ...] = ()


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One leg; `name` of agents, desks and supervisors, never a citizen's number; `ear`: how a supervisor hears."""

    role: Role
    name: str = ""
    up: bool = False
    away: bool = False
    ear: Ear | None = None


class CallNews(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an agent's call stands. `card` comes with the ringing; `alarm` names what the recogniser heard in danger.

    `colleague`: this is told to somebody whom `agent` asks to help with their call, until it is `over` for them (or
    theirs). `transferring`: the agent leaves as soon as who is rung answers. `unanswered`: emergency desks that did not
    pick up, each as often as it was rung (twice by itself).
    """

    call: str
    phase: Phase
    actor: str = "system:"
    agent: str = ""
    colleague: str = ""
    queue: str = ""
    direction: Direction = Direction.IN
    language: str = ""
    arrived: datetime
    answered_at: datetime | None = None
    parties: tuple[Party, ...] = ()
    transferring: bool = False
    held_since: datetime | None = None
    callback: int = 0
    number: str = ""
    alarm: str = ""
    unanswered: tuple[str, ...] = ()
    card: CallCard | None = None


class Suggestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What triage makes of the words so far."""

    title: str = ""
    l1: str = ""
    l2: str = ""
    kind: str = ""
    verdict: str = ""
    services: tuple[str, ...] = ()
    department: str = ""
    towns: tuple[str, ...] = ()


class CallWords(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was heard: sentence `n` of the call, and by whom. While not `final`, the next with its `n` replaces it."""

    call: str
    n: int
    side: Role
    text: str
    final: bool = True
    actor: str = "system:"
    suggestion: Suggestion | None = None


class CallRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call of the floor; `caller` masked; `unanswered` as in the news of a call."""

    call: str
    caller: str
    phase: Phase
    queue: str
    agent: str = ""
    direction: Direction = Direction.IN
    arrived: datetime
    answered_at: datetime | None = None
    held: bool = False
    parties: tuple[Party, ...] = ()
    alarm: str = ""
    unanswered: tuple[str, ...] = ()


class AgentRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An agent who has a telephone and is not offline."""

    staff: str
    state: str
    reason: str = ""
    since: datetime
    skills: dict[str, int]


class QueueRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A queue: who waits and since when, and how many who know its skills are free or there."""

    queue: str
    title: str = ""
    waiting: int = 0
    oldest: datetime | None = None
    talking: int = 0
    available: int = 0
    present: int = 0


class CallFloor(msgspec.Struct, frozen=True, kw_only=True):
    """The telephone at this moment (话务现场)."""

    at: datetime
    queues: tuple[QueueRow, ...]
    calls: tuple[CallRow, ...]
    agents: tuple[AgentRow, ...]


def party_of(leg: Leg) -> Party:
    """Return a leg as consoles see it."""
    name = "" if leg.role is Role.CITIZEN else leg.name
    return Party(role=leg.role, name=name, up=leg.up, away=leg.away, ear=leg.ear)


def news_of(call: Call, *, card: CallCard | None = None, colleague: str = "") -> CallNews:
    """Return how a call stands, as its agent – or a `colleague` – is told: supervisors once all hear them."""
    told = [leg for leg in call.legs if leg.ear in (None, Ear.BARGE)]
    return CallNews(
        call=call.id, phase=call.phase, agent=call.agent, colleague=colleague, queue=call.queue,
        direction=call.direction, language=call.language, arrived=call.arrived, answered_at=call.answered_at,
        parties=tuple(party_of(leg) for leg in told), transferring=call.transferring, held_since=call.held_since,
        callback=call.callback, number=call.ticket, unanswered=call.unanswered, card=card,
    )


def row_of(call: Call, *, caller: str, alarm: str = "") -> CallRow:
    """Return a call's row of the floor."""
    return CallRow(
        call=call.id, caller=caller, phase=call.phase, queue=call.queue, agent=call.agent, direction=call.direction,
        arrived=call.arrived, answered_at=call.answered_at, held=call.held_since is not None,
        parties=tuple(party_of(leg) for leg in call.legs), alarm=alarm, unanswered=call.unanswered,
    )
