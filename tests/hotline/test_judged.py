"""What triage reads of a delivery, and what the citizen's own choices make of its answer."""

from __future__ import annotations

import msgspec
import pytest

from channels.message import Inbound
from hotline.appeal import Appeal, Category, Triage
from hotline.ids import TicketNumber
from hotline.judged import judged_text
from hotline.opening import open_ticket
from hotline.terms import Channel, Kind, Priority, State
from hotline.ticket import Ticket
from routing.priority import PriorityRules
from tests.cities import NOW, RULES, STREET_LIGHT

WATER = Triage(category=Category(l1="09", l2="供水", confidence=0.95), kind=Kind.COMPLAINT, sure=True)
LAMP = Category(l1="03", l2="路灯")
PRIORITIES = PriorityRules(kinds=frozenset({Kind.COMPLAINT}), p1=frozenset(), p2=frozenset({"路灯"}))


def told(text: str = "坏了三天没人修", *, channel: Channel = Channel.APP, category: Category | None = None,
         **appeal: object) -> Inbound:
    return Inbound(
        channel=channel, external_id="k", appeal=Appeal(text=text, **appeal), received_at=NOW, category=category,  # type: ignore[arg-type]
    )


def opened(inbound: Inbound, triage: Triage) -> Ticket:
    number, rules = TicketNumber("DG20261120300000015"), msgspec.structs.replace(RULES, priorities=PRIORITIES)
    return open_ticket(inbound, triage, number=number, rules=rules, now=NOW).ticket


@pytest.mark.parametrize("channel", list(Channel))
def test_a_title_is_judged_below_the_text(channel: Channel) -> None:
    inbound = told("快来", channel=channel, title="三楼着火有人被困")
    assert judged_text(inbound) == "快来\n三楼着火有人被困"


@pytest.mark.parametrize("title", [
    "", "三楼着火有人被困", "三楼着火,有人被困", "三楼着火…", "三楼着火... 快来", " 快来 ", "……",
])
def test_what_the_text_says_already_is_not_judged_twice(title: str) -> None:
    text = "三楼着火 有人被困。快来"
    assert judged_text(told(text, title=title)) == text


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
