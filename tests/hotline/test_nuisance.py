"""Malicious nuisance: contained and never lost, and danger passes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import commands as c
from hotline.appeal import UNTRIAGED, Appeal, Category, Citizen
from hotline.containment import as_contact
from hotline.errors import RateLimited
from hotline.events import SYSTEM, Receive, TicketEvent
from hotline.ids import TicketNumber
from hotline.nuisance import Outcome, Rates, Recent, contained, judge, sender_of
from hotline.terms import Channel, Priority, State, Verdict
from tests.cities import NOW, STREET_LIGHT
from tests.hotline.nuisance_house import OTHER, PHONE, house


# ── the rule ─────────────────────────────────────────────────────────────────────────────────────
@given(
    st.sampled_from(Verdict), st.integers(0, 30), st.sampled_from(["", "DG1"]),
    st.none() | st.sampled_from([Outcome.CONTAINED, Outcome.FOLDED, Outcome.REFUSED]),
)
def test_danger_passes_and_a_repeat_gets_what_it_got(
    verdict: Verdict, messages: int, number: str, before: Outcome | None
) -> None:
    triage = msgspec.structs.replace(STREET_LIGHT, verdict=verdict)
    outcome = judge(triage, Recent(messages=messages, number=number, before=before), Rates())
    if verdict is not Verdict.NON_EMERGENCY:
        assert outcome is Outcome.PASSED
    elif before is not None:
        assert outcome is before
    else:
        expected = Outcome.CONTAINED if messages < 2 or (messages < 10 and not number) else Outcome.FOLDED
        assert outcome is (Outcome.REFUSED if messages >= 10 else expected)


def test_what_triage_could_not_judge_passes() -> None:
    assert judge(UNTRIAGED, Recent(messages=99), Rates()) is Outcome.PASSED


def test_a_contained_message_waits_for_a_person_at_the_end_of_the_line() -> None:
    held = contained(msgspec.structs.replace(STREET_LIGHT, priority=Priority.P2))
    assert (held.priority, held.needs_person, held.evidence[-1].rule) == (Priority.P3, True, "nuisance")


@pytest.mark.parametrize(("channel", "told", "learnt", "sender"), [
    (Channel.CALL, Citizen(phone=OTHER, key=PHONE), Citizen(), PHONE),
    (Channel.CALL, Citizen(phone=PHONE, key=PHONE), Citizen(phone=OTHER), PHONE),
    (Channel.CALL, Citizen(phone=OTHER), Citizen(), OTHER),
    (Channel.WECHAT, Citizen(key="openid-of-li"), Citizen(phone=OTHER), "openid-of-li"),
    (Channel.WEB, Citizen(phone=PHONE, key=PHONE), Citizen(phone=OTHER), OTHER),
    (Channel.WEB, Citizen(key="chat:5f"), Citizen(phone=PHONE), PHONE),
    (Channel.PORTAL, Citizen(phone=PHONE, key="portal:7"), Citizen(), PHONE),
    (Channel.CALL, Citizen(), Citizen(), ""),
])
def test_who_gives_the_number_of_somebody_else_gets_nobody_marked(
    channel: Channel, told: Citizen, learnt: Citizen, sender: str
) -> None:
    receipt = Receive(
        number=TicketNumber("DG1"), channel=channel, appeal=Appeal(text="骂人", citizen=told), triage=STREET_LIGHT
    )
    assert sender_of([
        TicketEvent(version=n, at=NOW, actor=SYSTEM, state=State.RECEIVED, fact=fact)
        for n, fact in enumerate((receipt, c.Correct(citizen=learnt)), 1)
    ]) == sender


@pytest.mark.parametrize(("given", "kept"), [
    ("138-0013-8000", PHONE), ("0769-22223333", "+8676922223333"), ("openid-of-li", "openid-of-li"),
])
def test_contacts_are_known_whatever_their_form(given: str, kept: str) -> None:
    assert as_contact(given) == kept


# ── messages ─────────────────────────────────────────────────────────────────────────────────────
async def test_contained_then_joined_then_refused_and_nothing_is_lost(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        assert (await home.send()).status == State.PENDING_SIGN, "nobody is contained without a mark"
        await home.marked()
        before = await home.tickets()
        receipts = [await home.send(f"又来了{n}") for n in range(10)]
        assert {receipt.status for receipt in receipts[:2]} == {State.RECEIVED}, "not dispatched by itself"
        assert await home.tickets() == before + 2
        assert {receipt.number for receipt in receipts[2:]} == {receipts[1].number}, "the rest joined the last one"
        with pytest.raises(RateLimited) as caught:
            await home.send("第十一条")
        assert "110" in caught.value.detail
        kept = await home.pool.fetch("SELECT text, outcome FROM nuisance_contacts ORDER BY id")
        assert [row["outcome"] for row in kept] == ["contained"] * 2 + ["folded"] * 8 + ["refused"]
        assert kept[-1]["text"] == "第十一条"
        ticket = (await home.store.read(receipts[0].number)).ticket
        assert (ticket.priority, ticket.triage.needs_person) == (Priority.P3, True)
        home.now += timedelta(hours=1, seconds=1)
        assert (await home.send("一小时后")).status == State.RECEIVED


async def test_the_category_that_a_marked_contact_chooses_sends_nothing_on(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        lamp = Category(l1="03", l2="路灯")
        assert (await home.send(category=lamp)).status == State.PENDING_SIGN, "what others choose from the list does"
        await home.marked()
        receipt = await home.send(category=lamp)
        ticket = (await home.store.read(receipt.number)).ticket
        assert (receipt.status, ticket.triage.needs_person, ticket.priority) == (State.RECEIVED, True, Priority.P3)


async def test_an_emergency_passes_however_often_somebody_called(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        for n in range(12):
            try:
                await home.send(f"骂人{n}")
            except RateLimited:
                assert n >= 10
        receipt = await home.send("我家着火了,快来人")
        assert (receipt.status, receipt.verdict) == (State.HANDED_OFF, Verdict.EMERGENCY)
        assert await home.pool.fetchval("SELECT count(*) FROM incidents") == 1


async def test_others_are_not_touched(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        both = await asyncio.gather(home.send(phone=OTHER), home.send(), home.send(phone=""))
        assert [receipt.status for receipt in both] == [State.PENDING_SIGN, State.RECEIVED, State.PENDING_SIGN]


async def test_a_repeated_delivery_gets_the_first_answer_and_counts_once(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        first = await home.send("又来了", key="same")
        again = [await home.send("又来了", key="same") for _ in range(15)]
        assert {receipt.number for receipt in again} == {first.number}
        assert all(receipt.repeat for receipt in again)
        assert await home.pool.fetchval("SELECT count(*) FROM nuisance_contacts") == 1


async def test_if_the_evidence_cannot_be_kept_the_message_passes(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        await home.pool.execute("ALTER TABLE nuisance_contacts RENAME TO gone")
        assert (await home.send()).status == State.PENDING_SIGN
