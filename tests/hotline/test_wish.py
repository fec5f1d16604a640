"""A micro-wish beside its ticket: never more promised than needed, what was delivered stays, over random orders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.wishes_codec import public_of
from hotline import commands as c
from hotline.decide import decide
from hotline.errors import RuleViolation
from hotline.terms import Kind, State
from hotline.wish import MAX_PLEDGES, Pledge, PledgeState, Wish, WishCommand, WishState, after
from tests.cities import NOW, POLICY
from tests.hotline.pure_tickets import CHILD, ticket

keys = st.sampled_from(["a", "b", "c", "d"])
orders: st.SearchStrategy[WishCommand] = st.one_of(
    st.builds(c.PublishWish, title=st.sampled_from(["书包", ""]), needed=st.integers(0, 5)), st.builds(c.UnpublishWish),
    st.builds(c.PledgeWish, pledge=keys, donor=st.sampled_from(["王先生", " "]), quantity=st.integers(0, 4)),
    st.builds(c.DeliverWish, pledge=keys), st.builds(c.CancelPledge, pledge=keys),
)


@given(st.lists(orders, max_size=40))
def test_what_holds_after_every_order(commands: list[WishCommand]) -> None:
    wish: Wish | None = None
    for command in commands:
        before = wish
        try:
            wish = after(wish, command)
        except RuleViolation:
            continue
        assert 0 <= wish.delivered <= wish.promised <= wish.needed
        assert len({pledge.key for pledge in wish.pledges}) == len(wish.pledges)
        if before is not None:
            assert wish.delivered >= before.delivered, "what was delivered stays delivered"
            assert [pledge.key for pledge in wish.pledges][: len(before.pledges)] == [p.key for p in before.pledges]
        assert (wish.state is WishState.FULFILLED) == (wish.delivered == wish.needed)


WISH = Wish(title="书包", needed=3, unit="个")
FULL = Wish(title="x", needed=10**6, unit="元", pledges=tuple(
    Pledge(key=str(n), donor="x", quantity=1) for n in range(MAX_PLEDGES)
))
PLEDGE = c.PledgeWish(pledge="a", donor="王", quantity=3)
PROMISED = after(WISH, c.PledgeWish(pledge="a", donor="王", quantity=2))


@pytest.mark.parametrize(("wish", "command", "says"), [
    (None, c.PledgeWish(pledge="a", donor="王"), "not published"), (None, c.DeliverWish(pledge="a"), "no pledge"),
    (after(WISH, c.UnpublishWish()), c.PledgeWish(pledge="a", donor="王"), "not published"),
    (WISH, c.PledgeWish(pledge="a", donor="王", quantity=4), "3 个"),
    (WISH, c.PledgeWish(pledge="a", donor=" "), "donor"),
    (PROMISED, c.PledgeWish(pledge="a", donor="李"), "already"),
    (PROMISED, c.PublishWish(title="书包", needed=1), "less"),
    (after(PROMISED, c.CancelPledge(pledge="a")), c.DeliverWish(pledge="a"), "cancelled already"),
    (FULL, c.PledgeWish(pledge="z", donor="x"), "500"),
])
def test_what_is_refused_says_why(wish: Wish | None, command: WishCommand, says: str) -> None:
    with pytest.raises(RuleViolation, match=says):
        after(wish, command)


def test_the_way_of_a_wish() -> None:
    claimed = after(PROMISED, c.PledgeWish(pledge="b", donor="李"))
    fulfilled = after(after(claimed, c.DeliverWish(pledge="a")), c.DeliverWish(pledge="b"))
    assert [wish.state for wish in (WISH, PROMISED, claimed, fulfilled)] == [
        WishState.PUBLISHED, WishState.PUBLISHED, WishState.CLAIMED, WishState.FULFILLED]
    assert after(claimed, c.CancelPledge(pledge="b")).state is WishState.PUBLISHED
    assert after(fulfilled, c.UnpublishWish()).state is WishState.FULFILLED
    assert {pledge.state for pledge in fulfilled.pledges} == {PledgeState.DELIVERED}


def test_what_is_over_without_coming_true_is_public_no_longer() -> None:
    """Who read of it promised in vain, and nobody could take it from the list."""
    hoped = ticket(CHILD, kind=Kind.WISH, wish=WISH)
    over = decide(hoped, c.Withdraw(), now=NOW, policy=POLICY).ticket
    assert (public_of(hoped) is None, public_of(over)) == (False, None)
    with pytest.raises(RuleViolation, match="finished"):
        decide(over, c.PledgeWish(pledge="a", donor="王"), now=NOW, policy=POLICY)
    true = ticket(CHILD, kind=Kind.WISH, wish=after(after(WISH, PLEDGE), c.DeliverWish(pledge="a")), state=State.CLOSED)
    assert public_of(true) is not None
    assert public_of(decide(true, c.UnpublishWish(), now=NOW, policy=POLICY).ticket) is None
