"""A telephone call as a frozen value: its legs, its phase, what happens to it and what is to be done. Pure words only.

The rules are in `routing.callflow`; `channels.ari_codec` translates them to and from the PBX. A call is known by the
channel of the citizen. Every channel that we make is named after the call, its role and who is rung, so that a process
that has lost its memory reads the calls back from the PBX.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from routing.call_actions import Debt

OUTSIDE = "outside:"
"""Before the number of an endpoint that is reached through the trunk."""


class Role(StrEnum):
    """Who speaks on a leg."""

    CITIZEN = "citizen"
    AGENT = "agent"
    PARTY = "party"
    """Somebody the agent brought in: a colleague, an outside line, the 110 desk."""
    SUPERVISOR = "supervisor"


class Phase(StrEnum):
    """Where a call stands."""

    GREETING = "greeting"
    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    OVER = "over"


WAITS = frozenset({Phase.WAITING, Phase.RINGING})
"""Phases in which a citizen waits for an agent; of a call that we place, before anybody is reached too."""


class Direction(StrEnum):
    """Who called whom."""

    IN = "in"
    OUT = "out"


class Ear(StrEnum):
    """How a supervisor takes part (班长): hears both, is heard by the agent too, or by everybody."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One party.

    Attributes:
        name: the agent's, or the number. since: when it was dialled. away: held out of the talk.
        claimed: the presence (with its reason after a space) to which a colleague who was brought in goes back once
            they take part no more; the queue gives them nothing meanwhile. "" for everybody else.
        again: an emergency desk that is rung once more, as it did not pick up.
    """

    channel: str
    role: Role
    name: str = ""
    up: bool = False
    away: bool = False
    since: datetime
    ear: Ear | None = None
    claimed: str = ""
    again: bool = False

    @property
    def snoop(self) -> str:
        """The channel by which a supervisor hears; another one for each way, as the old one may still be going."""
        return f"{self.channel}~{self.ear}~ear"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call from its entry to its end.

    Attributes:
        queue: where it waits. arrived: kept when nobody answers, so that the place is kept.
        agent: who has it. transferring: the agent leaves as soon as the party answers.
        held_since: the citizen hears music since then; held: seconds of that so far.
        place_kept: the caller pressed the key, hung up, and is to be rung back in their turn.
        menu: keys that choose a language, while there is still a choice; menu_since: it has been told to its end.
        head_start: see `routing.queueing.Caller`.
        callback, ticket: the entry of the ledger and the ticket that a call of ours is about.
        full: there was no room in the queue, which is being told. playing: what the citizen hears instead of music.
        requeued_at: handed to a skill group then, after a talk.
        debt: what is to be noted of a call that is over, until that is done.
        unanswered: emergency desks that did not pick up, each as often as it was rung.
    """

    id: str
    caller: str
    called: str
    queue: str
    arrived: datetime
    phase: Phase = Phase.GREETING
    legs: tuple[Leg, ...] = ()
    agent: str = ""
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    held_since: datetime | None = None
    held: float = 0.0
    transferring: bool = False
    place_kept: bool = False
    number: int = 0
    direction: Direction = Direction.IN
    menu: Mapping[str, str] = msgspec.field(default_factory=dict)
    menu_since: datetime | None = None
    language: str = ""
    head_start: float = 0.0
    callback: int = 0
    ticket: str = ""
    full: bool = False
    playing: str = ""
    debt: Debt | None = None
    requeued_at: datetime | None = None
    unanswered: tuple[str, ...] = ()

    def leg(self, channel: str) -> Leg | None:
        """Return the leg on a channel."""
        return next((leg for leg in self.legs if leg.channel == channel), None)

    def of(self, role: Role) -> Leg | None:
        """Return the first leg of a role."""
        return next((leg for leg in self.legs if leg.role is role), None)

    @property
    def waits_since(self) -> datetime | None:
        """Since when a citizen waits for an agent, again after a talk; None for one who does not."""
        return self.requeued_at or self.asked_at if self.phase in WAITS else None

    @property
    def placing(self) -> bool:
        """A call of ours whose citizen has not been reached yet: nobody waits."""
        return self.direction is Direction.OUT and self.answered_at is None

    @property
    def hearer(self) -> str:
        """The channel of the citizen, to whom announcements and music are played; one whom we rang has one of ours."""
        citizen = self.of(Role.CITIZEN)
        return citizen.channel if citizen is not None else self.id

    @property
    def colleague(self) -> str:
        """Who is brought in by the agent and claimed for it, "" for nobody: an outside line is no colleague."""
        party = self.of(Role.PARTY)
        return party.name if party is not None and party.claimed else ""

    @property
    def bridge(self) -> str:
        """The name of the bridge in which the call talks."""
        return f"bridge~{self.id}"
