"""Small city rules for tests that need some but not Dongguan's own."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hotline.appeal import Category, Triage
from hotline.clocks import Allowances, Policy
from hotline.deadlines import Unit, WorkCalendar, WorkingTime
from hotline.opening import CityRules
from hotline.terms import Kind, Priority
from routing.directory import Rule, UnitKind, build_directory
from routing.directory import Unit as Office
from routing.priority import PriorityRules

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # Friday 10:00 in Dongguan

_P3 = Allowances(
    sign=WorkingTime(120, Unit.WORKING_MINUTES),
    contact=WorkingTime(210, Unit.WORKING_MINUTES),
    completion={Kind.ENQUIRY: WorkingTime(1), Kind.COMPLAINT: WorkingTime(10)},
    completion_default=WorkingTime(5),
)
_P1 = Allowances(
    sign=WorkingTime(15, Unit.MINUTES), contact=WorkingTime(30, Unit.MINUTES),
    completion_default=WorkingTime(120, Unit.MINUTES),
)
POLICY = Policy(
    calendar=WorkCalendar(),
    allowances={Priority.P0: Allowances(), Priority.P1: _P1, Priority.P2: _P1, Priority.P3: _P3},
    ceiling={Kind.ENQUIRY: WorkingTime(2)},
    ceiling_default=WorkingTime(15),
    return_window=WorkingTime(240, Unit.WORKING_MINUTES),
    police_return_window=WorkingTime(30, Unit.MINUTES),
    follow_up=WorkingTime(2),
)
DIRECTORY, _wrong = build_directory(
    version="test-1",
    effective_from=date(2026, 1, 1),
    units=[Office(name="城管局", kind=UnitKind.BUREAU), Office(name="水务局", kind=UnitKind.BUREAU)],
    rules=[Rule(l1="03", l2="路灯", lead="城管局"), Rule(l1="09", l2="供水", lead="水务局", assisting=("城管局",))],
)
assert not _wrong
PRIORITIES = PriorityRules(
    kinds=frozenset({Kind.COMPLAINT, Kind.ASSISTANCE}), p1=frozenset({"燃气"}), p2=frozenset({"供水"})
)
RULES = CityRules(signature="东莞12345", prefix="DG", policy=POLICY, directory=DIRECTORY, priorities=PRIORITIES)
STREET_LIGHT = Triage(category=Category(l1="03", l2="路灯", confidence=0.97), kind=Kind.COMPLAINT, title="路灯不亮")
