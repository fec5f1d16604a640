"""催办 by citizens: once in 24 hours for a matter, while it is open. Staff urge as often as they see fit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hotline import commands as c
from hotline.errors import IllegalTransition, RateLimited
from hotline.events import Role, TicketEvent
from hotline.lifecycle import OPEN_STATES
from hotline.ticket import Ticket

APART = timedelta(hours=24)


def urgeable_from(events: Sequence[TicketEvent], now: datetime) -> datetime | None:
    """Return when citizens may urge again, None for at once."""
    urges = (event.at for event in events if type(event.fact) is c.Urge and event.actor.role is Role.CITIZEN)
    again = max((at + APART for at in urges), default=now)
    return again if again > now else None


def check_urge(ticket: Ticket, known: Sequence[TicketEvent], now: datetime) -> None:
    """Raise IllegalTransition for a matter that is over, RateLimited for one that was urged less than a day ago.

    `known` are the ticket's events as they were read before it was locked: an urge that came in between counts too.
    """
    if ticket.state not in OPEN_STATES:
        raise IllegalTransition(f"ticket {ticket.number} is finished: there is nothing to urge")
    again = urgeable_from(known, now)
    if again is None and ticket.urges > sum(type(event.fact) is c.Urge for event in known):
        again = now + APART
    if again is not None:
        moment = again.isoformat(timespec="minutes")
        raise RateLimited(
            f"ticket {ticket.number} was urged already; it may be urged again from {moment}",
            retry_after=int((again - now).total_seconds()) + 1, field="urge",
        )
