"""Snapshot + events = fresh snapshot: what a console keeps is what the database would tell it anew."""

from __future__ import annotations

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_ui.view import ConsoleView, fits
from hotline import commands as c
from hotline.appeal import Appeal
from hotline.decide import decide, receive
from hotline.errors import HotlineError
from hotline.ids import TicketNumber
from hotline.summary import Summary, summarize, topics
from hotline.terms import Channel, Rating, RejectReason, Service, State, Verdict
from hotline.ticket import Ticket
from tests.cities import NOW, POLICY, STREET_LIGHT

TOPICS = (
    "tickets", "centre", "emergency", "alarms", "department:城管局", "department:水务局", "agent:a", "agent:b",
    "ticket:DG1", "supervised",
)
COMMANDS: tuple[c.Command, ...] = (
    c.Accept(), c.Dispatch(lead="城管局"), c.Dispatch(lead="水务局", assisting=("城管局",)), c.Sign(),
    c.RequestReturn(legal_basis="目录", suggested="水务局"), c.ApproveReturn(), c.RefuseReturn(reason="否"),
    c.Reply(internal="好", public="好"), c.AcceptReply(), c.SettleFollowUp(rating=Rating.SATISFIED, solved=True),
    c.DisputeFollowUp(solved=False), c.Redispatch(), c.HandOff(services=(Service.POLICE,)),
    c.PoliceReturn(reason="非警情"),
    c.Reject(reason=RejectReason.PRIVACY), c.Answer(text="好"), c.Close(), c.Archive(), c.Withdraw(),
    c.Reopen(reason="新"), c.Claim(agent="a"), c.Claim(agent="b"), c.Release(), c.RaiseAlarm(alarm="x"),
    c.ClearAlarm(alarm="x"), c.Reassess(verdict=Verdict.UNCLEAR, reason="疑"),
    c.Reassess(verdict=Verdict.NON_EMERGENCY, reason="否"), c.Urge(), c.Supervise(reason="超期"),
    c.AskInfo(question="?"), c.SupplyInfo(text="!"),
)


class Log:
    """A stand-in for tickets and event log: events get rising positions, snapshots are of the newest state."""

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.events: list[tuple[int, Summary, frozenset[str]]] = []

    def open(self, number: str) -> None:
        decision = receive(number=TicketNumber(number), channel=Channel.WEB, appeal=Appeal(text="路灯不亮"),
                           triage=STREET_LIGHT, now=NOW, policy=POLICY)
        self._keep(None, decision.ticket)

    def act(self, number: str, command: c.Command) -> bool:
        before = self.tickets[number]
        try:
            decision = decide(before, command, now=NOW, policy=POLICY)
        except HotlineError:
            return False
        self._keep(before, decision.ticket)
        return True

    def _keep(self, before: Ticket | None, after: Ticket) -> None:
        self.tickets[after.number] = after
        left = topics(before) if before else frozenset[str]()
        self.events.append((len(self.events) + 1, summarize(after, NOW), left | topics(after)))

    def rows(self, topic: str, states: frozenset[State]) -> list[Summary]:
        found = [summarize(t, NOW) for t in self.tickets.values() if topic in topics(t)]
        return sorted((row for row in found if not states or row.state in states), key=lambda r: r.number)


steps = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(COMMANDS)), max_size=60)
narrowed = st.frozensets(st.sampled_from(list(State)), max_size=4)


@given(steps)
def test_fits_agrees_with_topics(commands: list[tuple[int, c.Command]]) -> None:
    log = Log()
    log.open("DG1")
    for _, command in commands:
        log.act("DG1", command)
        ticket = log.tickets["DG1"]
        assert {t for t in TOPICS if fits(t, summarize(ticket, NOW))} == topics(ticket) & set(TOPICS)


@settings(max_examples=300)
@given(steps, st.sampled_from(TOPICS), narrowed, st.randoms(use_true_random=False))
def test_snapshot_and_events_make_a_fresh_snapshot(
    commands: list[tuple[int, c.Command]], topic: str, states: frozenset[State], rng: random.Random
) -> None:
    """The console takes the snapshot page by page while the world goes on, and gets events early or late."""
    log, view = Log(), ConsoleView(topic, states=states)
    sent, pages, page_rows = 0, 0, rng.randint(1, 3)
    last = ""
    for index, command in commands:
        number = f"DG{index}"
        log.act(number, command) if number in log.tickets else log.open(number)
        if rng.random() < 0.4:  # the feed catches up some way
            upto = rng.randint(sent, len(log.events))
            _deliver(log, view, topic, sent, upto)
            sent = upto
        if rng.random() < 0.3 and pages < 4:
            rows = [row for row in log.rows(topic, states) if row.number > last][:page_rows]
            # What `seq` promises: every event up to it is contained, later ones may be.
            view.snapshot(rows, seq=rng.randint(view.seq, len(log.events)), first=pages == 0)
            pages, last = pages + 1, rows[-1].number if rows else last
    if pages == 0:
        view.snapshot([], seq=0, first=True)
    while rows := [row for row in log.rows(topic, states) if row.number > last][:page_rows]:
        view.snapshot(rows, seq=sent, first=False)
        last = rows[-1].number
    _deliver(log, view, topic, sent, len(log.events))
    assert sorted(view.rows) == [row.number for row in log.rows(topic, states)]
    assert view.rows == {row.number: row for row in log.rows(topic, states)}


def _deliver(log: Log, view: ConsoleView, topic: str, sent: int, upto: int) -> None:
    for seq, row, concerned in log.events[sent:upto]:
        if topic in concerned:
            view.event(row, seq=seq)


@given(steps, st.sampled_from(TOPICS), st.randoms(use_true_random=False))
def test_versions_decide_whatever_the_order_of_arrival(
    commands: list[tuple[int, c.Command]], topic: str, rng: random.Random
) -> None:
    """Positions are commit-safe, but within a ticket a later version may stand at a lower position."""
    log, view = Log(), ConsoleView(topic)
    for index, command in commands:
        number = f"DG{index}"
        log.act(number, command) if number in log.tickets else log.open(number)
    shuffled = [(row, concerned) for _, row, concerned in log.events]
    rng.shuffle(shuffled)
    for seq, (row, concerned) in enumerate(shuffled, start=1):
        if topic in concerned:
            view.event(row, seq=seq)
    assert view.rows == {row.number: row for row in log.rows(topic, frozenset())}


def test_a_row_that_left_is_not_brought_back_by_an_older_page() -> None:
    log, view = Log(), ConsoleView("centre")
    log.open("DG1")
    old = log.rows("centre", frozenset())
    log.act("DG1", c.Withdraw())
    _deliver(log, view, "centre", 0, 2)
    view.snapshot(old, seq=1, first=True)
    assert view.rows == {}


def test_events_that_the_snapshot_contains_do_not_bring_rows_back() -> None:
    log, view = Log(), ConsoleView("centre")
    log.open("DG1")
    log.act("DG1", c.Withdraw())
    view.snapshot(log.rows("centre", frozenset()), seq=2, first=True)
    _deliver(log, view, "centre", 0, 1)
    assert view.rows == {}


@settings(max_examples=300)
@example(commands=[(0, c.Withdraw()), (0, c.Withdraw())], topic="centre", known=1, missed=1)
@given(steps, st.sampled_from(TOPICS), st.integers(0, 12), st.integers(0, 20))
def test_after_too_much_was_missed_a_snapshot_begins_anew(
    commands: list[tuple[int, c.Command]], topic: str, known: int, missed: int
) -> None:
    """Events between are never sent; rows that left meanwhile must not stay."""
    log, view = Log(), ConsoleView(topic)
    for index, command in commands:
        number = f"DG{index}"
        log.act(number, command) if number in log.tickets else log.open(number)
        if len(log.events) <= known:
            _deliver(log, view, topic, len(log.events) - 1, len(log.events))
    end = len(log.events)
    live = min(end, known + missed)
    _deliver(log, view, topic, live, end)  # followed from here on, before the snapshot comes
    view.snapshot(log.rows(topic, frozenset()), seq=live, first=True)
    assert view.rows == {row.number: row for row in log.rows(topic, frozenset())}
