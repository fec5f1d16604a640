"""What consoles ask of calls. Pure words."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CallAct(StrEnum):
    """What a console may ask of a call."""

    HOLD = "hold"
    RESUME = "resume"
    CONSULT = "consult"
    CONFERENCE = "conference"
    TRANSFER = "transfer"
    DROP_PARTY = "drop_party"
    LEAVE = "leave"
    HANG_UP = "hang_up"
    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"
    MOVE = "move"
    DIAL = "dial"


class CallOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a console asks.

    Attributes:
        to: an agent's name, a skill group (`queue:NAME`), 110/119/120/122, or a number; "" where nobody is to be rung.
        callback, ticket: what a call that is dialled is about.
    """

    call: str
    act: CallAct
    to: str = ""
    supervisor: bool = False
    callback: int = 0
    ticket: str = ""


class Asked(msgspec.Struct, frozen=True):
    """An order that waits, and who gave it."""

    id: int
    staff: str
    order: CallOrder
