"""A legal hold keeps everything: also what comes after it was put, and what is of no ticket."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hotline.callbacks import Callbacks
from hotline.store.aging import LETTERS_KEPT
from hotline.store.call_cards import CallCards
from hotline.store.callbacks import CallbackStore
from hotline.store.persons import PersonStore
from hotline.store.recordings import RecordingStore
from hotline.store.sealing import blind, seal_text
from hotline.store.transcripts import TranscriptStore
from routing.call_news import CallWords
from routing.callbacks import MissedCall
from routing.calls import Role
from tests.cities import NOW, RULES
from tests.privacy.house import ZHANG, opened
from tests.privacy.test_persons import LI, WHO, finish

HOLD: Any = {"by": "supervisor:wang", "reason": "诉讼", "now": NOW}
LATER = NOW + timedelta(days=731)


@pytest.fixture
def tapes(pool: asyncpg.Pool, tmp_path: Path) -> RecordingStore:
    """Recordings that are kept for 730 days."""
    return RecordingStore(pool, files=tmp_path, days=730)


async def called(pool: asyncpg.Pool, tapes: RecordingStore, id_: str, phone: str, number: str = "") -> None:
    """A call that is over, its recording fetched and its words heard."""
    await pool.execute(
        "INSERT INTO calls (id, direction, caller, caller_sealed, started_at, ended_at, ticket_id) VALUES "
        "($1, 'in', $2, $3, $4, $4, (SELECT id FROM tickets WHERE number = $5))", id_, blind(phone),
        seal_text(phone, context=f"caller {id_}"), NOW, number,
    )
    await tapes.keep(id_, id_.encode(), now=NOW)
    await TranscriptStore(pool).add(CallWords(call=id_, n=1, side=Role.CITIZEN, text="路灯"), now=NOW)


async def kept(pool: asyncpg.Pool, tapes: RecordingStore) -> tuple[set[str], set[str]]:
    """Let two years pass; return the calls whose recordings and whose words are still there."""
    await tapes.purge(LATER)
    await TranscriptStore(pool).forget(LATER - timedelta(days=730))
    recordings = await pool.fetch("SELECT call FROM recordings WHERE deleted_at IS NULL")
    return {row[0] for row in recordings}, {row[0] for row in await pool.fetch("SELECT call FROM transcripts")}


@pytest.mark.parametrize("of", ["ticket", "phone"])
async def test_calls_recorded_after_the_hold_outlive_their_time(
    pool: asyncpg.Pool, tapes: RecordingStore, of: str
) -> None:
    [receipt] = await opened(pool, ["one"])
    persons = PersonStore(pool)
    which: Any = {"number": receipt.number} if of == "ticket" else {"phone": ZHANG.phone}
    id_ = await persons.hold(**which, **HOLD)
    await called(pool, tapes, "of the ticket", LI.phone, receipt.number)
    await called(pool, tapes, "of the phone", ZHANG.phone)
    await called(pool, tapes, "of others", LI.phone)
    held = {"of the ticket"} if of == "ticket" else {"of the ticket", "of the phone"}
    assert await kept(pool, tapes) == (held, held)
    assert (await tapes.of("of the ticket")).legal_hold
    assert [call.legal_hold for call in await tapes.of_ticket(receipt.number)] == [True]
    await persons.release(id_, **HOLD)
    assert await kept(pool, tapes) == (set(), set())


async def test_a_call_linked_with_the_ticket_after_the_hold_is_held(pool: asyncpg.Pool, tapes: RecordingStore) -> None:
    [receipt] = await opened(pool, ["one"])
    await called(pool, tapes, "linked later", LI.phone)
    await PersonStore(pool).hold(number=receipt.number, **HOLD)
    await pool.execute("UPDATE calls SET ticket_id = (SELECT id FROM tickets)")
    assert await kept(pool, tapes) == ({"linked later"}, {"linked later"})


@pytest.mark.parametrize("of", ["ticket", "phone"])
async def test_a_hold_on_any_ticket_of_a_call_keeps_it(pool: asyncpg.Pool, tapes: RecordingStore, of: str) -> None:
    [first] = await opened(pool, ["one"], citizen=LI)
    [second] = await opened(pool, ["two"])
    cards, persons = CallCards(pool), PersonStore(pool)
    await called(pool, tapes, "both", LI.phone, first.number)
    await called(pool, tapes, "first only", LI.phone, first.number)
    for _ in range(2):
        await cards.link("both", second.number)
        await cards.link("both", first.number)
    assert [len(await tapes.of_ticket(one.number)) for one in (first, second)] == [2, 1]
    which: Any = {"number": second.number} if of == "ticket" else {"phone": ZHANG.phone}
    id_ = await persons.hold(**which, **HOLD)
    assert await pool.fetchval("SELECT array_agg(call) FROM recordings WHERE legal_hold") == ["both"]
    assert await kept(pool, tapes) == ({"both"}, {"both"})
    await finish(pool, first.number)
    assert (await persons.erase(LI.phone, **WHO)).calls == 1
    await persons.release(id_, **HOLD)
    assert await kept(pool, tapes) == (set(), set())


async def test_words_stay_as_long_as_a_recording_that_is_held(pool: asyncpg.Pool, tapes: RecordingStore) -> None:
    await called(pool, tapes, "held", ZHANG.phone)
    await tapes.hold("held", held=True)
    assert await kept(pool, tapes) == ({"held"}, {"held"})


async def test_erasing_leaves_calls_and_callbacks_of_a_held_phone_without_a_ticket(
    pool: asyncpg.Pool, tapes: RecordingStore
) -> None:
    persons = PersonStore(pool)
    id_ = await persons.hold(phone=ZHANG.phone, **HOLD)
    await called(pool, tapes, "held", ZHANG.phone)
    callbacks = Callbacks(ledger=CallbackStore(pool), rules=lambda: RULES, clock=lambda: NOW)
    await callbacks.owe(MissedCall(call="missed", phone=ZHANG.phone, at=NOW))
    await pool.execute("UPDATE callbacks SET state = 'done'")
    done = await persons.erase(ZHANG.phone, **WHO)
    assert (done.calls, done.callbacks) == (0, 0)
    assert len((await persons.export(ZHANG.phone, **WHO)).calls) == 1
    await persons.release(id_, **HOLD)
    done = await persons.erase(ZHANG.phone, **WHO)
    assert (done.calls, done.callbacks) == (1, 1)
    assert await pool.fetchval("SELECT count(*) FROM transcripts") == 0


async def test_erasing_leaves_a_call_of_somebody_elses_held_ticket(pool: asyncpg.Pool, tapes: RecordingStore) -> None:
    [receipt] = await opened(pool, ["one"])
    await called(pool, tapes, "about it", LI.phone, receipt.number)
    await called(pool, tapes, "another", LI.phone)
    await PersonStore(pool).hold(number=receipt.number, **HOLD)
    assert (await PersonStore(pool).erase(LI.phone, **WHO)).calls == 1
    assert await pool.fetchval("SELECT caller FROM calls WHERE id = 'about it'") == blind(LI.phone)
    assert await kept(pool, tapes) == ({"about it"}, {"about it"})


async def test_erasing_leaves_what_was_said_about_a_ticket_that_is_left(
    pool: asyncpg.Pool, tapes: RecordingStore
) -> None:
    [done, going] = await opened(pool, ["done", "going"])
    await finish(pool, done.number)
    await called(pool, tapes, "done", ZHANG.phone, done.number)
    await called(pool, tapes, "going", ZHANG.phone, going.number)
    await PersonStore(pool).erase(ZHANG.phone, **WHO)
    due = await pool.fetch("SELECT call FROM recordings WHERE keep_until <= $1", NOW)
    assert [row["call"] for row in due] == ["done"]
    assert [row["call"] for row in await pool.fetch("SELECT call FROM transcripts")] == ["going"]


@pytest.mark.parametrize("of", ["ticket", "phone"])
async def test_delivered_letters_of_a_hold_stay_whole(pool: asyncpg.Pool, of: str) -> None:
    [receipt] = await opened(pool, ["one"])
    [other] = await opened(pool, ["other"], citizen=LI)
    callbacks = Callbacks(ledger=CallbackStore(pool), rules=lambda: RULES, clock=lambda: NOW)
    for call, phone in (("c1", ZHANG.phone), ("c2", LI.phone)):
        await callbacks.owe(MissedCall(call=call, phone=phone, at=NOW))
    external = await pool.fetchval("SELECT external_id FROM inbox i JOIN tickets t ON t.id = i.ticket_id "
                                   "WHERE t.number = $1", receipt.number)
    which: Any = {"number": receipt.number} if of == "ticket" else {"phone": ZHANG.phone}
    await PersonStore(pool).hold(**which, **HOLD)
    await pool.execute("DELETE FROM outbox")
    held = {f"notice-{receipt.number}-3-sms", f"family-{receipt.number}-9-2", f"answer-{external}", "callback-c1"}
    gone = {f"notice-{other.number}-3", "answer-of-nobody", "callback-c2", "callback-"}
    await pool.execute(
        "INSERT INTO outbox (key, channel, message, state, created_at) "
        "SELECT key, (SELECT max(channel) FROM inbox), '{\"sealed\": \"x\"}', 'sent', $2 "
        "FROM unnest($1::text[]) AS k (key)",
        [*held, *gone], NOW - LETTERS_KEPT - timedelta(days=1),
    )
    await PersonStore(pool).sweep(NOW, years=10)
    assert {row["key"] for row in await pool.fetch("SELECT key FROM outbox WHERE message <> '{}'")} == held


async def settled(pool: asyncpg.Pool, task: asyncio.Task[Any], waiting: int) -> None:
    """Return once a task has ended, or so many wait for a lock of the database."""
    while not task.done() and await pool.fetchval(
        "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE NOT granted AND datname = current_database()"
    ) < waiting:
        await asyncio.sleep(0)


@pytest.mark.parametrize("erase", ["asked for", "by age"])
async def test_a_hold_and_an_erasure_at_once_come_one_after_the_other(pool: asyncpg.Pool, erase: str) -> None:
    """Who has put a hold is told so only when nothing more of it is being erased; whoever erases later knows of it."""
    numbers = [receipt.number for receipt in await opened(pool, ["one", "two"])]
    await finish(pool, *numbers)
    persons, old = PersonStore(pool), NOW + timedelta(days=3660)

    def begun() -> asyncio.Task[Any]:
        return asyncio.create_task(
            persons.erase(ZHANG.phone, **WHO) if erase == "asked for" else persons.sweep(old, years=10)
        )

    def holding() -> asyncio.Task[Any]:
        return asyncio.create_task(persons.hold(number=numbers[0], **HOLD))

    for busy, first, second in (("recordings", holding, begun), ("callbacks", begun, holding)):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(f"LOCK TABLE {busy} IN ACCESS EXCLUSIVE MODE")
            one = first()
            await settled(pool, one, 1)
            two = second()
            await settled(pool, two, 2)
            assert [one.done(), two.done()] == [False, False], "each waits"
        await asyncio.gather(one, two)
        identity = await pool.fetch("SELECT number FROM tickets WHERE citizen <> ''")
        assert [row["number"] for row in identity] == numbers[:1], "the hold was put before anything was erased"
