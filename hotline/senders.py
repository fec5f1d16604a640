"""Senders (`hotline.ports.Sender`) of the channels that need little: a chat's line, an outcome to 110."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from channels import chat
from channels.message import Outbound
from channels.police_codec import Outcome, incident_of, key_of
from channels.port import ChannelPort
from hotline.errors import RuleViolation
from hotline.ids import TicketId
from hotline.ports import Clock, Stored
from routing.police110 import PoliceDesk


class ChatSender:
    """Says it in the citizen's chat, durably; a repeat of the key is one line."""

    def __init__(self, port: ChannelPort) -> None:
        self._port = port

    async def send(self, message: Outbound) -> None:
        """Write the line."""
        await chat.send(self._port, message)


class OutcomeSender:
    """Reports to 110 what became of a transfer. `read` finds the ticket, `read_id` the one into which it is merged."""

    def __init__(
        self, desk: PoliceDesk, *, read: Callable[[str], Awaitable[Stored]],
        read_id: Callable[[TicketId], Awaitable[Stored]], clock: Clock,
    ) -> None:
        self._desk, self._read, self._read_id, self._clock = desk, read, read_id, clock

    async def send(self, message: Outbound) -> None:
        """Post the outcome; the desk makes one of all posts with the same key. Raises Unavailable."""
        if message.number is None:
            raise RuleViolation("an outcome belongs to a ticket")
        ticket = (await self._read(message.number)).ticket
        matter = ticket if ticket.parent is None else (await self._read_id(ticket.parent)).ticket
        outcome = Outcome(
            incident=incident_of(message.to), number=ticket.number, status=matter.state, department=matter.lead,
            outcome=message.text, at=_second(self._clock()), key=key_of(message.to),
        )
        await self._desk.report_outcome(message.key, msgspec.to_builtins(outcome))


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
