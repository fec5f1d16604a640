"""What triage reads of a delivery, and what the citizen's own choices make of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

import msgspec
import pytest

from channels.message import Inbound
from channels.wording import receipt_text
from hotline.appeal import Appeal, Category, Place, Triage
from hotline.ids import TicketNumber
from hotline.judged import judged_text, untold_address
from hotline.opening import open_ticket
from hotline.terms import Channel, Kind, Priority, State, Verdict
from hotline.ticket import Ticket
from routing.directory import PLACE, Directory, Rule, Unit, UnitKind, build_directory
from routing.priority import PriorityRules
from tests.cities import NOW, RULES, STREET_LIGHT
from tests.hotline.test_intake import all_rows, inbound, intake_over, said

WATER = Triage(category=Category(l1="09", l2="供水", confidence=0.95), kind=Kind.COMPLAINT, sure=True)
LAMP = Category(l1="03", l2="路灯")
STALL = Triage(
    category=Category(l1="03", l2="流动摊贩", confidence=0.95), kind=Kind.COMPLAINT, needs_person=True, sure=True
)
TOWNS, _wrong = build_directory(
    version="towns", effective_from=date(2026, 1, 1), rules=[Rule(l1="03", l2="流动摊贩", lead=PLACE)],
    units=[
        *(Unit(name=name, kind=UnitKind.TOWN) for name in ("南城", "东城", "塘厦")),
        Unit(name="大朗", kind=UnitKind.TOWN, overlaps=frozenset({"松山湖高新区"})),
        Unit(name="松山湖高新区", kind=UnitKind.PARK, overlaps=frozenset({"大朗"})),
        Unit(name="东莞港", kind=UnitKind.PARK), Unit(name="城管局", kind=UnitKind.BUREAU),
    ],
)
assert not _wrong
PRIORITIES = PriorityRules(kinds=frozenset({Kind.COMPLAINT}), p1=frozenset(), p2=frozenset({"路灯"}))


def told(text: str = "坏了三天没人修", *, channel: Channel = Channel.APP, category: Category | None = None,
         **appeal: object) -> Inbound:
    return Inbound(
        channel=channel, external_id="k", appeal=Appeal(text=text, **appeal), received_at=NOW, category=category,  # type: ignore[arg-type]
    )


def opened(inbound: Inbound, triage: Triage, directory: Directory = RULES.directory) -> Ticket:
    number = TicketNumber("DG20261120300000015")
    rules = msgspec.structs.replace(RULES, priorities=PRIORITIES, directory=directory)
    return open_ticket(inbound, triage, number=number, rules=rules, now=NOW).ticket


@pytest.mark.parametrize("channel", list(Channel))
def test_a_title_is_judged_below_the_text(channel: Channel) -> None:
    inbound = told("快来", channel=channel, title="三楼着火有人被困")
    assert judged_text(inbound.appeal) == "快来\n三楼着火有人被困"


@pytest.mark.parametrize("title", [
    "", "三楼着火有人被困", "三楼着火,有人被困", "三楼着火…", "三楼着火... 快来", " 快来 ", "……",
])
def test_what_the_text_says_already_is_not_judged_twice(title: str) -> None:
    text = "三楼着火 有人被困。快来"
    assert judged_text(told(text, title=title).appeal) == text


@pytest.mark.parametrize("guess", [
    Triage(category=None, kind=Kind.COMPLAINT, needs_person=True),
    Triage(category=Category(l1="09", l2="供水", confidence=0.4), kind=Kind.COMPLAINT, needs_person=True),
    msgspec.structs.replace(STREET_LIGHT, category=Category(l1="03", l2="路灯", confidence=0.3), needs_person=True),
])
def test_a_category_that_was_chosen_is_the_category(guess: Triage) -> None:
    ticket = opened(told(category=LAMP), guess)
    assert ticket.category == Category(l1="03", l2="路灯", confidence=1.0)
    assert (ticket.state, ticket.lead, ticket.priority) == (State.PENDING_SIGN, "城管局", Priority.P2)
    assert (ticket.triage.department, ticket.triage.needs_person) == ("城管局", False)
    assert all(one.l2 != "路灯" for one in ticket.triage.alternatives)


def test_a_person_looks_where_the_text_is_surely_about_something_else() -> None:
    ticket = opened(told("停水三天了", category=LAMP), WATER)
    assert (ticket.category, ticket.state, ticket.lead) == (LAMP, State.RECEIVED, "")
    assert (ticket.triage.needs_person, ticket.triage.alternatives) == (True, (WATER.category,))


# ── the place ────────────────────────────────────────────────────────────────────────────────────
def test_the_town_that_the_citizen_gives_leads() -> None:
    ticket = opened(told("门口天天有人摆摊", place=Place(town="南城")), STALL, TOWNS)
    assert (ticket.town, ticket.state, ticket.lead) == ("南城", State.PENDING_SIGN, "南城")
    assert (ticket.triage.department, ticket.triage.needs_person) == ("南城", False)


def test_shown_and_dispatched_is_the_same_town() -> None:
    spoken = msgspec.structs.replace(STALL, towns=("东城",), department="东城", needs_person=False)
    ticket = opened(told("东城人来南城摆摊", place=Place(town="南城")), spoken, TOWNS)
    assert (ticket.town, ticket.lead, ticket.assisting) == ("南城", "南城", ("东城",))
    assert ticket.triage.towns == ("南城", "东城")


def test_a_place_makes_no_unsure_matter_sure() -> None:
    unsure = msgspec.structs.replace(STALL, sure=False)
    ticket = opened(told(place=Place(town="南城")), unsure, TOWNS)
    assert (ticket.town, ticket.state, ticket.triage.needs_person) == ("南城", State.RECEIVED, True)


def test_towns_that_share_ground_wait_for_a_person() -> None:
    spoken = msgspec.structs.replace(STALL, towns=("松山湖高新区",))
    ticket = opened(told(place=Place(town="大朗镇")), spoken, TOWNS)
    assert (ticket.town, ticket.state, ticket.triage.needs_person) == ("大朗", State.RECEIVED, True)


@pytest.mark.parametrize(("given", "town"), [
    ("南城", "南城"), ("南城街道", "南城"), ("东莞市南城街道办事处", "南城"), ("广东省东莞市塘厦镇", "塘厦"),
    ("松山湖", "松山湖高新区"), ("松山湖园区", "松山湖高新区"), ("东莞港", "东莞港"),
    ("月球", ""), ("东莞市", ""), ("镇", ""), ("城管局", ""),
])
def test_a_town_is_one_of_the_citys(given: str, town: str) -> None:
    ticket = opened(told(place=Place(town=given, address="鸿福路1号")), STALL, TOWNS)
    assert (ticket.town, ticket.appeal.place.town) == (town, town)
    assert ticket.appeal.place.address == ("鸿福路1号" if town else f"{given}鸿福路1号"), "nothing said is lost"


def test_without_towns_nobody_can_tell() -> None:
    assert opened(told(place=Place(town="南城")), STREET_LIGHT).town == "南城"


@pytest.mark.parametrize(("place", "address"), [
    (Place(address="南城鸿福路1号"), "南城鸿福路1号"), (Place(town="南城", address="鸿福路1号"), ""),
    (Place(address="体育路"), ""), (Place(), ""),
])
def test_an_address_is_asked_for_its_town_where_nothing_else_tells_it(place: Place, address: str) -> None:
    assert untold_address(told("体育路的灯不亮", place=place)) == address


async def test_the_town_of_an_address_is_where_it_happened(database: str) -> None:
    """The text does not name it. No model is asked about an address, and a look-up that fails loses nothing."""
    def judge(texts: Sequence[str], /) -> list[Triage]:
        assert set(texts) == {"天天摆摊"}
        return [STALL for _ in texts]

    def towns_in(address: str) -> tuple[str, ...]:
        return {"鸿福路1号": ("南城",)}[address]

    rules = msgspec.structs.replace(RULES, directory=TOWNS)
    async with intake_over(database, triage_with=judge, rules=rules) as intake:
        intake.towns_in = towns_in
        receipts = await asyncio.gather(*(
            intake.submit(inbound("天天摆摊", appeal=Appeal(text="天天摆摊", place=place)))
            for place in (Place(address="鸿福路1号"), Place(), Place(address="没有这条路"))
        ))
    assert [(one.department, one.verdict) for one in receipts] == [
        ("南城", "non_emergency"), ("", "non_emergency"), ("", "non_emergency"),
    ]


# ── what nobody has heard ────────────────────────────────────────────────────────────────────────
async def test_a_voice_that_nobody_has_heard_may_be_a_cry_for_help(database: str) -> None:
    """Nobody guesses at it, and it waits in front of ordinary work; its sender is told whom to call."""
    def guessing(texts: Sequence[str], /) -> list[Triage]:
        return [STREET_LIGHT for _ in texts]

    async with intake_over(database, triage_with=guessing) as intake:
        lamp = await intake.submit(said("路灯不亮"))
        assert lamp.verdict == "non_emergency"
        voice = await intake.submit(said("[语音]"))
        alone = await intake.submit(inbound("[语音]"))
    assert (voice.number, voice.verdict, alone.verdict) == (lamp.number, Verdict.UNCLEAR, Verdict.UNCLEAR)
    assert (alone.status, alone.category, alone.department) == (State.RECEIVED, "", "")
    assert "110、119、120" in receipt_text(alone)
    rows = await all_rows(database, "SELECT priority, alarmed FROM tickets ORDER BY id")
    assert [(row["priority"], row["alarmed"]) for row in rows] == [("P1", True), ("P1", False)]
