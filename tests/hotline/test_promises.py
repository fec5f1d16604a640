"""What a city has promised by category is due sooner, by the version of its day; law and urgent clocks stay."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from hotline import commands as c
from hotline.appeal import Appeal, Category, Citizen
from hotline.city import load_city
from hotline.deadlines import WorkingTime
from hotline.decide import decide, receive
from hotline.errors import InvalidInput, RuleViolation
from hotline.policy import Policy
from hotline.promises import Matter, Promises
from hotline.terms import Channel, Kind, Priority
from hotline.ticket import Ticket
from tests.cities import STREET_LIGHT
from tests.hotline import test_timers
from tests.hotline.test_timers import MONDAY, at

OLD = Promises(
    version="v1", effective_from=date(2026, 1, 1), completion=WorkingTime(2),
    matters={Matter("03", "垃圾"): "市承诺〔2026〕1号", Matter("03", "违建", Kind.COMPLAINT): ""},
)
NEW = Promises(
    version="v2", effective_from=date(2026, 3, 10), completion=WorkingTime(3), matters={Matter("03", "垃圾"): "新承诺"},
)
POLICY = msgspec.structs.replace(test_timers.POLICY, promises=(NEW, OLD))
DISPATCH = (c.Accept(), c.Dispatch(lead="城管局"))
IN_2, IN_3, IN_10 = at("2026-03-11 17:30"), at("2026-03-13 17:30"), at("2026-03-23 17:30")


def opened(l2: str, kind: Kind = Kind.COMPLAINT, priority: Priority = Priority.P3) -> Ticket:
    category = Category(l1="03", l2=l2)
    triage = msgspec.structs.replace(STREET_LIGHT, kind=kind, priority=priority, category=category)
    return receive(
        number="DG20260309100000015", channel=Channel.CALL, appeal=Appeal(text="垃圾没人清"), triage=triage, now=MONDAY,
        policy=POLICY,
    ).ticket


def after(ticket: Ticket, *commands: c.Command, now: datetime = MONDAY, policy: Policy = POLICY) -> Ticket:
    for command in commands:
        ticket = decide(ticket, command, now=now, policy=policy).ticket
    return ticket


@pytest.mark.parametrize(("l2", "kind", "priority", "due", "promise"), [
    ("垃圾", Kind.COMPLAINT, Priority.P3, IN_2, "市承诺〔2026〕1号:2个工作日办结(v1)"),
    ("违建", Kind.COMPLAINT, Priority.P3, IN_2, "城市承诺:2个工作日办结(v1)"),
    ("违建", Kind.REPORT, Priority.P3, IN_10, ""), ("路灯", Kind.COMPLAINT, Priority.P3, IN_10, ""),
    ("垃圾", Kind.ENQUIRY, Priority.P3, at("2026-03-10 17:30"), ""),
    ("垃圾", Kind.COMPLAINT, Priority.P1, MONDAY + timedelta(hours=2), ""),
    ("垃圾", Kind.COMPLAINT, Priority.P2, MONDAY + timedelta(hours=24), ""),
])
def test_completion_is_due_by_the_promise_where_that_is_sooner(
    l2: str, kind: Kind, priority: Priority, due: datetime, promise: str
) -> None:
    clocks = after(opened(l2, kind, priority), *DISPATCH).clocks
    assert (clocks.completion_due, clocks.promise) == (due, promise)
    assert clocks.ceiling_due == opened(l2, kind, priority).clocks.ceiling_due


def test_the_version_of_the_day_of_dispatch_holds() -> None:
    tuesday = MONDAY + timedelta(days=1)
    assert after(opened("垃圾"), *DISPATCH, now=tuesday).clocks.promise == "新承诺:3个工作日办结(v2)"
    assert after(after(opened("垃圾"), *DISPATCH), c.Sign(), now=tuesday).clocks.completion_due == IN_2


def test_no_promise_passes_the_ceiling() -> None:
    late = at("2026-03-27 10:00")  # the ceiling is 2026-03-30
    assert after(opened("垃圾"), *DISPATCH, now=late).clocks.completion_due == at("2026-03-30 17:30")


def test_a_corrected_category_brings_and_takes_a_promise() -> None:
    tuesday = MONDAY + timedelta(days=1)
    gets = after(after(opened("路灯"), *DISPATCH), c.Correct(l1="03", l2="垃圾"), now=tuesday).clocks
    assert (gets.completion_due, gets.promise) == (at("2026-03-12 17:30"), "市承诺〔2026〕1号:2个工作日办结(v1)")
    loses = after(after(opened("垃圾"), *DISPATCH), c.Correct(l1="03", l2="路灯"), now=tuesday).clocks
    assert (loses.completion_due, loses.promise) == (IN_10, "")
    dispatched = after(opened("路灯"), *DISPATCH)
    assert after(dispatched, c.Correct(l1="09", l2="供电"), now=tuesday).clocks == dispatched.clocks


def test_an_extension_is_at_most_what_was_promised() -> None:
    signed = after(opened("垃圾"), *DISPATCH, c.Sign())
    with pytest.raises(RuleViolation, match="original limit"):
        after(signed, c.RequestExtension(days=3, reason="雨"))
    assert after(signed, c.RequestExtension(days=2, reason="雨")).extension_days == 2


def test_a_list_that_is_filled_in_later_does_not_reach_back() -> None:
    empty, tuesday = msgspec.structs.replace(POLICY, promises=()), MONDAY + timedelta(days=1)
    before = after(opened("垃圾"), *DISPATCH, c.Sign(), policy=empty)
    assert after(before, c.RequestExtension(days=10, reason="雨")).extension_days == 10
    assert after(before, c.Correct(citizen=Citizen(name="王芳"), l1="03", l2="垃圾")).clocks == before.clocks
    assert after(before, c.Correct(l1="03", l2="路灯"), now=tuesday).clocks == before.clocks
    corrected = after(before, c.Correct(kind=Kind.ASSISTANCE), now=tuesday).clocks
    assert (corrected.completion_due, corrected.promise) == (
        at("2026-03-12 17:30"), "市承诺〔2026〕1号:2个工作日办结(v1)"), "what is corrected is told, and runs, by it"


def test_a_citys_promises_are_read_from_its_files_and_their_mistakes_told_by_line(tmp_path: Path) -> None:
    city = shutil.copytree("cities/441900", tmp_path / "441900")
    assert load_city(city).policy.promises == (), "no text says what Dongguan has promised"
    settings = (city / "city.toml").read_text("utf-8")
    begins = settings.index("# [[promises]]")
    ends = settings.index("\n\n", begins)
    taken = settings[begins:ends].replace("# ", "")
    (city / "city.toml").write_text(settings[:begins] + taken + settings[ends:], "utf-8")
    [shipped] = load_city(city).policy.promises
    assert (shipped.completion, shipped.matters) == (WorkingTime(2), {})
    rows = "l1,l2,kind,note\n03,垃圾,,市承诺\n03,路灯,complaint,\n"
    (city / "promises.csv").write_text(rows, "utf-8")
    [read] = load_city(city).policy.promises
    assert read.matters == {Matter("03", "垃圾"): "市承诺", Matter("03", "路灯", Kind.COMPLAINT): ""}
    (city / "promises.csv").write_text(f"{rows}03,没有,,\n03,垃圾,,\n03,违建,吵,\n", "utf-8")
    with pytest.raises(InvalidInput) as error:
        load_city(city)
    assert [f"promises.csv:{n}" in str(error.value) for n in (4, 5, 6)] == [True] * 3
    (city / "city.toml").write_text(settings + taken.replace("2 working_days", "2880 minutes"), "utf-8")
    with pytest.raises(InvalidInput, match="应以工作日计"):
        load_city(city)
