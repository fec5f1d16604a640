"""How soon a person answers in a conversation, on WeChat or in a chat (GB/T 33358-2016: 3 minutes). Pure.

The clock starts with what the citizen says while the centre has their ticket, runs day and night, and ends with a word
of the staff, or when the ticket leaves those who would answer. What else the citizen says meanwhile starts none anew.
Whether it ended in time, and by a person, is what the figures ask (`hotline.tally`): a receipt by machine is no answer.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from hotline import commands as c
from hotline.appeal import Appeal
from hotline.clocks import Clocks
from hotline.deadlines import due_at, share_of
from hotline.policy import Policy
from hotline.terms import Channel, State

WITH_THE_CENTRE = frozenset({State.RECEIVED, State.PENDING_DISPATCH})
"""States in which somebody of the centre is to answer; what is said later is read by who handles the matter."""


def is_chat(appeal: Appeal) -> bool:
    """Tell whether the citizen sits in a chat: what is said to them is read at once."""
    return appeal.citizen.key.startswith("chat:")


def talks(channel: Channel, appeal: Appeal) -> bool:
    """Tell whether a ticket is a conversation that waits for answers."""
    return channel is Channel.WECHAT or is_chat(appeal)


def asked(clocks: Clocks, now: datetime, policy: Policy) -> Clocks:
    """Start the clock with what the citizen says; one that runs goes on."""
    if policy.chat_answer is None or clocks.chat_due is not None:
        return clocks
    due = due_at(now, policy.chat_answer, policy.calendar)
    yellow = share_of(now, due, policy.yellow_percent, None)
    return msgspec.structs.replace(clocks, chat_due=due, chat_yellow=yellow)


def asked_or_answered(command: c.Command, clocks: Clocks, state: State, now: datetime, policy: Policy) -> Clocks:
    """Return the clocks of a conversation after a command that leads to `state`."""
    match command:
        case _ if state not in WITH_THE_CENTRE:
            return _ended(clocks)
        case c.AddMessage(inbound=False):
            return _ended(clocks)
        case c.AddMessage() | c.SupplyInfo():
            return asked(clocks, now, policy)
        case _:
            return clocks


def _ended(clocks: Clocks) -> Clocks:
    return clocks if clocks.chat_due is None else msgspec.structs.replace(clocks, chat_due=None, chat_yellow=None)
