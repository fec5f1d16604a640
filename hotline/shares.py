"""The lines on which a ticket's contribution to the figures stands, and what is counted on them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from hotline.deadlines import ZONE
from hotline.metrics import Metric, Volume
from hotline.ticket import Ticket

NO_HOUR = -1


class Key(NamedTuple):
    """A line of the rollup. `grain` day has matters and department, hour only the hour, agent only the agent."""

    grain: str
    day: date
    hour: int = NO_HOUR
    agent: str = ""
    department: str = ""
    town: str = ""
    channel: str = ""
    l1: str = ""
    l2: str = ""
    kind: str = ""


class Standing(NamedTuple):
    """Where a ticket stands now; `late`: its clock that expires next has run out."""

    state: str
    department: str
    town: str
    late: bool


class Share(NamedTuple):
    """What a ticket contributes. `watch`: when that next changes by time alone."""

    counts: Counter[tuple[Key, str]]
    standing: Standing
    watch: datetime | None


class Fact(NamedTuple):
    """One thing counted: for a metric numerator and denominator, for a volume the number."""

    column: Metric | Volume
    at: datetime
    num: int
    den: int = 1
    department: str = ""
    agent: str = ""


def columns_of(fact: Fact, excluded: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield columns with what a fact adds to them; of an excluded metric only how much is left out."""
    if isinstance(fact.column, Volume):
        yield fact.column.value, fact.num
    elif fact.column in excluded:
        yield f"{fact.column}_out", fact.den
    else:
        yield f"{fact.column}_den", fact.den
        if fact.num:
            yield f"{fact.column}_num", int(fact.num)


def keys_of(fact: Fact, ticket: Ticket) -> Iterator[Key]:
    """Yield the lines on which a fact counts: its day's, its hour's, its agent's."""
    local = fact.at.astimezone(ZONE)
    l1, l2 = (ticket.category.l1, ticket.category.l2) if ticket.category else ("", "")
    yield Key(
        "day", local.date(), department=fact.department, town=ticket.town, channel=ticket.channel.value, l1=l1, l2=l2,
        kind=ticket.kind.value,
    )
    yield Key("hour", local.date(), hour=local.hour)
    if fact.agent:
        yield Key("agent", local.date(), agent=fact.agent)
