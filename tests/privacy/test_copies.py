"""Erasing takes every copy: letters, parcels to neighbours, marks that have ended, files; and nothing of others."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from channels.message import Outbound
from hotline import commands as c
from hotline.appeal import Appeal, Attachment, Citizen
from hotline.decide import decide
from hotline.effects import Effects
from hotline.errors import RuleViolation
from hotline.events import SYSTEM, Actor, Role
from hotline.nuisance import Outcome
from hotline.opening import Change
from hotline.service import Service
from hotline.store.aging import LETTERS_KEPT
from hotline.store.changes import lock, write
from hotline.store.erasing import erase_tickets
from hotline.store.neighbours import NeighbourStore
from hotline.store.nuisance import NuisanceStore
from hotline.store.persons import PersonStore
from hotline.store.sealing import seal_document, sealed_message
from hotline.store.tickets import TicketStore
from hotline.store.uploads import KEPT, Uploads
from hotline.terms import Channel
from tests.cities import NOW, RULES
from tests.hotline.test_intake import inbound
from tests.privacy.house import ZHANG, intake, opened
from tests.privacy.test_persons import LI, WHO, finish

HOLD: Any = {"by": "supervisor:wang", "reason": "诉讼", "now": NOW}
AGENT = Actor(Role.AGENT, "li")


async def letter(pool: asyncpg.Pool, key: str, state: str = "sent") -> None:
    sealed = sealed_message(Outbound(channel=Channel.CALL, key=key, to=ZHANG.phone, text="您好"))
    await pool.execute(
        "INSERT INTO outbox (key, channel, message, state, last_error, created_at) "
        "VALUES ($1, 'call', $2, $3, 'no 138', $4) "
        "ON CONFLICT (key) DO UPDATE SET state = excluded.state, last_error = excluded.last_error",
        key, sealed, state, NOW,
    )


async def parcel(pool: asyncpg.Pool, key: str, number: str, state: str) -> None:
    await pool.execute(
        "INSERT INTO parcels (key, neighbour, ticket_id, hand_over, path, payload, state, last_error, created_at) "
        "SELECT $1, '440100', id, 'h', 'hand-overs', $3, $4, 'no 138', $5 FROM tickets WHERE number = $2",
        key, number, seal_document(ZHANG, context=f"parcel {key}"), state, NOW,
    )


async def full(pool: asyncpg.Pool, table: str) -> set[str]:
    """Return the keys of letters or parcels that still tell something."""
    column = {"outbox": "message::text NOT IN ('{}')", "parcels": "payload <> ''"}[table]
    return {row["key"] for row in await pool.fetch(f"SELECT key FROM {table} WHERE {column} OR last_error <> ''")}


async def test_the_letters_of_a_ticket_go_with_it(pool: asyncpg.Pool) -> None:
    [done, going] = await opened(pool, ["done", "going"])
    [other] = await opened(pool, ["other"], citizen=LI)
    await finish(pool, done.number, other.number)
    await pool.execute("DELETE FROM outbox")
    theirs = [f"notice-{done.number}-3", f"notice-{done.number}-3-sms", f"family-{done.number}-{going.number}-9"]
    waits = f"notice-{done.number}-4"
    others = {f"notice-{going.number}-2", f"notice-{other.number}-2", f"family-{other.number}-{done.number}-9"}
    for key in (*theirs, *others):
        await letter(pool, key)
    await letter(pool, waits, "pending")
    await PersonStore(pool).erase(ZHANG.phone, **WHO)
    assert await full(pool, "outbox") == {waits, *others}


async def test_the_letter_of_a_callback_goes_with_it(pool: asyncpg.Pool) -> None:
    from tests.privacy.test_aging import missed

    await missed(pool, "done", "owed")
    for call in ("m0", "m1"):
        await letter(pool, f"callback-{call}")
    await PersonStore(pool).erase(ZHANG.phone, **WHO)
    assert await full(pool, "outbox") == {"callback-m1"}


async def test_what_a_neighbour_was_told_goes_and_is_not_sent_again(pool: asyncpg.Pool) -> None:
    [done, going] = await opened(pool, ["done", "going"])
    await finish(pool, done.number)
    for key, number, state in (
        ("sent", done.number, "sent"), ("dead", done.number, "dead"), ("waits", done.number, "pending"),
        ("other", going.number, "dead"),
    ):
        await parcel(pool, key, number, state)
    await PersonStore(pool).erase(ZHANG.phone, **WHO)
    assert await full(pool, "parcels") == {"waits", "other"}
    neighbours = NeighbourStore(pool)
    with pytest.raises(RuleViolation, match="erased"):
        await neighbours.resend("dead", NOW)
    assert await pool.fetchval("SELECT state FROM parcels WHERE key = 'dead'") == "dead"
    await neighbours.resend("other", NOW)
    assert await neighbours.begin_parcel("other") is not None


async def test_parcels_grow_old_as_letters_do(pool: asyncpg.Pool) -> None:
    [one, held] = await opened(pool, ["one", "held"])
    for key, number, state in (("a", one.number, "sent"), ("b", one.number, "pending"), ("c", held.number, "sent")):
        await parcel(pool, key, number, state)
    persons = PersonStore(pool)
    await persons.hold(number=held.number, **HOLD)
    await persons.sweep(NOW + LETTERS_KEPT, years=10)
    assert await full(pool, "parcels") == {"a", "b", "c"}, "not yet"
    await persons.sweep(NOW + LETTERS_KEPT + timedelta(seconds=1), years=10)
    assert await full(pool, "parcels") == {"b", "c"}


@pytest.mark.parametrize("ends", ["lifted", "by itself"])
async def test_a_mark_that_has_ended_tells_of_nobody(pool: asyncpg.Pool, ends: str) -> None:
    marks, persons, later = NuisanceStore(pool), PersonStore(pool), NOW + timedelta(days=2)
    await marks.mark(ZHANG.phone, "反复", actor="w", now=NOW, until=NOW + timedelta(days=1))
    await marks.mark(LI.phone, "反复", actor="w", now=NOW, until=NOW + timedelta(days=1))
    await persons.erase(ZHANG.phone, **WHO)
    assert {mark.contact for mark in await marks.marks()} == {ZHANG.phone, LI.phone}, "it is in force"
    if ends == "lifted":
        await marks.lift(ZHANG.phone, "误标", actor="w", now=NOW)
    id_ = await persons.hold(phone=ZHANG.phone, **HOLD)
    await persons.erase(ZHANG.phone, **WHO | {"now": later})
    assert {mark.contact for mark in await marks.marks()} == {ZHANG.phone, LI.phone}, "it is held"
    await persons.release(id_, **HOLD)
    await persons.erase(ZHANG.phone, **WHO | {"now": later})
    assert {mark.contact for mark in await marks.marks()} == {"", LI.phone}
    await persons.sweep(NOW + timedelta(days=3654), years=10)
    assert {mark.contact for mark in await marks.marks()} == {""}, "in time all go"
    await marks.mark(ZHANG.phone, "又来", actor="w", now=later, until=later + timedelta(days=1))
    assert [mark.contact for mark in await marks.in_force(later)] == [ZHANG.phone]


# ── files ────────────────────────────────────────────────────────────────────────────────────────
class House:
    """Tickets with files, as one process has them."""

    def __init__(self, pool: asyncpg.Pool, files: Path) -> None:
        self.pool, self.uploads = pool, Uploads(pool, files=files)

    async def upload(self, content: bytes) -> Attachment:
        key = hashlib.sha256(content).hexdigest()
        file = Attachment(key=key, name="a.png", media_type="image/png", size=len(content))
        await self.uploads.keep_attachment(file, content, NOW)
        return file

    async def ticket(self, key: str, *files: Attachment, citizen: Citizen = ZHANG) -> str:
        appeal = Appeal(text="体育路路灯不亮", citizen=citizen, attachments=files)
        async with intake(self.pool) as taking:
            return (await taking.submit(inbound(key=key, appeal=appeal))).number

    async def act(self, number: str, command: c.Command, actor: Actor = AGENT) -> None:
        store = TicketStore(self.pool, prefix="DG")
        async with intake(self.pool, store=store) as taking:
            service = Service(store=store, intake=taking, rules=lambda: RULES, clock=lambda: NOW, files=self.uploads)
            await service.act(number, command, actor=actor)

    async def erase(self) -> None:
        await PersonStore(self.pool).erase(ZHANG.phone, **WHO)
        await self.uploads.sweep(NOW + KEPT + timedelta(seconds=1))

    def there(self, *files: Attachment) -> list[bool]:
        return [self.uploads.path_of(file.key).exists() for file in files]


@pytest.fixture
def house(pool: asyncpg.Pool, tmp_path: Path) -> House:
    """A house whose files lie in a folder of the test's own."""
    return House(pool, tmp_path)


async def test_a_citizens_files_go_and_their_ticket_stays(house: House) -> None:
    appeal, message, added = [await house.upload(name) for name in (b"appeal", b"message", b"added")]
    number = await house.ticket("one", appeal)
    await house.act(number, c.AddMessage(text="补充", attachments=(message,)), SYSTEM)
    await house.act(number, c.Attach(attachments=(added,)))
    await house.erase()
    assert house.there(appeal, message, added) == [True] * 3, "the ticket is open"
    await finish(house.pool, number)
    await house.erase()
    assert house.there(appeal, message, added) == [False] * 3
    assert (await TicketStore(house.pool, prefix="DG").read(number)).ticket.appeal.attachments == (appeal,)


async def test_a_file_that_others_have_stays(house: House) -> None:
    """With another citizen's ticket, one of nobody that is open, evidence, a reply."""
    names = (b"other", b"open", b"evidence", b"answer", b"mine")
    others, nobodys, evidence, answer, mine = [await house.upload(name) for name in names]
    number = await house.ticket("one", others, nobodys, evidence, answer, mine)
    await house.ticket("other", others, citizen=LI)
    await house.ticket("nobody", nobodys, citizen=Citizen())
    told = inbound(key="n", appeal=Appeal(text="骚扰", citizen=LI, attachments=(evidence,)))
    await NuisanceStore(house.pool).note(LI.phone, told, Outcome.REFUSED, NOW)
    await finish(house.pool, number)
    await house.pool.execute(
        "INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics) "
        "SELECT event_position(1), id, 99, $2, 'reply', 'department:x', $3, '', '{}' FROM tickets WHERE number = $1",
        number, NOW, f'{{"attachments":[{{"key":"{answer.key}","name":"a"}}]}}',
    )
    await house.erase()
    assert house.there(others, nobodys, evidence, answer, mine) == [True] * 4 + [False]


async def test_two_tickets_with_one_file_lose_it_together(house: House) -> None:
    file = await house.upload(b"twice")
    numbers = [await house.ticket(key, file) for key in ("one", "two")]
    await finish(house.pool, numbers[0])
    await house.erase()
    assert house.there(file) == [True], "the other one is open"
    await finish(house.pool, numbers[1])
    await house.erase()
    assert house.there(file) == [False]


async def test_who_attaches_the_same_just_then_keeps_it(house: House) -> None:
    file = await house.upload(b"again")
    number = await house.ticket("one", file)
    await finish(house.pool, number)
    await PersonStore(house.pool).erase(ZHANG.phone, **WHO)
    await house.ticket("two", file, citizen=LI)
    await house.uploads.sweep(NOW + KEPT + timedelta(seconds=1))
    assert house.there(file) == [True]


async def waits_for_lock(pool: asyncpg.Pool, task: asyncio.Task[Any]) -> bool:
    """Tell whether a task waits for a lock of the database, or ends without one."""
    while not task.done():
        if await pool.fetchval("SELECT true FROM pg_locks JOIN pg_stat_activity USING (pid) "
                               "WHERE NOT granted AND datname = current_database() LIMIT 1"):
            return True
    return False


@pytest.mark.parametrize("first", ["erased", "attached"])
async def test_who_attaches_the_same_in_that_moment_keeps_it(house: House, first: str) -> None:
    """Neither sees what the other has not committed: whoever is second waits."""
    file = await house.upload(b"again")
    number, other = await house.ticket("one", file), await house.ticket("two", citizen=LI)
    await finish(house.pool, number)
    id_ = await house.pool.fetchval("SELECT id FROM tickets WHERE number = $1", number)

    async def erase(connection: asyncpg.Connection) -> None:
        await erase_tickets(connection, [id_], NOW)

    async def attach(connection: asyncpg.Connection) -> None:
        stored = await lock(connection, other)
        decision = decide(stored.ticket, c.Attach(attachments=(file,)), now=NOW, policy=RULES.policy, actor=AGENT)
        await write(connection, [(stored.id, Change(before=stored.ticket, decisions=(decision,)), Effects())])

    async def apart(act: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
        async with house.pool.acquire() as connection, connection.transaction():
            await act(connection)

    one, two = (erase, attach) if first == "erased" else (attach, erase)
    async with house.pool.acquire() as connection, connection.transaction():
        await one(connection)
        task = asyncio.create_task(apart(two))
        await waits_for_lock(house.pool, task)
    await task
    await house.uploads.sweep(NOW + KEPT + timedelta(seconds=1))
    assert house.there(file) == [True]
