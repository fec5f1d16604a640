"""A citizen's data: handed out whole, erased where it may, held where it must be, and swept in its time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from agent_ui.protocol import Search
from hotline import commands as c
from hotline.appeal import Citizen
from hotline.errors import NotFound
from hotline.events import Actor, Role
from hotline.lifecycle import OPEN_STATES
from hotline.persons import Keeps, Standing, why_kept
from hotline.service import Service
from hotline.store.aging import STEP
from hotline.store.audit import AuditStore
from hotline.store.backlog import backlog
from hotline.store.callbacks import CallbackStore
from hotline.store.console import ConsoleStore
from hotline.store.nuisance import NuisanceStore
from hotline.store.persons import PersonStore
from hotline.store.sealing import blind, seal_text
from hotline.store.tickets import TicketStore
from hotline.terms import State
from routing.callbacks import MissedCall
from tests.cities import NOW, RULES
from tests.privacy.house import ZHANG, intake, opened
from tests.privacy.test_at_rest import SECRETS, whole

WHO: Any = {"by": "supervisor:wang", "reason": "本人申请", "now": NOW}
LI = Citizen(name="李四", phone="+8613911112222")


async def finish(pool: asyncpg.Pool, *numbers: str) -> None:
    """Withdraw tickets."""
    store = TicketStore(pool, prefix="DG")
    async with intake(pool, store=store) as taking:
        service = Service(store=store, intake=taking, rules=lambda: RULES, clock=lambda: NOW)
        for number in numbers:
            await service.act(number, c.Withdraw(reason="不用了"), actor=Actor(Role.CITIZEN))


async def a_life(pool: asyncpg.Pool) -> tuple[str, str, str]:
    """One finished ticket of 张三丰, one that is open, one of somebody else that is finished; with a call each."""
    [done] = await opened(pool, ["done"], text="我是张三丰13800138000,路灯不亮")
    [going] = await opened(pool, ["going"])
    [other] = await opened(pool, ["other"], citizen=LI)
    await finish(pool, done.number, other.number)
    for n, (number, phone) in enumerate(
        ((done.number, ZHANG.phone), (going.number, ZHANG.phone), (other.number, LI.phone), ("", ZHANG.phone))
    ):
        await pool.execute(
            "INSERT INTO calls (id, direction, caller, caller_sealed, started_at, ended_at, ticket_id) VALUES "
            "($1, 'in', $2, $3, $4, $4, (SELECT id FROM tickets WHERE number = $5))", f"call-{n}", blind(phone),
            seal_text(phone, context=f"caller call-{n}"), NOW, number,
        )
        await pool.execute(
            "INSERT INTO recordings (call, sha256, bytes, kept_at, keep_until) VALUES ($1, 'x', 1, $2, $3)",
            f"call-{n}", NOW, NOW + timedelta(days=700),
        )
        await pool.execute(
            "INSERT INTO transcripts (call, n, side, at, text) VALUES ($1, 1, 'citizen', $2, '路灯')", f"call-{n}", NOW
        )
    return done.number, going.number, other.number


@pytest.mark.parametrize(("state", "held", "marked", "incident"), [
    (state, held, marked, incident) for state in State for held in (False, True) for marked in (False, True)
    for incident in ("", "pending", "accepted", "signed", "returned", "refused", "closed")
])
def test_what_must_stay_stays(state: State, held: bool, marked: bool, incident: str) -> None:
    why = why_kept(Standing(state=state, held=held, marked=marked, incident=incident))
    police = incident in ("pending", "accepted", "signed")
    assert (why is None) == (not held and state not in OPEN_STATES and not police and not marked)
    if held:
        assert why is Keeps.HOLD


async def test_everything_is_handed_out_and_nothing_of_others(pool: asyncpg.Pool) -> None:
    done, going, other = await a_life(pool)
    await CallbackStore(pool).change_all(ZHANG.phone, lambda entry: None, actor="x", now=NOW)
    await ConsoleStore(pool).search(Search(id=1, phone=ZHANG.phone))
    file = await PersonStore(pool).export(ZHANG.phone, **WHO)
    assert [ticket.number for ticket in file.tickets] == [done, going]
    assert len(file.calls) == 3
    assert file.calls[0].words == ("citizen: 路灯",)
    text = str(file)
    assert "张三丰" in text
    assert "13800138000" in text
    assert other not in text
    assert LI.phone not in text
    [record] = await AuditStore(pool).page(limit=5)
    assert (record.act, record.actor, record.subject) == ("person.export", "supervisor:wang", blind(ZHANG.phone))
    assert record.detail == {"reason": "本人申请", "tickets": "2", "calls": "3"}
    empty = await PersonStore(pool).export("+8613000000000", **WHO)
    assert (empty.tickets, empty.calls) == ((), ())


async def test_erasing_takes_the_finished_and_tells_what_stays(pool: asyncpg.Pool) -> None:
    done, going, other = await a_life(pool)
    audit = AuditStore(pool)
    await audit.link_all(NOW)
    persons = PersonStore(pool)
    erased = await persons.erase(ZHANG.phone, **WHO)
    assert erased.erased == (done,)
    assert [(kept.number, kept.why) for kept in erased.kept] == [(going, Keeps.OPEN)]
    assert erased.calls == 2, "those of the finished ticket and of none; not of the open one"
    store = TicketStore(pool, prefix="DG")
    gone = (await store.read(done)).ticket
    assert gone.appeal.citizen == Citizen()
    assert "13800138000" not in gone.appeal.text
    assert "路灯不亮" in gone.appeal.text, "the matter stays, of nobody"
    assert (await store.read(going)).ticket.appeal.citizen == ZHANG
    assert (await store.read(other)).ticket.appeal.citizen == LI
    page = await ConsoleStore(pool).search(Search(id=1, phone=ZHANG.phone))
    assert len(page.rows) == 1
    due = await pool.fetch("SELECT call FROM recordings WHERE keep_until <= $1 ORDER BY call", NOW)
    assert {row[0] for row in due} >= {"call-0", "call-3"}
    assert "call-2" not in {row[0] for row in due}
    assert await audit.verify(lambda _: None) is None, "the chain does not mind"
    again = await persons.erase(ZHANG.phone, **WHO)
    assert again.erased == ()
    await finish(pool, going)
    last = await persons.erase(ZHANG.phone, **WHO)
    assert (last.erased, last.kept) == ((going,), ())
    dump = await whole(pool)
    assert [secret for secret in SECRETS if secret in dump] == []


async def test_what_is_merged_is_open_as_long_as_its_parent_is(pool: asyncpg.Pool) -> None:
    """Erased, its citizen would not hear how it ends, and freed again it would be nobody's."""
    [child] = await opened(pool, ["child"])
    [parent] = await opened(pool, ["parent"], citizen=LI)
    store = TicketStore(pool, prefix="DG")
    into = c.Merge(parent=(await store.read(parent.number)).id)
    async with intake(pool, store=store) as taking:
        service = Service(store=store, intake=taking, rules=lambda: RULES, clock=lambda: NOW)
        await service.act(child.number, into, actor=Actor(Role.AGENT, "li"))
    persons, later = PersonStore(pool), NOW + timedelta(days=4000)
    erased = await persons.erase(ZHANG.phone, **WHO)
    assert [(kept.number, kept.why) for kept in erased.kept] == [(child.number, Keeps.OPEN)]
    await persons.sweep(later, years=10)
    assert (await store.read(child.number)).ticket.appeal.citizen == ZHANG
    await pool.execute("UPDATE tickets SET state = 'closed' WHERE number = $1", parent.number)
    assert (await persons.erase(ZHANG.phone, **WHO)).erased == (child.number,)


async def test_a_mark_of_nuisance_keeps_everything(pool: asyncpg.Pool) -> None:
    done, going, _ = await a_life(pool)
    await NuisanceStore(pool).mark(ZHANG.phone, "反复", actor="w", now=NOW, until=NOW + timedelta(days=1))
    erased = await PersonStore(pool).erase(ZHANG.phone, **WHO)
    assert erased.erased == ()
    assert {kept.number: kept.why for kept in erased.kept} == {done: Keeps.NUISANCE, going: Keeps.OPEN}
    assert erased.calls == 0


@pytest.mark.parametrize("of", ["ticket", "phone"])
async def test_a_hold_keeps_until_it_is_lifted(pool: asyncpg.Pool, of: str) -> None:
    done, _, _ = await a_life(pool)
    persons = PersonStore(pool)
    which: Any = {"number": done} if of == "ticket" else {"phone": ZHANG.phone}
    id_ = await persons.hold(**which, by="supervisor:wang", reason="诉讼", now=NOW)
    held = {row[0] for row in await pool.fetch("SELECT call FROM recordings WHERE legal_hold")}
    assert held == ({"call-0"} if of == "ticket" else {"call-0", "call-1", "call-3"})
    erased = await persons.erase(ZHANG.phone, **WHO)
    assert (erased.erased, erased.calls) == ((), 0)
    assert Keeps.HOLD in {kept.why for kept in erased.kept}
    await persons.release(id_, by="supervisor:wang", reason="结案", now=NOW)
    assert await pool.fetchval("SELECT count(*) FROM recordings WHERE legal_hold") == 0
    with pytest.raises(NotFound):
        await persons.release(id_, by="supervisor:wang", reason="结案", now=NOW)
    assert (await persons.erase(ZHANG.phone, **WHO)).erased == (done,)
    [hold] = await persons.holds()
    assert (hold.number, hold.reason, hold.lift_reason) == (done if of == "ticket" else "", "诉讼", "结案")
    acts = [record.act for record in await AuditStore(pool).page(limit=9)]
    assert acts == ["person.erase", "hold.lift", "person.erase", "hold.put"]


async def test_a_hold_names_a_ticket_that_is(pool: asyncpg.Pool) -> None:
    with pytest.raises(NotFound):
        await PersonStore(pool).hold(number="DG1", by="x", reason="x", now=NOW)


async def test_the_sweep_erases_what_is_old_and_finished(pool: asyncpg.Pool) -> None:
    done, going, other = await a_life(pool)
    persons, store = PersonStore(pool), TicketStore(pool, prefix="DG")
    await persons.hold(number=other, by="x", reason="诉讼", now=NOW)
    for days in (0, 3652):
        await persons.sweep(NOW + timedelta(days=days), years=10)
        assert (await store.read(done)).ticket.appeal.citizen == ZHANG, "not yet"
    later = NOW + timedelta(days=3654)
    assert await persons.sweep(later, years=10) == 3
    assert (await store.read(done)).ticket.appeal.citizen == Citizen()
    assert (await store.read(going)).ticket.appeal.citizen == ZHANG, "open"
    assert (await store.read(other)).ticket.appeal.citizen == LI, "held"
    [record, *_] = await AuditStore(pool).page(limit=3)
    assert (record.act, record.detail["tickets"], record.detail["left"]) == ("retention.erase", "1", "2")
    assert await persons.sweep(later, years=10) == 0, "what was left is looked at again a day later"
    [hold] = await persons.holds()
    await persons.release(hold.id, by="x", reason="结案", now=later)
    assert await persons.sweep(later + timedelta(days=1, seconds=1), years=10) == 2
    assert (await store.read(other)).ticket.appeal.citizen == Citizen()
    assert STEP > 3


async def test_the_sweep_passes_no_ticket_that_was_opened_later_under_a_lower_number(pool: asyncpg.Pool) -> None:
    """Each process uses up numbers of its own: a slow one's are lower than what others opened days before."""
    slow, quick = [receipt.number for receipt in await opened(pool, ["slow", "quick"])]
    await finish(pool, slow, quick)
    await pool.execute("UPDATE tickets SET created_at = $1 WHERE number = $2", NOW - timedelta(days=1), quick)
    persons, store = PersonStore(pool), TicketStore(pool, prefix="DG")
    assert (await store.read(slow)).id < (await store.read(quick)).id
    for days, known in ((3653, {slow}), (3654, set())):
        await persons.sweep(NOW + timedelta(days=days), years=10)
        citizens = {number: (await store.read(number)).ticket.appeal.citizen for number in (slow, quick)}
        assert {number for number, citizen in citizens.items() if citizen == ZHANG} == known
    assert await persons.sweep(NOW + timedelta(days=3654), years=10) == 0, "each is looked at once"
    assert "retention" not in (await backlog(pool)).readers, "it reads no log, so it lags behind none"


async def test_letters_are_emptied_but_not_sent_twice(pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO outbox (key, channel, message, state, created_at) VALUES "
        "('old', 'call', '{\"sealed\": \"x\"}', 'sent', $1), ('new', 'call', '{\"sealed\": \"x\"}', 'sent', $2), "
        "('waits', 'call', '{\"sealed\": \"x\"}', 'pending', $1)", NOW - timedelta(days=91), NOW - timedelta(days=89),
    )
    await PersonStore(pool).sweep(NOW, years=10)
    kept = {row["key"]: row["message"] for row in await pool.fetch("SELECT key, message FROM outbox")}
    assert kept["old"] == "{}"
    assert "sealed" in kept["new"]
    assert "sealed" in kept["waits"]


async def test_callbacks_that_are_done_are_erased(pool: asyncpg.Pool) -> None:
    from hotline.callbacks import Callbacks

    callbacks = Callbacks(ledger=CallbackStore(pool), rules=lambda: RULES, clock=lambda: NOW)
    for n in range(2):
        await callbacks.owe(MissedCall(call=f"c{n}", phone=ZHANG.phone, at=NOW))
    await pool.execute("UPDATE callbacks SET state = 'done' WHERE call = 'c0'")
    assert (await PersonStore(pool).erase(ZHANG.phone, **WHO)).callbacks == 1
    phones = dict(await pool.fetch("SELECT call, phone FROM callbacks"))
    assert phones == {"c0": "", "c1": blind(ZHANG.phone)}
    file = await PersonStore(pool).export(ZHANG.phone, **WHO)
    assert [entry["call"] for entry in file.callbacks] == ["c1"]


