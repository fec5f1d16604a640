"""What one ticket contributes to the figures: a pure function of its events, its exclusions and the time.

A ticket adds ones (and seconds) to columns of `hotline.metrics.COLUMNS` under keys (day, hour, people and matters); the
rollup is the sum over all tickets. As it is a function, whatever happens – an event, a clock that runs out, an
exclusion, a correction of the category – moves the figures by the difference between after and before.

Town, channel, category and kind are the ticket's of today, so that a corrected ticket stands on one line in every
figure; the department is whose clock it was, the agent who acted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from hotline import commands as c
from hotline.events import Receive, Role, TicketEvent
from hotline.lifecycle import OPEN_STATES
from hotline.metrics import Metric, Volume
from hotline.rounds import Round, clock_facts, round_facts
from hotline.shares import Fact, Key, Share, Standing, columns_of, keys_of
from hotline.summary import next_due
from hotline.terms import Rating, State, Verdict
from hotline.ticket import Ticket, evolve

_SATISFIED = frozenset({Rating.VERY_SATISFIED, Rating.SATISFIED, Rating.FAIRLY_SATISFIED})
_AWAY = frozenset({
    State.WITHDRAWN, State.MERGED, State.REJECTED, State.HANDED_OFF, State.RECEIVED, State.PENDING_DISPATCH,
})
"""States in which no department has the ticket: reaching one ends the round."""
_VOLUMES: dict[type, Volume] = {
    c.Dispatch: Volume.DISPATCHED, c.Answer: Volume.ANSWERED, c.HandOff: Volume.HANDED_OFF, c.Reject: Volume.REJECTED,
    c.Withdraw: Volume.WITHDRAWN, c.Merge: Volume.MERGED, c.Urge: Volume.URGED, c.Supervise: Volume.SUPERVISED,
    c.GrantExtension: Volume.EXTENDED,
}


class Tally:
    """Follows one ticket: `apply` its events in order, then ask for its `share`."""

    def __init__(self) -> None:
        self.ticket: Ticket | None = None
        self._rounds: list[Round] = []
        self._facts: list[Fact] = []
        self._followed: list[Fact] = []
        self._ratings: dict[int, Fact] = {}
        self._closing: list[Fact] = []
        self._settled = False
        self._misdirected = self._redirected = False
        self._cycle = 0

    def apply(self, event: TicketEvent) -> None:
        """Take the next event in. Raises ValueError where events do not follow one another."""
        before = self.ticket
        self._follow_chat(before, event)
        self.ticket = ticket = evolve(before, event)
        department = ticket.lead or (before.lead if before is not None else "")
        seen = _Seen(event.fact, event.at, department, _agent_of(event), ticket)
        if (volume := _VOLUMES.get(type(event.fact))) is not None:
            self._facts.append(Fact(volume, seen.at, 1, 0, department, seen.agent))
        if (step := _STEPS.get(type(event.fact))) is not None:
            step(self, seen)
        self._follow_round(ticket, seen.at)
        if ticket.state is State.CLOSED and (before is None or before.state is not State.CLOSED):
            self._close(seen)

    def share(self, as_of: datetime, excluded: Iterable[str] = ()) -> Share:
        """Return what the ticket contributes when it is `as_of`, without the metrics in `excluded`."""
        ticket = self.ticket
        if ticket is None:
            raise ValueError("a ticket has at least one event")
        counts: Counter[tuple[Key, str]] = Counter()
        left_out = frozenset(excluded)
        for fact in self._all_facts(as_of):
            for column, n in columns_of(fact, left_out):
                for key in keys_of(fact, ticket):
                    counts[key, column] += n
        dues = [due for r in self._rounds for due in r.undecided(as_of)]
        dues += [ticket.clocks.chat_due] if ticket.clocks.chat_due is not None else []
        due = next_due(ticket) if ticket.state in OPEN_STATES else None
        standing = Standing(ticket.state.value, ticket.lead, ticket.town, due is not None and due < as_of)
        watch = min((one for one in (*dues, due) if one is not None and one >= as_of), default=None)
        return Share(counts, standing, watch)

    def _all_facts(self, as_of: datetime) -> Iterator[Fact]:
        yield from self._facts
        chat_due = self.ticket.clocks.chat_due if self.ticket is not None else None
        if chat_due is not None and chat_due < as_of:
            yield Fact(Metric.CHAT_ANSWERED, chat_due, 0)
        yield from self._followed
        yield from self._ratings.values()
        yield from self._closing
        for r in self._rounds:
            for metric, at, num in (*round_facts(r), *clock_facts(r, as_of)):
                yield Fact(metric, at, num, 1, r.department, r.agent if metric is Metric.RETURNED else "")
        first = next((r for r in self._rounds if r.dispatched), None)
        if first is not None:
            yield Fact(Metric.ACCURATE, first.at, not self._redirected, 1, first.department, first.agent)

    # ── steps ────────────────────────────────────────────────────────────────────────────────────
    def received(self, seen: _Seen) -> None:
        """Count the appeal."""
        self._facts.append(Fact(Volume.RECEIVED, seen.at, 1, 0, agent=seen.agent))
        if seen.ticket.triage.verdict is Verdict.EMERGENCY:
            self._facts.append(Fact(Volume.EMERGENCIES, seen.at, 1, 0, agent=seen.agent))

    def answered(self, seen: _Seen) -> None:
        """Note the first way out, and a handling that can be rated."""
        self._settle(seen, direct=1)
        self._cycle += 1

    def merged(self, seen: _Seen) -> None:  # noqa: ARG002 - the steps share one signature
        """The parent's handling is rated from now on: what was said of an earlier one stays."""
        self._cycle += 1

    def dispatched(self, seen: _Seen) -> None:
        """Begin a round: the clocks of a department run."""
        plain = isinstance(seen.fact, c.Dispatch)
        if plain:
            self._settle(seen, direct=0)
            self._redirected |= self._misdirected
        if self._rounds:
            self._rounds[-1].end(seen.at, void=isinstance(seen.fact, c.Rule))
        self._rounds.append(Round(seen.at, seen.ticket.lead, seen.agent, seen.ticket.clocks, dispatched=plain))

    def return_requested(self, seen: _Seen) -> None:
        """The department asks to give it back: its clocks are held."""
        if self._rounds:
            self._rounds[-1].returned, self._rounds[-1].held_at = True, seen.at

    def return_refused(self, seen: _Seen) -> None:  # noqa: ARG002 - the steps share one signature
        """The clocks go on as if they had never stood."""
        if self._rounds:
            self._rounds[-1].held_at = None

    def return_approved(self, seen: _Seen) -> None:
        """The dispatch was wrong: its clocks do not count."""
        self._misdirected = True
        if self._rounds:
            self._rounds[-1].end(seen.at, void=True)

    def reply_accepted(self, seen: _Seen) -> None:
        """A follow-up is owed."""
        self._cycle += 1
        self._followed.append(Fact(Metric.FOLLOWED_UP, seen.at, 0, 1, seen.department))

    def followed_up(self, seen: _Seen) -> None:
        """A follow-up came to its end: what the citizen said counts if somebody was reached."""
        if self._followed:
            self._followed[-1] = self._followed[-1]._replace(num=1)
        disputed = isinstance(seen.fact, c.DisputeFollowUp)
        if not disputed and seen.fact.unreachable:
            return
        self._facts.append(Fact(Metric.REDONE, seen.at, disputed, 1, seen.department, seen.agent))
        if (solved := seen.fact.said_solved) is not None:
            self._facts.append(Fact(Metric.SOLVED, seen.at, solved, 1, seen.department, seen.agent))
        self.rated(seen)

    def rated(self, seen: _Seen) -> None:
        """Keep the last rating of this handling."""
        rating = seen.fact.rating
        if rating is not None:
            satisfied = rating in _SATISFIED
            self._ratings[self._cycle] = Fact(
                Metric.SATISFIED, seen.at, satisfied, 1, seen.department, seen.agent
            )

    def reopened(self, seen: _Seen) -> None:  # noqa: ARG002 - the steps share one signature
        """What was closed is not."""
        self._closing = []

    def _close(self, seen: _Seen) -> None:
        seconds = max(0, int((seen.at - seen.ticket.created_at).total_seconds()))
        who = (seen.department, seen.agent)
        self._closing = [
            Fact(Volume.CLOSED, seen.at, 1, 0, *who), Fact(Metric.DURATION, seen.at, seconds, 1, *who),
            Fact(Metric.ONE_PASS, seen.at, seen.ticket.redos == 0, 1, *who),
        ]

    def _settle(self, seen: _Seen, *, direct: int) -> None:
        if not self._settled:
            self._facts.append(Fact(Metric.DIRECT, seen.at, direct, 1, agent=seen.agent))
        self._settled = True

    def _follow_chat(self, before: Ticket | None, event: TicketEvent) -> None:
        """Count a message of a conversation once its clock has ended: whatever ended it, what was late stays late."""
        due = before.clocks.chat_due if before is not None else None
        if due is None or event.clocks is None or event.clocks.chat_due == due:
            return
        answered = _is_answer(event)
        if answered or event.at > due:
            in_time = answered and event.at <= due
            self._facts.append(Fact(Metric.CHAT_ANSWERED, due, in_time, 1, agent=_agent_of(event)))

    def _follow_round(self, ticket: Ticket, at: datetime) -> None:
        if not self._rounds or self._rounds[-1].ended_at is not None:
            return
        if ticket.state in _AWAY:  # its clocks are as they were before: leaving may have stopped or cleared them
            self._rounds[-1].end(at)
        else:
            self._rounds[-1].clocks = ticket.clocks


class _Seen(NamedTuple):
    fact: Any
    at: datetime
    department: str
    agent: str
    ticket: Ticket


_STEPS: dict[type, Callable[[Tally, _Seen], None]] = {
    Receive: Tally.received, c.Answer: Tally.answered, c.Dispatch: Tally.dispatched, c.Rule: Tally.dispatched,
    c.Redispatch: Tally.dispatched, c.RequestReturn: Tally.return_requested, c.RefuseReturn: Tally.return_refused,
    c.ApproveReturn: Tally.return_approved, c.AcceptReply: Tally.reply_accepted, c.SettleFollowUp: Tally.followed_up,
    c.DisputeFollowUp: Tally.followed_up, c.Rate: Tally.rated, c.Reopen: Tally.reopened, c.Merge: Tally.merged,
}


def _is_answer(event: TicketEvent) -> bool:
    """Tell whether a person said something to the citizen; who dispatches or merges in silence has not."""
    if event.actor.role not in (Role.AGENT, Role.SUPERVISOR):
        return False
    match event.fact:
        case c.AddMessage(inbound=False) | c.Answer() | c.AskInfo():
            return True
        case _:
            return False


def _agent_of(event: TicketEvent) -> str:
    return event.actor.name if event.actor.role in (Role.AGENT, Role.SUPERVISOR) else ""
