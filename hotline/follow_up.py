"""回访: how a citizen is asked what became of it, when the tries are made, and what the answer leads to. Pure.

Within two working days of the accepted reply there are tries in different periods of the day: a link on the channel
they used if it can be written to, calls where there is a telephone. After the last one an SMS with a link waits;
then the citizen counts as unreachable and is left out of every denominator (domain.md sections 4 to 6).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from hotline import commands as c
from hotline.clocks import Clocks
from hotline.deadlines import ZONE, WorkCalendar, due_at
from hotline.particulars import appeal_after
from hotline.policy import FollowUpRules, Policy
from hotline.terms import Channel, Rating, State, TryResult, Way
from hotline.ticket import Ticket

SATISFIED = frozenset({Rating.VERY_SATISFIED, Rating.SATISFIED, Rating.FAIRLY_SATISFIED})
FINAL = frozenset({TryResult.WRONG_NUMBER, TryResult.REFUSED})
"""Results after which no further call makes sense."""
_LONGEST_SEARCH = 60
_WRITTEN = {Channel.WECHAT: Way.WECHAT, Channel.APP: Way.APP, Channel.WEB: Way.WEB}


def written_way(ticket: Ticket) -> Way | None:
    """Return how the citizen is written to on the channel they used, None where that is not possible."""
    citizen = ticket.appeal.citizen
    by_phone_only = ticket.channel is Channel.WEB and citizen.key in ("", citizen.phone)
    if by_phone_only or (ticket.channel is Channel.WECHAT and not citizen.key):
        return None
    return _WRITTEN.get(ticket.channel)


def ways(ticket: Ticket) -> tuple[Way, ...]:
    """Return how the citizen can be asked, in the order of the tries; empty for nobody who left a trace.

    Who came through another city's hotline is asked by that one, which tells us what they said.
    """
    if ticket.channel is Channel.CITY:
        return ()
    written = written_way(ticket)
    phone = (Way.PHONE,) if ticket.appeal.citizen.phone else ()
    return ((written,) if written is not None else ()) + phone


def next_way(ticket: Ticket) -> Way | None:
    """Return how the next try is made: a link first, then calls, the link again for who left no number."""
    possible = ways(ticket)
    return possible[min(len(ticket.clocks.tried), len(possible) - 1)] if possible else None


def period_at(moment: datetime, rules: FollowUpRules) -> int | None:
    """Return the index of the period of the day at a moment, None outside of all."""
    local = moment.astimezone(ZONE).time()
    return next((index for index, (opens, closes) in enumerate(rules.periods) if opens <= local < closes), None)


def next_try(now: datetime, tried: tuple[int, ...], rules: FollowUpRules, calendar: WorkCalendar) -> datetime | None:
    """Return when the next try is to be made: the first untried period from now on, on a working day.

    None when every period was tried. Raises ValueError for a calendar without working days.
    """
    left = [period for index, period in enumerate(rules.periods) if index not in tried]
    if not left:
        return None
    local = now.astimezone(ZONE)
    for ahead in range(_LONGEST_SEARCH):
        day = local.date() + timedelta(days=ahead)
        if not calendar.is_working_day(day):
            continue
        for opens, closes in left:
            if datetime.combine(day, closes, ZONE) > local:
                return max(local, datetime.combine(day, opens, ZONE))
    raise ValueError(f"the calendar has no working day within {_LONGEST_SEARCH} days")


def planned(clocks: Clocks, now: datetime, policy: Policy, *, reachable: bool) -> dict[str, object]:
    """Return the changes of the clocks when a reply is accepted: when the follow-up is due, and its first try."""
    due = due_at(now, policy.follow_up, policy.calendar)
    if not reachable:
        return {"follow_up_due": due, "follow_up_next": None, "tried": (), "wait_until": due}
    first = next_try(now, (), policy.follow_up_rules, policy.calendar)
    return {"follow_up_due": due, "follow_up_next": first, "tried": (), "wait_until": None}


def learnt(ticket: Ticket, told: c.Correct, clocks: Clocks, now: datetime, policy: Policy) -> Clocks:
    """Return the clocks once it is known how to ask somebody who had left no trace: the tries begin, due as before."""
    known = msgspec.structs.replace(ticket, appeal=appeal_after(ticket.appeal, told, ticket.channel))
    if ticket.state is not State.PENDING_FOLLOW_UP or ways(ticket) or not ways(known):
        return clocks
    first = next_try(now, (), policy.follow_up_rules, policy.calendar)
    return msgspec.structs.replace(clocks, follow_up_next=first, wait_until=None)


def tried(clocks: Clocks, result: TryResult, now: datetime, policy: Policy) -> dict[str, object]:
    """Return the changes of the clocks after a try that brought no answer.

    A period of the day counts once. After the last one the final link waits; then time itself settles the follow-up.
    """
    rules = policy.follow_up_rules
    period = period_at(now, rules)
    done = clocks.tried if period is None or period in clocks.tried else (*clocks.tried, period)
    if result in FINAL:
        done = tuple(range(len(rules.periods)))
    after = next_try(_after_period(now, period, rules), done, rules, policy.calendar)
    if after is not None:
        return {"tried": done, "follow_up_next": after}
    wait = clocks.wait_until or due_at(now, rules.link, policy.calendar)
    return {"tried": done, "follow_up_next": None, "wait_until": wait}


def _after_period(now: datetime, period: int | None, rules: FollowUpRules) -> datetime:
    """A second try in the same period would count for nothing: plan from its end on."""
    if period is None:
        return now
    local = now.astimezone(ZONE)
    return datetime.combine(local.date(), rules.periods[period][1], ZONE)


def is_over(ticket: Ticket) -> bool:
    """Tell whether the last link waits, as every try was made, or none is possible: they may count as unreachable.

    The clocks say it, not the city's periods of today: a wait ends by those that it began with.
    """
    return not ways(ticket) or ticket.clocks.wait_until is not None


def settles(rating: Rating | None, solved: bool | None) -> bool:
    """Tell whether an answer closes the ticket: satisfied or solved (domain.md section 4)."""
    return solved is True or rating in SATISFIED


def answer(
    ticket: Ticket, rating: Rating | None, solved: bool | None, note: str, way: Way, policy: Policy
) -> c.SettleFollowUp | c.DisputeFollowUp:
    """Return the command that the citizen's answer leads to; after the last redo a bad answer closes the ticket too."""
    if settles(rating, solved) or ticket.redos >= policy.follow_up_rules.max_redos:
        return c.SettleFollowUp(rating=rating, solved=solved, note=note, way=way)
    return c.DisputeFollowUp(rating=rating, solved=solved, note=note, way=way)
