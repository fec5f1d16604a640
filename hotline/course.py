"""How time ran for the present dispatch of a ticket, as its log tells: by this a correction counts its clocks anew,
and a merge what the citizen was promised before any dispatch.

Kept with the ticket and not with its clocks, so it is known of every ticket, whatever its events carry.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from hotline import commands as c
from hotline.events import TicketEvent


class Course(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has moved the clocks since the dispatch, or since the receipt where there was none.

    Attributes:
        received_at: of the last reopening, None where the receipt itself counts.
        sign_from: of the dispatch, or of the last return that was refused.
        pauses: each question to the citizen with its answer, since the dispatch, or since the receipt before that.
        extended: working days granted.
    """

    received_at: datetime | None = None
    dispatched_at: datetime | None = None
    sign_from: datetime | None = None
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    extended: int = 0


def followed(course: Course, event: TicketEvent, paused_at: datetime | None, extension_days: int) -> Course:
    """Return the course after an event; `paused_at` and `extension_days` are the ticket's before it."""
    match event.fact:
        case c.Dispatch() | c.Rule() | c.Redispatch():
            return Course(dispatched_at=event.at, sign_from=event.at)
        case c.Reopen():
            return Course(received_at=event.at)
        case c.RefuseReturn():
            return msgspec.structs.replace(course, sign_from=event.at)
        case c.SupplyInfo() | c.Resume() if paused_at is not None:
            return msgspec.structs.replace(course, pauses=(*course.pauses, (paused_at, event.at)))
        case c.Adopt() if paused_at is not None and event.clocks is not None and event.clocks.paused_at == event.at:
            return msgspec.structs.replace(course, pauses=(*course.pauses, (paused_at, event.at)))  # and it goes on
        case c.GrantExtension():
            return msgspec.structs.replace(course, extended=extension_days)
        case _:
            return course


MOVES = frozenset({
    c.Dispatch, c.Rule, c.Redispatch, c.Reopen, c.RefuseReturn, c.SupplyInfo, c.Resume, c.Adopt, c.GrantExtension,
})
"""Facts that `followed` looks at; all others are passed by."""
