"""A citizen's data: what is handed out to them, what may be erased, and what a hold or the law keeps. Pure.

个人信息保护法: 45条 (copy), 47条 (erasure, where the purpose is reached and no law keeps it longer).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from hotline.lifecycle import OPEN_STATES
from hotline.terms import State

_POLICE_DONE = frozenset({"", "refused", "returned", "closed"})


class Keeps(StrEnum):
    """Why a ticket keeps its identity."""

    OPEN = "open"
    HOLD = "hold"
    POLICE = "police"
    NUISANCE = "nuisance"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What decides: the ticket's state (of a merged one its parent's), holds and marks, and where its hand-off to 110
    stands, "" without one."""

    state: str
    held: bool
    marked: bool
    incident: str


def why_kept(ticket: Standing) -> Keeps | None:
    """Return why the identity of a ticket must stay, None where it may be erased."""
    if ticket.held:
        return Keeps.HOLD
    if State(ticket.state) in OPEN_STATES:
        return Keeps.OPEN
    if ticket.incident not in _POLICE_DONE:
        return Keeps.POLICE
    return Keeps.NUISANCE if ticket.marked else None


class KeptTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that was left, and why."""

    number: str
    why: Keeps


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did."""

    erased: tuple[str, ...]
    kept: tuple[KeptTicket, ...]
    calls: int
    callbacks: int


class PersonTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of a citizen with all that happened to it."""

    number: str
    state: str
    created_at: datetime
    events: tuple[dict[str, Any], ...]


class PersonCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a citizen, with what was heard in it."""

    started_at: datetime
    ended_at: datetime | None
    recorded: bool
    words: tuple[str, ...]


class PersonFile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept under a phone. `looked_up` counts who has looked it up, by role:name."""

    phone: str
    made_at: datetime
    tickets: tuple[PersonTicket, ...]
    calls: tuple[PersonCall, ...]
    callbacks: tuple[dict[str, Any], ...]
    marks: tuple[dict[str, Any], ...]
    looked_up: dict[str, int]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """法律保全. `number` is the ticket's, "" for all of a citizen."""

    id: int
    number: str
    reason: str
    held_by: str
    held_at: datetime
    lifted_by: str = ""
    lifted_at: datetime | None = None
    lift_reason: str = ""
