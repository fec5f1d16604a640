"""The port to the PBX. No implementation yet: Asterisk through ARI is an issue of its own; this is its contract.

    citizen ─ SIP ─► PBX ──events──► CallEvents (ours)      CallControl (the PBX) ◄──commands── console

A call is known by the PBX's id for as long as it lasts. Events may arrive twice or late; each carries the call's id
and its time, so that telling one again changes nothing. Numbers are as the PBX gives them; `channels.phone_number`
makes them E.164.
"""

from __future__ import annotations

from datetime import datetime
from typing import NewType, Protocol

import msgspec

from hotline.ids import StaffName
from hotline.terms import Service

CallId = NewType("CallId", str)


class CallOffered(msgspec.Struct, frozen=True, kw_only=True, tag="offered"):
    """A call came in and asks for an agent. `skill` is the group chosen in the menu, "" for any."""

    call: CallId
    at: datetime
    caller: str
    called: str
    skill: str = ""


class CallAnswered(msgspec.Struct, frozen=True, kw_only=True, tag="answered"):
    """An agent's phone was picked up."""

    call: CallId
    at: datetime
    agent: StaffName


class CallEnded(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """The call is over. Without an agent it was missed (漏接) and must be called back; `recording` names the file."""

    call: CallId
    at: datetime
    agent: StaffName | None = None
    recording: str = ""


CallEvent = CallOffered | CallAnswered | CallEnded


class CallEvents(Protocol):
    """What the PBX adapter tells the core."""

    async def happened(self, event: CallEvent) -> None:
        """Note an event, after it is durable; a repeat changes nothing."""
        ...


class CallControl(Protocol):
    """What the core asks of the PBX. Each raises `hotline.errors.Unavailable` when it does not answer."""

    async def connect(self, call: CallId, agent: StaffName) -> None:
        """Ring an agent for a waiting call; raises IllegalTransition when the call is gone or has an agent."""
        ...

    async def transfer(self, call: CallId, service: Service) -> None:
        """一键转接: connect the citizen to an emergency service, the agent staying until it answers."""
        ...

    async def conference(self, call: CallId, service: Service) -> None:
        """三方通话: citizen, agent and service in one call."""
        ...

    async def call_back(self, number: str, agent: StaffName, *, key: str) -> CallId:
        """Ring the agent, then the citizen (回拨); `key` makes a repeat the same call."""
        ...

    async def hang_up(self, call: CallId) -> None:
        """End a call; nothing happens when it is over."""
        ...
