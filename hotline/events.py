"""What happened to a ticket: append-only facts, the truth from which tickets and all views are rebuilt.

An event is an accepted command (or the first receipt) with its time, its actor, and what it led to: the state after
it and, where they changed, the clocks. As the outcome is recorded, old events replay right after rules have changed.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from hotline.appeal import Appeal, Triage
from hotline.clocks import Clocks
from hotline.commands import Command, tag_of
from hotline.extension import Extension
from hotline.ids import TicketNumber
from hotline.terms import Channel, State


class Role(StrEnum):
    """Who may act on a ticket."""

    CITIZEN = "citizen"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    DEPARTMENT = "department"
    POLICE = "police"
    SYSTEM = "system"


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody who acts: a role, and the name of the person or unit."""

    role: Role
    name: str = ""


SYSTEM = Actor(Role.SYSTEM)


class Receive(msgspec.Struct, frozen=True, kw_only=True, tag="receive", omit_defaults=True):
    """The first fact of every ticket: an appeal came in and was triaged."""

    number: TicketNumber
    channel: Channel
    appeal: Appeal
    triage: Triage


Fact = Receive | Command


class TicketEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One numbered fact of one ticket. `version` counts from 1 without gaps."""

    version: int
    at: datetime
    actor: Actor
    fact: Fact
    state: State
    clocks: Clocks | None = None
    extension: Extension | None = None

    @property
    def type(self) -> str:
        """The fact's tag: `receive`, `dispatch`, `sign`, …"""
        return tag_of(type(self.fact))
