"""Merging as pure rules: who may be merged into what, what becomes of the deadlines, who hears of it; and lessons."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import commands as c
from hotline.appeal import Appeal, Category, Citizen
from hotline.clocks import earliest, expected_completion
from hotline.decide import Decision, decide, receive
from hotline.effects import effects_of
from hotline.errors import IllegalTransition, RuleViolation
from hotline.events import SYSTEM, Actor, Role
from hotline.family import MAX_CHILDREN, merge, unmerge
from hotline.family_news import FamilyNews, key_for, text_for
from hotline.ids import TicketId, TicketNumber
from hotline.lessons import Basis
from hotline.lifecycle import OPEN_STATES, TRANSITIONS
from hotline.personal import personal_data
from hotline.policy import Policy
from hotline.terms import Channel, Kind, Priority, RejectReason, State, Verdict
from hotline.ticket import Ticket
from tests.cities import NOW, POLICY, STREET_LIGHT

CHILD, PARENT = TicketNumber("DG20261120300000023"), TicketNumber("DG20261120300000015")
AGENT = Actor(Role.AGENT, "li")
MERGE = c.Merge(parent=TicketId(1))


def ticket(
    number: TicketNumber, *commands: c.Command, hours: int = 0, policy: Policy = POLICY, **changes: object
) -> Ticket:
    """A ticket received so many hours after NOW, after some commands, with changes."""
    now = NOW + timedelta(hours=hours)
    appeal = Appeal(text="路灯不亮", citizen=Citizen(name="王小明", phone="+8613812345678"))
    found = receive(
        number=number, channel=Channel.WEB, appeal=appeal, triage=STREET_LIGHT, now=now, policy=policy,
    ).ticket
    for command in commands:
        found = decide(found, command, now=now, policy=policy).ticket
    return msgspec.structs.replace(found, **changes)


def joined(child: Ticket, parent: Ticket) -> tuple[Decision, Decision]:
    return tuple(merge(child, parent, MERGE, now=NOW, policy=POLICY, actor=AGENT))  # type: ignore[return-value]


@pytest.mark.parametrize("state", State)
def test_the_grid_of_parents(state: State) -> None:
    """Only an open ticket takes others in; a merged one never does, so a family has two generations and no ring."""
    parent = ticket(PARENT, state=state)
    if state in OPEN_STATES:
        child, theirs = joined(ticket(CHILD), parent)
        assert (child.ticket.state, child.ticket.parent) == (State.MERGED, 1)
        assert (theirs.ticket.state, theirs.ticket.children) == (state, (CHILD,))
    else:
        with pytest.raises(RuleViolation, match="merge into one that is open"):
            joined(ticket(CHILD), parent)


@pytest.mark.parametrize("state", State)
def test_the_grid_of_children(state: State) -> None:
    child = ticket(CHILD, state=state)
    if c.Merge in TRANSITIONS[state]:
        assert joined(child, ticket(PARENT))[0].ticket.state is State.MERGED
    else:
        with pytest.raises(IllegalTransition, match="cannot merge"):
            joined(child, ticket(PARENT))


def test_what_cannot_be_merged() -> None:
    parent = ticket(PARENT)
    for child, into, rule in (
        (parent, parent, "into itself"),
        (ticket(CHILD, children=(TicketNumber("DG1"),)), parent, "unmerge them first"),
        (ticket(CHILD, verdict=Verdict.UNCLEAR), parent, "reassess it first"),
        (ticket(CHILD), ticket(PARENT, children=tuple(map(str, range(MAX_CHILDREN)))), "choose another parent"),
    ):
        with pytest.raises(RuleViolation, match=rule):
            joined(child, into)


WANG, LI = Citizen(name="王小明", phone="+8613812345678"), Citizen(name="李明", phone="+8613912345678")
CONFIDENTIAL = {"appeal": Appeal(text="路灯不亮", citizen=WANG, confidential=True)}
REPORT: dict[str, object] = {"kind": Kind.REPORT}


@pytest.mark.parametrize("child", [CONFIDENTIAL, REPORT])
@pytest.mark.parametrize("parent", [
    {}, {"appeal": Appeal(text="路灯不亮", citizen=LI)},
    {"appeal": Appeal(text="路灯不亮", citizen=LI, confidential=True)},
])
def test_who_must_not_be_known_is_not_merged_where_they_would_be(
    child: dict[str, object], parent: dict[str, object]
) -> None:
    with pytest.raises(RuleViolation, match="confidential or 举报"):
        joined(ticket(CHILD, **child), ticket(PARENT, **parent))


@pytest.mark.parametrize(("child", "parent"), [(CONFIDENTIAL, CONFIDENTIAL), (REPORT, CONFIDENTIAL), ({}, REPORT)])
def test_repeats_of_one_who_must_not_be_known_are_merged(child: dict[str, object], parent: dict[str, object]) -> None:
    assert joined(ticket(CHILD, **child), ticket(PARENT, **parent))[0].ticket.state is State.MERGED


def test_nobody_in_particular_is_not_the_same_citizen() -> None:
    nobody: dict[str, object] = {"appeal": Appeal(text="路灯不亮", confidential=True)}
    with pytest.raises(RuleViolation, match="confidential or 举报"):
        joined(ticket(CHILD, **nobody), ticket(PARENT, **nobody))


@pytest.mark.parametrize(("was", "command"), [
    ({"appeal": Appeal(text="路灯不亮", confidential=True)}, c.Correct(confidential=False)),
    ({"kind": Kind.REPORT}, c.Correct(kind=Kind.COMPLAINT)),
])
def test_what_hides_merged_citizens_is_not_opened_over_their_heads(was: dict[str, object], command: c.Correct) -> None:
    parent = ticket(PARENT, **was)
    assert decide(parent, command, now=NOW, policy=POLICY)
    with pytest.raises(RuleViolation, match="unmerge them first"):
        decide(msgspec.structs.replace(parent, children=(CHILD,)), command, now=NOW, policy=POLICY)


def test_a_merged_ticket_does_not_become_a_report() -> None:
    child = joined(ticket(CHILD), ticket(PARENT))[0].ticket
    with pytest.raises(RuleViolation, match="unmerge it first"):
        decide(child, c.Correct(kind=Kind.REPORT), now=NOW, policy=POLICY)
    with pytest.raises(RuleViolation, match="unmerge it first"):
        decide(child, c.Correct(confidential=True), now=NOW, policy=POLICY)
    assert decide(child, c.Correct(kind=Kind.COMPLAINT), now=NOW, policy=POLICY).ticket.kind is Kind.COMPLAINT


def test_merging_takes_the_ticket_from_its_department_and_unmerging_gives_it_to_the_centre() -> None:
    child, parent = joined(ticket(CHILD, c.Accept(), c.Dispatch(lead="城管局", assisting=("水务局",))), ticket(PARENT))
    assert (child.ticket.lead, child.ticket.assisting) == ("", ())
    freed = unmerge(child.ticket, parent.ticket, c.Unmerge(), now=NOW, policy=POLICY, actor=AGENT)
    assert (freed.child.ticket.state, freed.child.ticket.parent) == (State.RECEIVED, None)
    assert freed.parent.ticket.children == ()


@given(st.lists(st.tuples(st.integers(-400, 400), st.booleans()), min_size=1, max_size=5), st.booleans())
def test_the_parent_keeps_the_earliest_deadline(children: list[tuple[int, bool]], dispatched: bool) -> None:
    commands = (c.Accept(), c.Dispatch(lead="城管局")) if dispatched else ()
    parent = ticket(PARENT, *commands)
    ceilings, promised = [parent.clocks.ceiling_due], [parent.clocks.completion_due]
    for index, (hours, theirs) in enumerate(children):
        done = (c.Accept(), c.Dispatch(lead="水务局")) if theirs else ()
        child = ticket(TicketNumber(f"DG{index}"), *done, hours=hours)
        ceilings.append(child.clocks.ceiling_due)
        promised.append(child.clocks.completion_due or _told(child))
        parent = joined(child, parent)[1].ticket
    assert parent.clocks.ceiling_due == min(due for due in ceilings if due)
    if dispatched:
        wanted = min(due for due in (*promised, parent.clocks.ceiling_due) if due)
        assert parent.clocks.completion_due == max(wanted, NOW)  # what is late already is due at once
    else:
        assert parent.clocks.completion_due is None
        clocks = decide(decide(parent, c.Accept(), now=NOW, policy=POLICY).ticket, c.Dispatch(lead="城管局"), now=NOW,
                        policy=POLICY).ticket.clocks
        assert clocks.completion_due is not None
        assert clocks.completion_due <= max(min(due for due in (*ceilings, *promised) if due), NOW)


def _told(child: Ticket) -> datetime | None:
    """What the receipt told the citizen."""
    return expected_completion(child.created_at, child.clocks, child.priority, child.kind, child.category, POLICY)


def test_earliest_without_deadlines_changes_nothing() -> None:
    clocks = ticket(PARENT).clocks
    assert earliest(clocks, None, None) == clocks


# ── news ─────────────────────────────────────────────────────────────────────────────────────────
SHARED: list[tuple[State, c.Command]] = [
    (State.RECEIVED, c.Answer(text="王小明(13812345678)已答复")), (State.PENDING_SIGN, c.Sign()),
    (State.PENDING_REVIEW, c.AcceptReply()), (State.ARBITRATION, c.Rule(lead="水务局")),
    (State.CLOSED, c.Reopen(reason="x")),
]
PRIVATE: list[tuple[State, c.Command]] = [
    (State.RECEIVED, c.AskInfo(question="您家在哪?")), (State.RECEIVED, c.AddMessage(text="王先生您好", inbound=False)),
    (State.RECEIVED, c.Withdraw()), (State.RECEIVED, c.Reject(reason=RejectReason.NO_REPLY)),
    (State.RECEIVED, c.AddNote(text="内部")), (State.RECEIVED, c.Urge()),
]


@pytest.mark.parametrize(("state", "command"), SHARED, ids=str)
def test_children_hear_of_the_matter_without_the_parents_citizen(state: State, command: c.Command) -> None:
    parent = ticket(PARENT, state=state, lead="城管局", children=(CHILD,), public_reply="已修好")
    decision = decide(parent, command, now=NOW, policy=POLICY)
    [news] = effects_of(decision.ticket, decision.event, signature="东莞12345").news
    text = text_for(news, CHILD)
    assert CHILD in text
    assert f"与{PARENT}合并办理" in text
    assert "小明" not in text
    assert "13812345678" not in text


@pytest.mark.parametrize(("state", "command"), [
    (State.PENDING_FOLLOW_UP, c.SettleFollowUp(solved=True)),
    (State.PENDING_FOLLOW_UP, c.SettleFollowUp(solved=None, unreachable=True)), (State.REDO, c.Redispatch()),
], ids=["settled", "unreachable", "redispatch"])
def test_children_are_not_spoken_to_of_what_the_parents_citizen_said(state: State, command: c.Command) -> None:
    """They rated nothing, nobody tried to reach them, and it is not by their opinion that it is redone."""
    appeal = Appeal(text="路灯不亮", citizen=Citizen())  # nobody to ask: unreachable at once
    parent = ticket(PARENT, state=state, lead="城管局", children=(CHILD,), appeal=appeal)
    decision = decide(parent, command, now=NOW, policy=POLICY)
    [news] = effects_of(decision.ticket, decision.event, signature="东莞12345").news
    assert not any(words in news.text for words in ("感谢您的评价", "回访意见", "根据您的意见"))
    assert "办结" in news.text or "重新办理" in news.text


@pytest.mark.parametrize(("state", "command"), PRIVATE, ids=str)
def test_children_hear_nothing_of_the_parents_own_affairs(state: State, command: c.Command) -> None:
    decision = decide(ticket(PARENT, state=state, children=(CHILD,)), command, now=NOW, policy=POLICY)
    effects = effects_of(decision.ticket, decision.event, signature="东莞12345")
    assert effects.news == ()
    assert effects.orphans is isinstance(command, c.Withdraw | c.Reject)


def test_a_ticket_alone_has_no_news_and_leaves_no_orphans() -> None:
    decision = decide(ticket(PARENT), c.Withdraw(), now=NOW, policy=POLICY)
    effects = effects_of(decision.ticket, decision.event, signature="东莞12345")
    assert (effects.news, effects.orphans) == ((), False)


def test_news_without_the_parents_number_name_the_ticket_all_the_same() -> None:
    news = FamilyNews(parent=PARENT, version=4, text="已办结")
    assert text_for(news, CHILD) == f"工单{CHILD}(与{PARENT}合并办理):已办结"
    assert key_for(news, CHILD) != key_for(FamilyNews(parent=PARENT, version=5, text="x"), CHILD)


# ── what returns teach ───────────────────────────────────────────────────────────────────────────
def returned(*more: c.Command) -> tuple[Ticket, Decision]:
    start = ticket(PARENT, c.Accept(), c.Dispatch(lead="城管局", directory_version="2026-1"), town="南城",
                   category=Category(l1="03", l2="路灯", confidence=1.0))
    request = c.RequestReturn(legal_basis="排水条例第五条", suggested="水务局")
    decision = None
    for command in (request, *more):
        decision = decide(start, command, now=NOW, policy=POLICY)
        start = decision.ticket
    assert decision is not None
    return start, decision


def test_an_approved_return_is_an_example_for_the_directory() -> None:
    after, decision = returned(c.ApproveReturn())
    [lesson] = effects_of(after, decision.event, signature="x").lessons
    assert (lesson.l1, lesson.l2, lesson.town) == ("03", "路灯", "南城")
    assert (lesson.from_unit, lesson.to_unit) == ("城管局", "水务局")
    assert (lesson.basis, lesson.directory_version, lesson.legal_basis) == (Basis.RETURNED, "2026-1", "排水条例第五条")


@pytest.mark.parametrize(("lead", "taught"), [("水务局", 1), ("城管局", 0)])
def test_a_ruling_teaches_only_where_it_names_another(lead: str, taught: int) -> None:
    after, decision = returned(c.Arbitrate(), c.Rule(lead=lead))
    assert len(effects_of(after, decision.event, signature="x").lessons) == taught


def test_a_refused_return_and_an_unknown_category_teach_nothing() -> None:
    after, decision = returned(c.RefuseReturn(reason="属贵局职责"))
    assert effects_of(after, decision.event, signature="x").lessons == ()
    after, decision = returned(c.ApproveReturn())
    assert effects_of(msgspec.structs.replace(after, category=None), decision.event, signature="x").lessons == ()


def test_a_refused_return_gives_the_department_its_time_to_sign_anew() -> None:
    start = ticket(PARENT, c.Accept(), c.Dispatch(lead="城管局"))
    asked = decide(start, c.RequestReturn(legal_basis="x", suggested="水务局"), now=NOW, policy=POLICY).ticket
    late = NOW + timedelta(days=3)
    refused = decide(asked, c.RefuseReturn(reason="x"), now=late, policy=POLICY).ticket
    assert refused.clocks.sign_due is not None
    assert refused.clocks.sign_due > late
    assert refused.clocks.completion_due == start.clocks.completion_due


def test_the_light_of_a_clock_for_signing_that_runs_anew_is_counted_anew() -> None:
    """The days for which the centre had the return are none of the time that the department has."""
    ticket_ = ticket(PARENT, c.Accept(), c.Dispatch(lead="城管局"))
    ticket_ = decide(ticket_, c.RequestReturn(legal_basis="x", suggested="水务局"), now=NOW, policy=POLICY).ticket
    refused_at = NOW + timedelta(days=4)  # Tuesday 10:00: 120 minutes of work end at 12:00, of which 96 are 80 %
    ticket_ = decide(ticket_, c.RefuseReturn(reason="x"), now=refused_at, policy=POLICY).ticket
    assert ticket_.clocks.sign_yellow == refused_at + timedelta(minutes=96)
    corrected = decide(ticket_, c.Correct(kind=Kind.ENQUIRY), now=refused_at, policy=POLICY).ticket
    assert corrected.clocks.sign_yellow == ticket_.clocks.sign_yellow


def test_a_refused_return_leaves_an_emergency_its_clock_for_signing() -> None:
    """What came from 110 as an emergency may lie with a department: there it runs as P1 does."""
    start = ticket(PARENT, c.Accept(), priority=Priority.P0)
    asked = c.RequestReturn(legal_basis="x", suggested="水务局")
    for command in (c.Dispatch(lead="城管局"), asked, c.RefuseReturn(reason="x")):
        start = decide(start, command, now=NOW, policy=POLICY).ticket
    assert start.clocks.sign_due == NOW + timedelta(minutes=15)


# ── personal data in public texts ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("text", "certain", "doubtful"), [
    ("路灯已修好,详询0769-22830000或12345", 0, 0),
    ("已联系王小明", 1, 0), ("请致电13812345678", 1, 0), ("请致电138-1234-5678", 1, 0),
    ("身份证44190019900101123X", 1, 0),
    ("身份证440106700101123", 1, 0), ("卡号4111 1111 1111 1112", 0, 0), ("卡号4111 1111 1111 1111", 1, 0),
    ("已致电0769-22223333告知", 1, 0), ("车牌粤S·12345已拖离", 0, 1), ("新能源粤SD12345", 0, 1),
    ("邮箱a.b@example.com", 0, 1),
    ("张先生反映", 0, 1), ("鸿福小区3栋2单元501房", 0, 1), ("工单DG202611213000042701", 0, 0),
    ("投入资金1234567890123456元", 0, 0), ("根据第20261121号文", 0, 0), ("", 0, 0),
])
def test_personal_data_is_found(text: str, certain: int, doubtful: int) -> None:
    found = personal_data(text, "王小明", phone="+8676922223333")
    assert (len(found.certain), len(found.doubtful)) == (certain, doubtful), found
    assert not any(secret in "".join(found.certain) for secret in ("13812345678", "小明", "4111 1111 1111 1111"))


@given(st.text(max_size=60), st.text(max_size=6))
def test_no_text_breaks_the_search(text: str, name: str) -> None:
    personal_data(text, name)
    assert SYSTEM.role is Role.SYSTEM
