"""Two processes acting on the same tickets at once: no invariant breaks, nothing deadlocks, whatever meets."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from hotline import commands as c
from hotline.errors import HotlineError
from hotline.events import SYSTEM, Actor, Role, TicketEvent
from hotline.ids import TicketId
from hotline.lifecycle import OPEN_STATES, TRANSITIONS
from hotline.ports import Once
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.rows import event_from
from hotline.store.tickets import TicketStore
from hotline.summary import summarize
from hotline.terms import Channel, State
from hotline.ticket import Ticket, evolve, replay
from tests.cities import NOW, RULES
from tests.hotline.test_decide import SIDE_EXAMPLES
from tests.hotline.test_intake import inbound, intake_over
from tests.hotline.test_lifecycle import EXAMPLES

COMMANDS: tuple[c.Command, ...] = tuple(
    command for command in (*EXAMPLES.values(), *SIDE_EXAMPLES.values())
    if not isinstance(command, c.Merge | c.Attach | c.Adopt | c.Disown | c.Archive)
)
"""All but what has a way of its own here, and the end of everything."""
ACTORS = (SYSTEM, Actor(Role.DEPARTMENT, "城管局"), Actor(Role.SUPERVISOR, "wang"))


async def tickets(dsn: str, count: int) -> list[str]:
    async with intake_over(dsn) as intake:
        return [(await intake.submit(inbound(channel=Channel.WECHAT))).number for _ in range(count)]


def service_on(pool: asyncpg.Pool) -> Service:
    return Service(store=TicketStore(pool, prefix="DG"), intake=None, rules=lambda: RULES, clock=lambda: NOW)  # type: ignore[arg-type]


async def live(service: Service, numbers: Sequence[str], ids: Sequence[int], *, steps: int, seed: int) -> int:
    """Do random things to random tickets; what is refused is refused by name. Return how many were carried out."""
    rng, done = random.Random(seed), 0
    for step in range(steps):
        number = rng.choice(numbers)
        try:
            match rng.random():
                case chance if chance < 0.25:
                    await service.act(number, c.Merge(parent=TicketId(rng.choice(ids))), actor=SYSTEM)
                case chance if chance < 0.40:
                    await service.act(number, c.Unmerge(), actor=SYSTEM)
                case chance if chance < 0.50:
                    once = Once(unit="城管局", key=f"{step % 5}", content_hash=b"x" * 16)
                    await service.act_once(number, c.AddNote(text="x"), actor=ACTORS[1], once=once)
                case _:
                    await service.act(number, rng.choice(COMMANDS), actor=rng.choice(ACTORS))
        except HotlineError:
            continue
        done += 1
    return done


async def check(dsn: str) -> dict[str, int]:
    """Check every invariant over everything in the database; return how many events of each type there are."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT * FROM tickets ORDER BY id")
        found: dict[int, list[TicketEvent]] = {row["id"]: [] for row in rows}
        for row in await connection.fetch("SELECT ticket_id, doc FROM ticket_events ORDER BY ticket_id, version"):
            found[row["ticket_id"]].append(event_from(row["doc"]))
    finally:
        await connection.close()
    whole = {id_: replay(events) for id_, events in found.items()}
    numbers = {id_: ticket.number for id_, ticket in whole.items()}
    for row in rows:
        ticket = whole[row["id"]]
        _check_life(found[row["id"]])
        assert (row["version"], row["state"], row["lead"], row["parent"]) == (
            ticket.version, ticket.state, ticket.lead, ticket.parent,
        )
        assert json.loads(row["summary"])["version"] == summarize(ticket, NOW).version
        _check_family(row["id"], ticket, whole, numbers)
    counted: dict[str, int] = {}
    for events in found.values():
        for event in events:
            counted[event.type] = counted.get(event.type, 0) + 1
    return counted


def _check_life(events: Sequence[TicketEvent]) -> None:
    """Versions have no gaps, and every step stands in the table."""
    ticket: Ticket | None = None
    for version, event in enumerate(events, start=1):
        assert event.version == version
        if ticket is not None and isinstance(event.fact, c.LifecycleCommand):
            assert TRANSITIONS[ticket.state][type(event.fact)] is event.state
        elif ticket is not None:
            assert event.state is ticket.state
        ticket = evolve(ticket, event)
        assert ticket.returns <= 1
        assert ticket.state not in {State.PENDING_SIGN, State.HANDLING, State.PENDING_REVIEW} or ticket.lead
        assert ticket.clocks.completion_due is None or ticket.clocks.completion_due >= NOW


def _check_family(id_: int, ticket: Ticket, whole: dict[int, Ticket], numbers: dict[int, str]) -> None:
    """A child knows its parent and the parent its child; a merged ticket has no children of its own."""
    merged_here = {numbers[other] for other, one in whole.items() if one.parent == id_}
    assert set(ticket.children) == merged_here
    assert len(ticket.children) == len(set(ticket.children))
    if ticket.parent is not None:
        assert ticket.state in {State.MERGED, State.ARCHIVED}
        assert not ticket.children
        assert ticket.parent != id_
        parent = whole[ticket.parent]
        assert parent.clocks.ceiling_due is not None
        assert ticket.clocks.ceiling_due is not None
        assert parent.state not in OPEN_STATES or parent.clocks.ceiling_due <= ticket.clocks.ceiling_due


@pytest.mark.parametrize("seed", range(3))
async def test_two_services_on_one_database(database: str, seed: int) -> None:
    numbers = await tickets(database, 6)
    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(await open_pool(database, size=6)) for _ in range(2)]
        ids = [row["id"] for row in await pools[0].fetch("SELECT id FROM tickets")]
        async with asyncio.timeout(120):
            done = await asyncio.gather(*(
                live(service_on(pools[index % 2]), numbers, ids, steps=60, seed=seed * 100 + index)
                for index in range(8)
            ))
    counted = await check(database)
    assert sum(done) > 40
    assert counted.get("merge", 0) >= counted.get("unmerge", 0)
    assert counted.get("adopt", 0) == counted.get("merge", 0)


async def test_two_tickets_merged_into_each_other_at_once(database: str) -> None:
    """Only one can win, and neither waits for the other for ever."""
    first, second = await tickets(database, 2)
    async with await open_pool(database) as one, await open_pool(database) as two:
        ids = {row["number"]: row["id"] for row in await one.fetch("SELECT id, number FROM tickets")}
        for _ in range(10):
            async with asyncio.timeout(30):
                results = await asyncio.gather(
                    service_on(one).act(first, c.Merge(parent=ids[second]), actor=SYSTEM),
                    service_on(two).act(second, c.Merge(parent=ids[first]), actor=SYSTEM), return_exceptions=True,
                )
            won = [result for result in results if isinstance(result, Ticket)]
            assert len(won) == 1
            assert all(isinstance(result, Ticket | HotlineError) for result in results)
            await service_on(one).act(won[0].number, c.Unmerge(), actor=SYSTEM)
    await check(database)


async def test_many_repeats_of_one_act_count_once(database: str) -> None:
    [number] = await tickets(database, 1)
    once = Once(unit="城管局", key="sign-1", content_hash=b"s" * 16)
    async with await open_pool(database, size=6) as one, await open_pool(database, size=6) as two:
        results = await asyncio.gather(*(
            service_on(pool).act_once(number, c.Sign(), actor=ACTORS[1], once=once) for pool in (one, two) * 8
        ))
    assert sum(not result.repeat for result in results) == 1
    assert {(result.version, result.state) for result in results} == {(4, "handling")}
    assert (await check(database))["sign"] == 1


async def test_one_key_on_two_tickets_at_once_counts_on_one(database: str) -> None:
    first, second = await tickets(database, 2)
    async with await open_pool(database) as one, await open_pool(database) as two:
        results = await asyncio.gather(*(
            service_on(pool).act_once(
                number, c.Sign(), actor=ACTORS[1], once=Once(unit="城管局", key="k", content_hash=mark * 16)
            )
            for pool, number, mark in ((one, first, b"1"), (two, second, b"2"))
        ), return_exceptions=True)
    assert sum(isinstance(result, HotlineError) for result in results) == 1
    assert (await check(database))["sign"] == 1


WORKER = """
import asyncio, json, os, sys
from pathlib import Path
from hotline.keyring import KeyRing, read
from hotline.store import sealing
from hotline.store.database import open_pool
from tests.hotline.test_concurrency import live, service_on

async def main(dsn, numbers, ids, seed):
    sealing.use(KeyRing(read(Path(os.environ["HOTLINE_KEYS_FILE"]))))
    async with await open_pool(dsn, size=4) as pool:
        print(await live(service_on(pool), numbers, ids, steps=150, seed=seed))

asyncio.run(main(*json.loads(sys.argv[1])))
"""


@pytest.mark.slow
async def test_two_processes_on_one_database(database: str) -> None:
    numbers = await tickets(database, 4)
    connection = await asyncpg.connect(database)
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM tickets")]
    await connection.close()
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, json.dumps([database, numbers, ids, seed]), cwd=Path.cwd(),
            stdout=asyncio.subprocess.PIPE,
        )
        for seed in (11, 12)
    ]
    async with asyncio.timeout(120):
        told = await asyncio.gather(*(process.communicate() for process in started))
    assert [process.returncode for process in started] == [0, 0]
    assert all(int(out) > 10 for out, _ in told)
    await check(database)
