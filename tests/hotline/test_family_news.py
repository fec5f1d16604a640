"""What the citizens of merged tickets hear, and what they do not."""

from __future__ import annotations

import pytest

from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.decide import decide
from hotline.effects import effects_of
from hotline.family import merge
from hotline.family_news import FamilyNews, key_for, text_for
from hotline.ids import TicketId
from hotline.terms import RejectReason, State
from tests.cities import NOW, POLICY
from tests.hotline.pure_tickets import AGENT, CHILD, PARENT, ticket

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


@pytest.mark.parametrize(("state", "told"), [(State.PENDING_FOLLOW_UP, True), (State.HANDLING, False)])
def test_who_is_merged_when_the_others_have_heard_the_result_hears_it_too(state: State, told: bool) -> None:
    parent = ticket(PARENT, state=state, public_reply="已为王小明(13812345678)修好")
    both = merge(ticket(CHILD), parent, c.Merge(parent=TicketId(1)), now=NOW, policy=POLICY, actor=AGENT)
    effects = effects_of(both.child.ticket, both.child.event, signature="东莞12345", parent=parent)
    [message] = effects.messages
    assert "合并办理" in message.text
    assert ("修好" in message.text) == told
    assert "小明" not in message.text
    assert "13812345678" not in message.text


def test_a_ticket_alone_has_no_news_and_leaves_no_orphans() -> None:
    decision = decide(ticket(PARENT), c.Withdraw(), now=NOW, policy=POLICY)
    effects = effects_of(decision.ticket, decision.event, signature="东莞12345")
    assert (effects.news, effects.orphans) == ((), False)


def test_news_without_the_parents_number_name_the_ticket_all_the_same() -> None:
    news = FamilyNews(parent=PARENT, version=4, text="已办结")
    assert text_for(news, CHILD) == f"工单{CHILD}(与{PARENT}合并办理):已办结"
    assert key_for(news, CHILD) != key_for(FamilyNews(parent=PARENT, version=5, text="x"), CHILD)
