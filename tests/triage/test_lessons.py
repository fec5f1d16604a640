"""What a ticket's events teach, and that they are found in the event log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from hotline.appeal import Appeal, Category, Citizen, Triage
from hotline.city import load_city
from hotline.cli.retrain import read_lessons
from hotline.commands import ApproveReturn, Correct, Dispatch, RequestReturn
from hotline.events import Actor, Fact, Receive, Role, TicketEvent
from hotline.ids import DepartmentCode, TicketNumber
from hotline.judged import judged_text
from hotline.keyring import KeyRing
from hotline.store.database import open_pool
from hotline.store.directories import DirectoryStore
from hotline.store.lessons import corrected_tickets
from hotline.store.rows import sealed_event
from hotline.terms import Channel, Kind, State
from routing.directory import Rule
from triage.lessons import Lesson, lesson_of
from triage.shadow import Pair, compare, mark_of, said, truth_of
from triage.tickets import Tickets, with_lessons

DIRECTORY = load_city(Path("cities/441900")).directory
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
RECEIVED = Receive(
    number=TicketNumber("DG2026112140000018"), channel=Channel.WEB, appeal=Appeal(text="河边的树倒了"),
    triage=Triage(
        category=Category("03", "园林绿化", 0.5), kind=Kind.COMPLAINT,
        alternatives=(Category("13", "树木", 0.3), Category("09", "供水", 0.1)),
    ),
)
WATER = DepartmentCode("水务局")
CITY, AGENT, UNIT = Actor(Role.SYSTEM), Actor(Role.AGENT, "li"), Actor(Role.DEPARTMENT, "水务局")
RETURN = (RequestReturn(legal_basis="职责", suggested=WATER), UNIT)


def events(*facts: tuple[Fact, Actor]) -> list[TicketEvent]:
    told: list[tuple[Any, Actor]] = [(RECEIVED, CITY), *facts]
    return [
        TicketEvent(version=n, at=NOW + timedelta(minutes=n), actor=actor, fact=fact, state=State.PENDING_DISPATCH)
        for n, (fact, actor) in enumerate(told, start=1)
    ]


def unit_of(l1: str, l2: str) -> DepartmentCode:
    rule = DIRECTORY.find(l1, l2, Kind.COMPLAINT, ())
    assert rule is not None
    return DepartmentCode(rule.lead)


SUPPLY = unit_of("09", "供水")


def untold(log: Sequence[TicketEvent], text: str = "河边的树倒了") -> list[TicketEvent]:
    """The same events of an appeal for which triage named no category, as when it is down."""
    fact = msgspec.structs.replace(RECEIVED, appeal=Appeal(text=text), triage=Triage(category=None, needs_person=True))
    return [msgspec.structs.replace(log[0], fact=fact), *log[1:]]


def test_a_correction_teaches_also_where_triage_named_no_category() -> None:
    named = events((Correct(l1="13", l2="树木"), AGENT))
    assert lesson_of(untold(named), DIRECTORY) == Lesson("河边的树倒了", "13", "树木")
    assert lesson_of(untold(named, "[图片]"), DIRECTORY) is None
    returned = events(RETURN, (ApproveReturn(), AGENT), (Dispatch(lead=SUPPLY), AGENT))
    assert lesson_of(untold(returned), DIRECTORY) is None


@pytest.mark.parametrize(("facts", "taught"), [
    ([], None),
    ([(Correct(l1="13", l2="树木"), AGENT)], ("13", "树木")),
    ([(Correct(l1="13", l2="树木"), AGENT), (Correct(l1="13", l2="河涌"), AGENT)], ("13", "河涌")),
    ([(Correct(kind=Kind.ENQUIRY), AGENT)], None),
    ([(Correct(l1="13", l2="树木"), CITY)], None),
    ([(Dispatch(lead=SUPPLY), CITY)], None),
    ([RETURN, (ApproveReturn(), AGENT)], None),
    ([RETURN, (ApproveReturn(), AGENT), (Dispatch(lead=SUPPLY), AGENT)], ("09", "供水")),
    ([RETURN, (ApproveReturn(), AGENT), (Dispatch(lead=DepartmentCode("审计局")), AGENT)], None),
    ([RETURN, (ApproveReturn(), AGENT), (Dispatch(lead=SUPPLY), AGENT), (Correct(l1="13", l2="河涌"), AGENT)],
     ("13", "河涌")),
], ids=range(10))
def test_what_is_taught(facts: list[tuple[Fact, Actor]], taught: tuple[str, str] | None) -> None:
    expected = Lesson("河边的树倒了", *taught) if taught else None
    assert lesson_of(events(*facts), DIRECTORY) == expected
    assert lesson_of([], DIRECTORY) is None


def test_a_lesson_counts_more_than_the_old_label() -> None:
    own = with_lessons(None, [Lesson("甲乙丙", "13", "河涌"), Lesson(" ", "13", "河涌")])
    assert [one.label for one in own.examples] == ["13河涌"]
    both = with_lessons(own, [Lesson("甲乙丙", "13", "树木"), Lesson("丁戊己", "13", "河涌")])
    assert [one.label for one in both.examples] == ["13树木", "13河涌"]
    assert len(both.groups) == 2
    assert isinstance(both, Tickets)


async def written(pool: asyncpg.Pool, logs: Iterable[Sequence[TicketEvent]]) -> None:
    position = 1
    for ticket, told in enumerate(logs, start=1):
        rows = [(position + n, ticket, e.version, e.at, e.type, "agent:li", doc, "{}", ["x"], sealed)
                for n, e in enumerate(told) for doc, sealed in [sealed_event(e)]]
        position += len(rows)
        await pool.executemany(
            "INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics, sealed)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", rows,
        )


async def test_the_event_log_is_read_once_for_each_ticket(database: str) -> None:
    correct: list[tuple[Fact, Actor]] = [(Correct(l1="13", l2="树木"), AGENT)]
    async with await open_pool(database, size=2) as pool:
        await written(pool, (
            events(*(correct * (2 if ticket % 3 == 0 else 1) if ticket % 2 else [])) for ticket in range(1, 1202)
        ))
        found = [told async for told in corrected_tickets(pool)]
    assert len(found) == 601
    assert all(lesson_of(told, DIRECTORY) == Lesson("河边的树倒了", "13", "树木") for told in found)


async def test_returns_teach_by_the_version_of_the_directory_in_force(database: str) -> None:
    began = DIRECTORY.effective_from
    in_force, to_come = (
        msgspec.structs.replace(DIRECTORY, version=name, effective_from=day, rules={
            **DIRECTORY.rules, ("09", "供水"): (Rule(l1="09", l2="供水", lead=lead),)})
        for name, day, lead in (("now", began + timedelta(days=1), "审计局"), ("later", date(2099, 1, 1), "财政局"))
    )
    city = msgspec.structs.replace(load_city(Path("cities/441900")), directories=(DIRECTORY, to_come))
    async with await open_pool(database, size=2) as pool:
        for version in (DIRECTORY, in_force, to_come):
            await DirectoryStore(pool).seed(version, NOW)
        audit = Dispatch(lead=DepartmentCode("审计局"))
        await written(pool, [events(RETURN, (ApproveReturn(), AGENT), (audit, AGENT))])
    assert await read_lessons(database, city) == [Lesson("河边的树倒了", "09", "供水")]


async def test_texts_with_personal_data_are_compared_and_trained_on_without_it(database: str, keys: KeyRing) -> None:
    """The shadow sees an appeal before anybody knows what of it will be sealed, and by whom it is."""
    appeal = Appeal(
        text="我叫李小明,电话13800138000,树倒了", title="挡住救护车",
        citizen=Citizen(name="李小明", phone="+8613800138000"),
    )
    told = events((Correct(l1="13", l2="树木"), AGENT))
    told[0] = msgspec.structs.replace(told[0], fact=msgspec.structs.replace(RECEIVED, appeal=appeal))
    async with await open_pool(database, size=2) as pool:
        await DirectoryStore(pool).seed(DIRECTORY, NOW)
        await written(pool, [told])
    city = load_city(Path("cities/441900"))
    right = said(Triage(category=Category("13", "树木", 0.9)))
    pair = Pair(mark_of(judged_text(appeal)), said(Triage(category=None)), right)
    assert compare([pair], truth_of(await read_lessons(database, city, keys=keys))).judged == (1, 0, 1)
    [lesson] = await read_lessons(database, city)
    assert lesson.text == "我叫李**,电话138****8000,树倒了\n挡住救护车"
