"""Tickets as pure values, for rules that need no database: received, and after some commands."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.decide import decide, receive
from hotline.events import Actor, Role
from hotline.ids import TicketNumber
from hotline.policy import Policy
from hotline.terms import Channel
from hotline.ticket import Ticket
from tests.cities import NOW, POLICY, STREET_LIGHT

CHILD, PARENT = TicketNumber("DG20261120300000023"), TicketNumber("DG20261120300000015")
AGENT = Actor(Role.AGENT, "li")


def ticket(
    number: TicketNumber, *commands: c.Command, hours: int = 0, policy: Policy = POLICY, **changes: object
) -> Ticket:
    """A ticket received so many hours after NOW, after some commands, with changes."""
    now = NOW + timedelta(hours=hours)
    appeal = Appeal(text="路灯不亮", citizen=Citizen(name="王小明", phone="+8613812345678"))
    found = receive(
        number=number, channel=Channel.WEB, appeal=appeal, triage=STREET_LIGHT, now=now, policy=policy,
    ).ticket
    for command in commands:
        found = decide(found, command, now=now, policy=policy).ticket
    return msgspec.structs.replace(found, **changes)
