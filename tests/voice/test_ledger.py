"""What calls that are answered do to the ledger of callbacks: the real one; the PBX is a stand-in in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest

from hotline.call_books import CallBooks
from hotline.call_debts import PAUSE
from hotline.callbacks import Callbacks
from hotline.errors import Unavailable
from hotline.store.callbacks import CallbackStore
from hotline.store.database import open_pool
from hotline.telephone import Telephone
from hotline.terms import TryResult
from routing import call_words as m
from routing.call_presence import TALKING
from routing.call_wait import GREETING, Preview
from routing.callbacks import Callback, CallbackState, MissedCall, Outcome
from routing.callflow import OUTSIDE
from routing.calls import Phase, Role
from tests.cities import NOW, RULES
from tests.voice.test_catching_up import Exchange, Failing

PHONE, BY = "+8613800138000", "agent:wang"


class Books(CallBooks):
    """Books of which each method named in `away` fails once."""

    away: set[str]

    async def owe(self, missed: MissedCall, /) -> None:
        self._answers("owe")
        await super().owe(missed)

    async def through(self, caller: str, at: datetime, /) -> None:
        self._answers("through")
        await super().through(caller, at)

    def _answers(self, what: str) -> None:
        if what in self.away:
            self.away.remove(what)
            raise Unavailable("the database does not answer")


class Office:
    """One missed call that `wang` has taken, and the telephone that calls and is called."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.ledger, self.now = CallbackStore(pool), NOW
        self.callbacks = Callbacks(ledger=self.ledger, rules=lambda: RULES, clock=lambda: self.now)
        self.books = Books(self.callbacks, None)  # type: ignore[arg-type]
        self.books.away = set()
        self.pbx, self.store = Exchange(), Failing(pool)
        self.telephone = Telephone(pbx=self.pbx, store=self.store, books=self.books, clock=lambda: self.now)

    async def misses(self) -> None:
        """Owe a call, and let `wang` take it."""
        await self.callbacks.owe(MissedCall(call="missed", phone=PHONE, at=NOW))
        taken = await self.callbacks.take("wang", by=BY)
        assert taken is not None
        self.owed = taken

    async def calls_back(self) -> None:
        """Call the citizen; somebody, or a mailbox, picks up."""
        await self.rings_back()
        await self.picks_up("out-1", Role.CITIZEN)

    async def rings_back(self) -> None:
        """Ring the citizen."""
        await self.telephone.dial(Preview(
            call="out-1", agent="wang", endpoint="PJSIP/wang", number=PHONE, callback=self.owed.id
        ))
        await self.picks_up("out-1", Role.AGENT)

    async def keeps_a_place(self) -> None:
        """The citizen calls, presses the key and hangs up."""
        for happening in (m.Entered("in-0", PHONE, "12345"), m.Played("in-0", GREETING), m.Digit("1"), m.Gone("in-0")):
            await self.telephone.happen("in-0", happening)

    async def is_called(self) -> None:
        """The citizen calls again and is answered."""
        for happening in (m.Entered("in-1", PHONE, "12345"), m.Played("in-1", GREETING), m.Assigned("wang", "PJSIP/w")):
            await self.telephone.happen("in-1", happening)
        await self.picks_up("in-1", Role.AGENT)

    async def others_call(self) -> None:
        """What failed is told again with somebody else's call, once the books have been left alone long enough."""
        self.now += 2 * PAUSE
        await self.telephone.happen("in-9", m.Entered("in-9", "", "12345"))
        await self.telephone.happen("in-9", m.Gone("in-9"))

    async def picks_up(self, call: str, role: Role) -> None:
        await self.telephone.happen(call, m.Up(self.channel(call, role)))

    async def hangs_up(self, call: str) -> None:
        await self.telephone.happen(call, m.Gone(self.channel(call, Role.CITIZEN)))

    def channel(self, call: str, role: Role) -> str:
        leg = self.telephone.calls[call].of(role)
        assert leg is not None
        return leg.channel

    async def entry(self) -> Callback:
        """Return the entry as it is now, without changing it."""
        return await self.ledger.change(self.owed.id, lambda _: None, actor=BY, now=NOW, letter=lambda _: None)


@pytest.fixture
async def office(database: str) -> AsyncIterator[Office]:
    async with await open_pool(database, size=3) as pool:
        office = Office(pool)
        await office.misses()
        yield office


async def test_whoever_picks_up_when_we_call_back_the_agent_says_how_it_went(office: Office) -> None:
    """A mailbox picks up too, and somebody else: that is not the citizen who called again."""
    await office.calls_back()
    assert office.telephone.calls["out-1"].phase is Phase.TALKING
    told = await office.callbacks.tried(office.owed.id, "wang", TryResult.NO_ANSWER, by=BY, note="语音信箱")
    assert (told.state, told.outcome, len(told.tries)) == (CallbackState.OWED, None, 1)
    await office.hangs_up("out-1")
    assert await office.entry() == told, "what the agent said stays"


async def test_a_talk_of_ours_is_told_as_reached_by_itself(office: Office) -> None:
    await office.calls_back()
    await office.hangs_up("out-1")
    assert (await office.entry()).outcome is Outcome.REACHED


async def test_a_telephone_that_rang_out_is_a_try(office: Office) -> None:
    await office.rings_back()
    await office.telephone.happen("out-1", m.RungOut(office.channel("out-1", Role.CITIZEN)))
    entry = await office.entry()
    assert (entry.state, [one.result for one in entry.tries]) == (CallbackState.OWED, [TryResult.NO_ANSWER])


@pytest.mark.parametrize("placed", [False, True], ids=["refused by the PBX", "lost with the PBX"])
async def test_a_call_whose_telephone_need_not_have_rung_is_no_try(office: Office, *, placed: bool) -> None:
    if not placed:
        office.pbx.refuses = lambda action: isinstance(action, m.Dial) and action.endpoint.startswith(OUTSIDE)
    await office.rings_back()
    if placed:
        await office.telephone.happen("out-1", m.Gone(office.channel("out-1", Role.CITIZEN)))
    assert "out-1" not in office.telephone.calls
    entry = await office.entry()
    assert (entry.state, entry.tries) == (CallbackState.ASSIGNED, ())


async def test_a_talk_that_lasts_longer_than_a_callback_is_held_ends_it(office: Office) -> None:
    await office.calls_back()
    office.now += timedelta(hours=1)
    await office.callbacks.sweep()
    held = await office.entry()
    assert (held.state, held.late) == (CallbackState.ASSIGNED, False), "nobody else rings whom we talk to"
    await office.hangs_up("out-1")
    assert (await office.entry()).outcome is Outcome.REACHED


async def test_a_talk_of_ours_that_was_handed_to_a_colleague_ends_the_callback(office: Office) -> None:
    await office.calls_back()
    await office.telephone.happen("out-1", m.Transfer("li", "PJSIP/li", "available"))
    await office.picks_up("out-1", Role.PARTY)
    await office.hangs_up("out-1")
    ended = await office.entry()
    assert (ended.outcome, ended.agent) == (Outcome.REACHED, "li")


async def test_who_was_called_back_and_gives_up_in_another_queue_is_owed_that_call_once(office: Office) -> None:
    await office.calls_back()
    await office.telephone.happen("out-1", m.Requeue("general"))
    await office.hangs_up("out-1")
    assert (await office.entry()).outcome is Outcome.REACHED
    owed = await office.callbacks.take("li", by="agent:li")
    assert owed is not None
    assert (owed.call, owed.phone) == ("out-1", PHONE)
    assert await office.callbacks.take("li", by="agent:li") is None


async def test_who_calls_again_and_is_answered_is_owed_nothing(office: Office) -> None:
    await office.is_called()
    assert (await office.entry()).outcome is Outcome.CALLED_AGAIN


@pytest.mark.parametrize("ringing", [False, True])
async def test_whose_place_was_kept_and_who_calls_again_is_not_rung_for_it(office: Office, *, ringing: bool) -> None:
    await office.keeps_a_place()
    if ringing:  # an agent has answered, and the citizen, who is on the other line, is rung
        await office.telephone.happen("in-0", m.Assigned("li", "PJSIP/li"))
        await office.picks_up("in-0", Role.AGENT)
    await office.is_called()
    assert set(office.telephone.calls) == {"in-1"}
    assert "in-0" not in office.telephone.queues.board.waiting
    assert await office.callbacks.take("li", by="agent:li") is None, "nothing is owed on top"


@pytest.mark.parametrize("away", ["owe", "through"])
@pytest.mark.parametrize("kept", [False, True], ids=["hung up", "kept a place"])
async def test_who_gets_through_is_owed_nothing_though_the_ledger_failed(office: Office, away: str, kept: bool) -> None:
    """Neither before they called again nor with the answer does it matter that the ledger was away."""
    await office.keeps_a_place()
    office.books.away = {away}
    if not kept:
        await office.telephone.happen("in-0", m.HangUp())
    await office.is_called()
    await office.others_call()
    assert not office.books.away, "the ledger was asked while it was away"
    assert await office.callbacks.take("li", by="agent:li") is None
    assert (await office.entry()).outcome is Outcome.CALLED_AGAIN


@pytest.mark.parametrize("kept", [False, True], ids=["hung up", "kept a place"])
async def test_who_gets_through_is_owed_nothing_though_no_agent_could_be_told(office: Office, kept: bool) -> None:
    await office.keeps_a_place()
    if not kept:
        await office.telephone.happen("in-0", m.HangUp())
    office.store.lost = {TALKING}
    with pytest.raises(Unavailable):
        await office.is_called()
    await office.others_call()
    assert set(office.telephone.calls) == {"in-1"}
    assert await office.callbacks.take("li", by="agent:li") is None
    assert (await office.entry()).outcome is Outcome.CALLED_AGAIN


@pytest.mark.parametrize("kept", [False, True], ids=["hung up", "kept a place"])
async def test_who_calls_in_vain_again_before_it_is_noted_that_they_got_through_is_owed_that_call(
    office: Office, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    through, fails = office.books.through, [True]

    async def broken(caller: str, at: datetime, /) -> None:
        if fails:
            raise RuntimeError("whatever it is")
        await through(caller, at)

    monkeypatch.setattr(office.books, "through", broken)
    if kept:
        await office.keeps_a_place()
    await office.is_called()
    await office.hangs_up("in-1")
    office.now += 2 * PAUSE
    for happening in (m.Entered("in-2", PHONE, "12345"), m.Played("in-2", GREETING), m.Gone("in-2")):
        await office.telephone.happen("in-2", happening)
    await office.others_call()
    fails.clear()
    await office.others_call()
    assert (await office.entry()).outcome is Outcome.CALLED_AGAIN
    owed = await office.callbacks.take("li", by="agent:li")
    assert owed is not None
    assert owed.call == "in-2"
    assert await office.callbacks.take("li", by="agent:li") is None


async def test_a_place_that_they_keep_after_the_talk_stays_though_the_ledger_is_away(office: Office) -> None:
    office.books.away = {"through"}
    await office.is_called()
    await office.hangs_up("in-1")
    office.now += PAUSE / 2
    await office.keeps_a_place()
    await office.others_call()
    assert set(office.telephone.calls) == {"in-0"}
    assert (await office.entry()).outcome is Outcome.CALLED_AGAIN


async def test_a_place_that_could_not_be_ended_when_they_got_through_is_ended_later(office: Office) -> None:
    await office.keeps_a_place()
    office.store.fails = lambda call: call.phase is Phase.OVER
    await office.is_called()
    await office.others_call()
    assert set(office.telephone.calls) == {"in-1"}
    assert await office.callbacks.take("li", by="agent:li") is None, "nothing is owed on top"


async def test_whose_place_is_kept_stays_though_others_get_through(office: Office) -> None:
    await office.keeps_a_place()
    for happening in (m.Entered("in-2", "", "12345"), m.Played("in-2", GREETING), m.Assigned("wang", "PJSIP/w")):
        await office.telephone.happen("in-2", happening)
    await office.picks_up("in-2", Role.AGENT)
    assert set(office.telephone.calls) == {"in-0", "in-2"}
