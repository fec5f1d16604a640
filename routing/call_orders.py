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


class CallOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a console asks. `to`: an agent's name, 110/119/120/122, or a number; "" where nobody is to be rung."""

    call: str
    act: CallAct
    to: str = ""
    supervisor: bool = False


class Asked(msgspec.Struct, frozen=True):
    """An order that waits, and who gave it."""

    id: int
    staff: str
    order: CallOrder
