"""The simulated city: a heap of moments, the real rules, and a clock that is moved from one to the next."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import count

import msgspec

from channels.message import Inbound
from hotline import commands as c
from hotline import family
from hotline.appeal import Triage
from hotline.city import City
from hotline.deadlines import ZONE
from hotline.decide import Decision, decide
from hotline.effects import effects_of
from hotline.errors import HotlineError
from hotline.events import SYSTEM, Actor, TicketEvent
from hotline.families import REASON
from hotline.ids import TicketId, TicketNumber, ticket_number
from hotline.lifecycle import OPEN_STATES
from hotline.opening import CityRules, open_ticket
from hotline.permissions import check_permitted, check_units
from hotline.personal import checked
from hotline.rating import commands_of
from hotline.sweep import caught_up
from hotline.terms import Channel, State, Way
from hotline.ticket import Ticket, replay
from hotline.timers import next_attention, next_look
from routing.priority import with_priority
from tests.year.arrivals import DAYS, FIRST, Arrivals
from tests.year.invariants import Broken, check
from tests.year.people import Deed, Merge, People, Rate

OUTAGE = (datetime(2026, 4, 14, 0, 0, tzinfo=ZONE), datetime(2026, 4, 15, 0, 0, tzinfo=ZONE))
"""A working day on which no sweep runs at all."""
REPLAYED_EACH = 16
Done = Callable[[int, Sequence[TicketEvent]], None]


class Live:
    """A ticket that lives. `epoch` counts its states, so that a deed planned in one is not done in another."""

    __slots__ = ("epoch", "events", "id", "messages", "ticket")

    def __init__(self, id_: int) -> None:
        self.id, self.epoch, self.messages = id_, 0, 0
        self.ticket: Ticket = None  # type: ignore[assignment]
        self.events: list[TicketEvent] = []


class World:
    """Runs the year. `done` gets every ticket when its life is over; `arrived` is called for each that comes."""

    def __init__(self, city: City, *, tickets: int, seed: int, done: Done, arrived: Callable[[], None]) -> None:
        self.rules = CityRules(
            signature=f"{city.name}12345", prefix=city.prefix, policy=city.policy, directory=city.directory,
            priorities=city.priorities,
        )
        self._arrivals, self._people = Arrivals(city, tickets, seed), People(self.rules, seed + 1)
        self._done, self._arrived = done, arrived
        self._heap: list[tuple[datetime, int, int, object]] = []
        self._order, self._ids = count(), count(1)
        self._numbers: Counter[tuple[date, Channel]] = Counter()
        self._recent: dict[str, deque[int]] = {}
        self.lives: dict[int, Live] = {}
        self._by_number: dict[TicketNumber, int] = {}
        self.now = datetime.combine(FIRST, time(), ZONE)
        self.facts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.tickets = 0

    def run(self) -> None:
        """Live through the year, and on until the last ticket is archived. Raises Broken."""
        for n in range(DAYS):
            day = FIRST + timedelta(days=n)
            for moment, inbound, triage in self._arrivals.of_day(day):
                self._push(moment, 0, (inbound, triage))
            self._until(datetime.combine(day + timedelta(days=1), time(), ZONE))
        self._until(None)
        if self.lives:
            stuck = next(iter(self.lives.values())).ticket
            raise Broken(f"{len(self.lives)} tickets never came to an end, the first: {stuck}")

    # ── the clock ────────────────────────────────────────────────────────────────────────────────
    def _push(self, at: datetime, id_: int, what: object) -> None:
        heapq.heappush(self._heap, (at, next(self._order), id_, what))

    def _until(self, end: datetime | None) -> None:
        while self._heap and (end is None or self._heap[0][0] < end):
            at, _, id_, what = heapq.heappop(self._heap)
            if at < self.now:
                raise Broken(f"the clock went back from {self.now} to {at}")
            self.now = at
            if id_ == 0:
                self._arrive(*what)  # type: ignore[misc]
            elif (live := self.lives.get(id_)) is not None:
                self._happen(live, what)  # whose life is over, nothing happens to any more

    def _happen(self, live: Live, what: object) -> None:
        match what:
            case ("sweep", at):
                self._sweep(live, at)
            case ("free",):
                self._try(live, c.Unmerge(reason=REASON), SYSTEM)
            case (epoch, deed):
                if epoch == live.epoch:
                    self._do(live, deed)

    # ── what happens ─────────────────────────────────────────────────────────────────────────────
    def _arrive(self, inbound: Inbound, triage: Triage) -> None:
        self._arrived()
        self.tickets += 1
        day = self.now.date()
        self._numbers[day, inbound.channel] += 1
        number = ticket_number("DG", day, inbound.channel, self._numbers[day, inbound.channel])
        change = open_ticket(inbound, triage, number=number, rules=self.rules, now=self.now)
        live = self.lives[next(self._ids)] = Live(self.tickets)
        self._by_number[number] = live.id
        before: Ticket | None = None
        for decision in change.decisions:
            self._record(live, before, decision, plan=False)
            before = decision.ticket
        if change.ticket.category is not None:
            self._recent.setdefault(change.ticket.category.l2, deque(maxlen=8)).append(live.id)
        self._plan(live)
        self._watch(live)

    def _sweep(self, live: Live, at: datetime) -> None:
        if next_attention(live.ticket) != at:
            return  # it has moved on since
        if OUTAGE[0] <= self.now < OUTAGE[1]:
            self._push(OUTAGE[1] + timedelta(seconds=live.id % 600), live.id, ("sweep", at))
            return
        parent = self._parent_of(live)
        change = caught_up(live.ticket, rules=self.rules, now=self.now, parent=parent)
        if change is None:
            again = next_look(live.ticket, self.now, self.rules.policy, parent)
            if again is None or again <= self.now:
                raise Broken(f"the sweep was called for nothing: {live.ticket}")
            self._push(again, live.id, ("sweep", at))
            return
        before = live.ticket
        for decision in change.decisions:
            self._record(live, before, decision)
            before = decision.ticket
        self._after(live)

    def _do(self, live: Live, deed: Deed) -> None:
        match deed.act:
            case Merge():
                self._merge(live, deed.actor)
            case Rate():
                self._rate(live, deed.act)
            case command:
                self._try(live, command, deed.actor)

    def _try(self, live: Live, command: c.Command, actor: Actor) -> None:
        """Give a command as the service does; what the rules refuse changes nothing."""
        try:
            check_units(command, self.rules.directory)
            check_permitted(actor, command, live.ticket)
            if isinstance(command, c.Unmerge):
                self._unmerge(live, command, actor)
                return
            command = with_priority(checked(command, live.ticket), live.ticket, self.rules.priorities)
            decision = self._decide(live.ticket, command, actor)
        except HotlineError as error:
            self._refuse(live, command, error)
            return
        self._record(live, live.ticket, decision)
        self._after(live)

    def _decide(self, ticket: Ticket, command: c.Command, actor: Actor) -> Decision:
        return decide(ticket, command, now=self.now, policy=self.rules.policy, actor=actor)

    def _refuse(self, live: Live, command: c.Command, error: HotlineError) -> None:
        """A person whose command is refused tries again what the ticket still needs, the next morning."""
        self.refused[f"{c.tag_of(type(command))}: {error.error_id}"] += 1
        if live.ticket.state in OPEN_STATES and isinstance(command, c.LifecycleCommand):
            for deed in self._people.plan(live.ticket, self.now + timedelta(hours=12)):
                self._push(deed.at, live.id, (live.epoch, deed))

    def _rate(self, live: Live, rate: Rate) -> None:
        try:
            commands = commands_of(live.ticket, rate.rating, rate.solved, "", Way.SMS, self.rules.policy)
            for n, command in enumerate(commands):
                actor = SYSTEM if n else Actor(role="citizen")  # type: ignore[arg-type]
                check_permitted(actor, command, live.ticket)
                self._record(live, live.ticket, self._decide(live.ticket, command, actor))
        except HotlineError as error:
            self.refused[f"rating: {error.error_id}"] += 1
        self._after(live)

    # ── families ─────────────────────────────────────────────────────────────────────────────────
    def _merge(self, live: Live, actor: Actor) -> None:
        category = live.ticket.category
        candidates = [
            self.lives[id_] for id_ in self._recent.get(category.l2 if category else "", ())
            if id_ in self.lives and id_ != live.id and self.lives[id_].ticket.state in OPEN_STATES
        ]
        if not candidates:
            self._try(live, c.Accept() if live.ticket.state is State.RECEIVED else c.AddNote(text="无同类"), actor)
            return
        parent = candidates[0]
        command = c.Merge(parent=TicketId(parent.id))
        try:
            both = family.merge(
                live.ticket, parent.ticket, command, now=self.now, policy=self.rules.policy, actor=actor
            )
        except HotlineError as error:
            self._refuse(live, command, error)
            return
        self._both(live, parent, both)

    def _unmerge(self, live: Live, command: c.Unmerge, actor: Actor) -> None:
        parent = self.lives[int(live.ticket.parent or 0)]
        both = family.unmerge(
            live.ticket, parent.ticket, command, now=self.now, policy=self.rules.policy, actor=actor
        )
        self._both(live, parent, both)

    def _both(self, live: Live, parent: Live, both: family.Family) -> None:
        self._record(live, live.ticket, both.child)
        self._record(parent, parent.ticket, both.parent)
        self._after(live)
        self._after(parent)

    def _parent_of(self, live: Live) -> State | None:
        if live.ticket.state is not State.MERGED:
            return None
        parent = self.lives.get(int(live.ticket.parent or 0))
        return parent.ticket.state if parent is not None else State.ARCHIVED

    # ── after every event ────────────────────────────────────────────────────────────────────────
    def _record(self, live: Live, before: Ticket | None, decision: Decision, *, plan: bool = True) -> None:
        ticket, event = decision
        live.ticket = ticket
        live.events.append(event)
        self.facts[event.type] += 1
        effects = effects_of(ticket, event, signature=self.rules.signature)
        for message in effects.messages:
            self.messages[message.channel] += 1
        live.messages += len(effects.messages)
        check(before, ticket, event, effects.messages, len(ticket.children) if effects.news else 0)
        if effects.orphans:
            for child in ticket.children:
                self._push(self.now, self._by_number.get(child, -1), ("free",))
        if before is not None and before.state is not ticket.state:
            live.epoch += 1
            if plan:
                self._plan(live)
        elif plan and isinstance(event.fact, c.RecordTry):
            self._plan(live)
        if isinstance(event.fact, c.RaiseAlarm):
            for deed in self._people.alarmed(event.fact.alarm, self.now):
                self._push(deed.at, live.id, (live.epoch, deed))

    def _plan(self, live: Live) -> None:
        for deed in self._people.plan(live.ticket, self.now):
            self._push(deed.at, live.id, (live.epoch, deed))

    def _after(self, live: Live) -> None:
        if live.ticket.state is State.ARCHIVED:
            self._bury(live)
        else:
            self._watch(live)

    def _watch(self, live: Live) -> None:
        at = next_attention(live.ticket)
        if at is not None:
            self._push(max(at, self.now), live.id, ("sweep", at))

    def _bury(self, live: Live) -> None:
        """Its life is over: compare the replay, hand it to the books, forget it."""
        if live.id % REPLAYED_EACH == 0:
            decoded = [msgspec.json.decode(msgspec.json.encode(event), type=TicketEvent) for event in live.events]
            if replay(decoded) != live.ticket:
                raise Broken(f"the replay of {live.ticket.number} is not what it was")
        self._done(live.id, live.events)
        for child in live.ticket.children:  # a merged ticket cannot outlive its parent's file here
            orphan = self.lives.get(self._by_number.get(child, -1))
            if orphan is not None and orphan.ticket.state is State.MERGED:
                self._push(self.now, orphan.id, (orphan.epoch, Deed(self.now, c.Archive(), SYSTEM)))
        del self.lives[live.id], self._by_number[live.ticket.number]
