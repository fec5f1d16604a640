"""What people do with tickets in the simulated year: when, and how often wrong, late or not at all. Seeded.

Each `plan` is asked when a ticket has come to a state, and returns deeds: a moment and a command with who gives it. A
deed is dropped when the ticket has left that state meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from hotline import commands as c
from hotline.deadlines import Unit, WorkingTime, due_at
from hotline.events import Actor, Role
from hotline.ids import DepartmentCode
from hotline.opening import CityRules
from hotline.terms import Kind, Priority, Rating, RejectReason, Service, State, TryResult, Verdict, Way
from hotline.ticket import Ticket
from routing.dispatch import Dispatch, NeedsPerson, choose_department

CITIZEN, POLICE = Actor(Role.CITIZEN), Actor(Role.POLICE, "110")


class Merge(NamedTuple):
    """Merge the ticket into some open one of its matter, if there is one."""


class Rate(NamedTuple):
    """The citizen rates by link."""

    rating: Rating
    solved: bool | None


class Deed(NamedTuple):
    """Something that somebody will do at a moment, if the ticket is still where it was."""

    at: datetime
    act: c.Command | Merge | Rate
    actor: Actor


_RATINGS = {
    Rating.VERY_SATISFIED: 38, Rating.SATISFIED: 36, Rating.FAIRLY_SATISFIED: 17, Rating.DISSATISFIED: 6,
    Rating.VERY_DISSATISFIED: 3,
}
_MEDIAN_REPLY = {Kind.ENQUIRY: 140, Kind.ASSISTANCE: 750, Kind.COMPLAINT: 1500, Kind.REPORT: 1600}


class People:
    """Everybody: agents, supervisors, departments, 110, citizens."""

    def __init__(self, rules: CityRules, seed: int) -> None:
        self._rules, self._r = rules, random.Random(seed)
        self._units = [DepartmentCode(name) for name in rules.directory.units]
        self._agents = [Actor(Role.AGENT, f"a{n:03d}") for n in range(300)]
        self._supervisors = [Actor(Role.SUPERVISOR, f"s{n:02d}") for n in range(12)]
        self._plans: dict[State, Callable[[Ticket, datetime], Iterator[Deed]]] = {
            State.RECEIVED: self._received, State.NEED_INFO: self._need_info,
            State.PENDING_DISPATCH: self._pending_dispatch, State.PENDING_SIGN: self._pending_sign,
            State.RETURN_REQUESTED: self._return_requested, State.ARBITRATION: self._arbitration,
            State.HANDLING: self._handling, State.PENDING_REVIEW: self._pending_review, State.ANSWERED: self._answered,
            State.HANDED_OFF: self._handed_off, State.PENDING_FOLLOW_UP: self._pending_follow_up,
            State.REDO: self._redo, State.CLOSED: self._closed, State.MERGED: self._merged,
        }

    def plan(self, ticket: Ticket, now: datetime) -> list[Deed]:
        """Return what will be done to a ticket that has just come to its state."""
        found = self._plans.get(ticket.state)
        return list(found(ticket, now)) if found is not None else []

    # ── chance and time ──────────────────────────────────────────────────────────────────────────
    def _chance(self, share: float) -> bool:
        return self._r.random() < share

    def _minutes(self, median: float, sigma: float = 0.8) -> int:
        return max(1, round(median * self._r.lognormvariate(0, sigma)))

    def _plain(self, now: datetime, median: float, sigma: float = 0.8) -> datetime:
        return now + timedelta(minutes=self._minutes(median, sigma), seconds=self._r.randrange(60))

    def _working(self, now: datetime, median: float, sigma: float = 0.8) -> datetime:
        allowance = WorkingTime(min(self._minutes(median, sigma), 20_000), Unit.WORKING_MINUTES)
        return due_at(now, allowance, self._rules.policy.calendar) + timedelta(seconds=self._r.randrange(60))

    def _in_office(self, ticket: Ticket, now: datetime, median: float, sigma: float = 0.8) -> datetime:
        urgent = ticket.priority <= Priority.P2
        return self._plain(now, median / 4, sigma) if urgent else self._working(now, median, sigma)

    def _agent(self) -> Actor:
        return self._r.choice(self._agents)

    def _supervisor(self) -> Actor:
        return self._r.choice(self._supervisors)

    def _other_than(self, lead: str) -> DepartmentCode:
        return self._r.choice([unit for unit in self._units if unit != lead])

    def _rating(self) -> Rating:
        return self._r.choices(list(_RATINGS), list(_RATINGS.values()))[0]

    # ── the centre ───────────────────────────────────────────────────────────────────────────────
    def _received(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        agent = self._agent()
        at = self._plain(now, 4 if ticket.verdict is not Verdict.NON_EMERGENCY else 25)
        if ticket.verdict is not Verdict.NON_EMERGENCY:
            if self._chance(0.4) and ticket.police_returns == 0:
                yield Deed(at, c.HandOff(services=(Service.POLICE,), reason="三方通话确认"), agent)
                return
            yield Deed(at, c.Reassess(verdict=Verdict.NON_EMERGENCY, reason="三方通话确认无危险"), agent)
        yield Deed(at + timedelta(seconds=40), self._taken_up(ticket), agent)
        if self._chance(0.05):
            yield Deed(at + timedelta(seconds=20), c.Correct(kind=Kind.COMPLAINT, title="更正"), agent)
        if self._chance(0.01):
            yield Deed(self._plain(now, 30), c.Withdraw(reason="已解决"), CITIZEN)
        if self._chance(0.03):  # forgotten by the first, taken up by another much later
            yield Deed(self._plain(now, 900), c.Accept(), self._agent())
        yield Deed(now + timedelta(days=9), c.Accept(), self._supervisor())

    def _taken_up(self, ticket: Ticket) -> c.Command | Merge:
        r = self._r.random()
        if r < (0.45 if ticket.kind is Kind.ENQUIRY else 0.06):
            return c.Answer(text="经核实,答复如下:按现行政策办理。")
        if r < 0.48:
            return c.AskInfo(question="请说明具体位置。") if self._chance(0.5) else c.Accept()
        if r < 0.52:
            return Merge()
        if r < 0.55:
            return c.Reject(reason=self._r.choice([x for x in RejectReason if x is not RejectReason.NO_REPLY]))
        return c.Accept()

    def _need_info(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        if self._chance(0.8):
            asked_by_department = ticket.asked_in is State.HANDLING
            answer: c.Command = c.Resume(text="在路口") if asked_by_department else c.SupplyInfo(text="在路口")
            yield Deed(self._plain(now, 900, 1.0), answer, Actor(Role.SYSTEM))
        elif self._chance(0.2):
            yield Deed(self._plain(now, 900), c.Withdraw(), CITIZEN)

    def _pending_dispatch(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        agent, at = self._agent(), self._plain(now, 12)
        r = self._r.random()
        if r < 0.02:
            yield Deed(at, Merge(), agent)
        elif r < 0.03:
            yield Deed(at, c.Reject(reason=RejectReason.PETITION), agent)
        elif r < 0.06:
            yield Deed(at, c.Answer(text="已电话答复。"), agent)
        lead = ticket.suggested or self._lead_for(ticket)
        assisting = (self._other_than(lead),) if self._chance(0.2) else ()
        command = c.Dispatch(lead=lead, assisting=assisting, directory_version=self._rules.directory.version)
        yield Deed(at + timedelta(minutes=2), command, agent)

    def _lead_for(self, ticket: Ticket) -> DepartmentCode:
        found = choose_department(ticket.triage, self._rules.directory)
        guess = found.suggestion if isinstance(found, NeedsPerson) else found
        return guess.lead if isinstance(guess, Dispatch) else self._r.choice(self._units)

    def _return_requested(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        agent, at = self._agent(), self._in_office(ticket, now, 90)
        if ticket.returns:
            yield Deed(at, c.Arbitrate(note="第二次退单"), agent)
        elif self._chance(0.55):
            yield Deed(at, c.ApproveReturn(), agent)
        else:
            yield Deed(at, c.RefuseReturn(reason="属贵单位职责"), agent)

    def _arbitration(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        yield Deed(self._in_office(ticket, now, 240), c.Rule(lead=self._r.choice(self._units)), self._supervisor())

    def _pending_review(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        command = c.RejectReply(reason="未说明措施") if self._chance(0.07) else c.AcceptReply()
        yield Deed(self._in_office(ticket, now, 110), command, self._agent())

    def _redo(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        lead = self._other_than(ticket.lead) if self._chance(0.1) else None
        yield Deed(self._in_office(ticket, now, 60), c.Redispatch(lead=lead), self._agent())

    # ── departments ──────────────────────────────────────────────────────────────────────────────
    def _pending_sign(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        unit = Actor(Role.DEPARTMENT, ticket.lead)
        if not ticket.return_locked and self._chance(0.05):
            basis = c.RequestReturn(legal_basis="派单目录", suggested=self._other_than(ticket.lead))
            yield Deed(self._in_office(ticket, now, 60), basis, unit)
        neglected = self._chance(0.015)
        at = self._in_office(ticket, now, 900 if neglected else 35)
        yield Deed(at, c.Sign(), unit)
        if self._chance(0.004):
            yield Deed(self._plain(now, 60), c.Withdraw(reason="已解决"), CITIZEN)
        if self._chance(0.01):
            yield Deed(self._plain(now, 40), Merge(), self._agent())

    def _handling(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        unit = Actor(Role.DEPARTMENT, ticket.lead)
        if ticket.clocks.contacted_at is None and self._chance(0.97):
            yield Deed(self._in_office(ticket, now, 50), c.RecordContact(), unit)
        if ticket.clocks.on_site_due is not None and ticket.clocks.arrived_at is None and self._chance(0.95):
            yield Deed(self._plain(now, 25), c.RecordArrival(), unit)
        median = _MEDIAN_REPLY.get(ticket.kind, 700) * (7 if self._chance(0.015) else 1)
        replied = self._in_office(ticket, now, median, 0.5)
        reply = c.Reply(internal="已派员处置,现场照片附后。", public="经核实,问题已处理完毕。")
        yield Deed(replied, reply, unit)
        for assisting in ticket.assisting:
            if self._chance(0.7):
                opinion = c.GiveOpinion(text="已配合处置")
                yield Deed(self._in_office(ticket, now, 300), opinion, Actor(Role.DEPARTMENT, assisting))
        if self._chance(0.04):
            yield Deed(self._in_office(ticket, now, 200), c.AskInfo(question="请补充现场照片。"), unit)
        if self._chance(0.06):
            asked = self._in_office(ticket, now, median * 0.8)
            yield Deed(asked, c.RequestExtension(days=self._r.randrange(1, 6), reason="需开挖"), unit)
            answer = c.GrantExtension() if self._chance(0.8) else c.RefuseExtension(reason="无需延期")
            yield Deed(self._working(asked, 120), answer, self._supervisor())
        if self._chance(0.05):
            yield Deed(self._plain(now, 2000), c.Urge(note="还要多久"), CITIZEN)
        if self._chance(0.003):
            yield Deed(self._plain(now, 500), c.HandOff(services=(Service.POLICE,), reason="现场冲突"), self._agent())
        if self._chance(0.004):
            yield Deed(self._plain(now, 1500), c.Withdraw(), CITIZEN)

    # ── 110 ──────────────────────────────────────────────────────────────────────────────────────
    def _handed_off(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        if self._chance(0.97):
            yield Deed(now + timedelta(seconds=self._r.randrange(1, 50)), c.AcknowledgeIncident(
                incident=f"J{ticket.number}-{ticket.version}"), POLICE)
        if ticket.police_returns == 0 and self._chance(0.06):
            yield Deed(self._plain(now, 12, 0.3), c.PoliceReturn(reason="非警情"), POLICE)
        if self._chance(0.9):
            yield Deed(self._plain(now, 180), c.Close(note="已处置"), POLICE)
        yield Deed(now + timedelta(hours=30), c.Close(note="电话核实已处置"), self._supervisor())

    # ── citizens at the end ──────────────────────────────────────────────────────────────────────
    def _pending_follow_up(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        """Called anew after every try, too: the next one is planned by the ticket itself."""
        if not ticket.clocks.tried and self._chance(0.12):
            yield Deed(self._plain(now, 300, 1.2), self._said(), CITIZEN)
        next_at, phone = ticket.clocks.follow_up_next, bool(ticket.appeal.citizen.phone)
        if next_at is None or not phone:
            return
        at = max(now, next_at) + timedelta(minutes=self._r.randrange(1, 80))
        yield Deed(at, self._call(ticket), self._agent())

    def _call(self, ticket: Ticket) -> c.Command | Rate:
        r = self._r.random()
        if r < 0.6:
            return self._said()
        if r < 0.62:
            return c.RecordTry(result=TryResult.REFUSED, way=Way.PHONE)
        result = self._r.choice([TryResult.NO_ANSWER, TryResult.BUSY, TryResult.OFF])
        return c.RecordTry(result=result, way=Way.PHONE)

    def _said(self) -> Rate:
        """Who is satisfied mostly calls it solved, who is not mostly does not."""
        rating = self._rating()
        weights = [93, 2, 5] if rating not in (Rating.DISSATISFIED, Rating.VERY_DISSATISFIED) else [20, 70, 10]
        return Rate(rating, self._r.choices([True, False, None], weights)[0])

    def _answered(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        if self._chance(0.1):
            yield Deed(self._plain(now, 600), Rate(self._rating(), None), CITIZEN)

    def _closed(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        if self._chance(0.02):
            yield Deed(self._plain(now, 2000), Rate(self._rating(), None), CITIZEN)
        if self._chance(0.004):
            yield Deed(self._plain(now, 9000), c.Reopen(reason="再次出现"), self._supervisor())

    def alarmed(self, alarm: str, now: datetime) -> list[Deed]:
        """A supervisor looks at an alarm before long."""
        later = self._plain(now, 600)
        deeds = [Deed(later + timedelta(hours=1), c.ClearAlarm(alarm=alarm), self._supervisor())]
        if alarm == "dissatisfied" and self._chance(0.4):
            deeds.append(Deed(later, c.Reopen(reason="诉求人不满意"), self._supervisor()))
        return deeds

    def _merged(self, ticket: Ticket, now: datetime) -> Iterator[Deed]:
        if self._chance(0.02):
            yield Deed(self._plain(now, 600), c.Unmerge(reason="并非同一事项"), self._agent())
