"""Making the figures anew from the event log, and checking them against it.

`rebuild` fills a new generation beside the one that is read, in short transactions, lets it catch up and then makes it
the active one: figures are there all the time, and nobody waits. `check` takes one snapshot of the database, in which
log, cursor and rollup belong together, recomputes everything from the log and compares line by line.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import msgspec

from hotline.duty import Duty
from hotline.errors import Unavailable
from hotline.metrics import COLUMNS
from hotline.shares import Key, Standing
from hotline.store import duty
from hotline.store.database import statements
from hotline.store.tally import Changes, Cut, changes_of, read_range, step, step_held, write

_SQL = statements("tally")
_LOCK = (12345, 5)
CHUNK = 500
"""Tickets of one transaction."""
_LINES = 20_000
Progress = Callable[[int, int], None]


def _quiet(done: int, total: int) -> None:
    """Tell nothing."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A line on which the figures and the log disagree."""

    line: str
    kept: int
    recomputed: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. `lines`: how many counts were compared."""

    position: int
    as_of: datetime
    tickets: int
    lines: int
    differences: tuple[Difference, ...]


# ── rebuild ──────────────────────────────────────────────────────────────────────────────────────
async def rebuild(pool: asyncpg.Pool, now: Callable[[], datetime], *, progress: Progress = _quiet) -> int:
    """Make the figures anew and return how many tickets there were.

    Raises:
        Unavailable: another rebuild is under way.
    """
    async with _alone(pool):
        await forget_idle(pool)
        async with pool.acquire() as connection:
            position = await connection.fetchval(_SQL["horizon"]) - 1
            row = await connection.fetchrow(_SQL["begin_generation"], position)
            last = await connection.fetchval(_SQL["last_ticket"])
        cut, tickets = Cut(row["generation"], row["position"], row["as_of"]), 0
        for first in range(1, last + 1, CHUNK):
            tickets += await _fill(pool, cut, first)
            progress(min(first + CHUNK - 1, last), last)
        await _fill_duty(pool, cut)
        while await step(pool, now(), generation=cut.generation, wait=True):
            pass
        await _activate(pool, cut.generation, now())
        await forget_idle(pool)
        return tickets


@asynccontextmanager
async def _alone(pool: asyncpg.Pool) -> AsyncIterator[None]:
    async with pool.acquire() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", *_LOCK):
            raise Unavailable("the figures are being made anew by another process: wait for it")
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1, $2)", *_LOCK)


async def _fill(pool: asyncpg.Pool, cut: Cut, first: int) -> int:
    async with pool.acquire() as connection:
        changes = await _recomputed(connection, cut, first)
        async with connection.transaction():
            await connection.execute(_SQL["lazily"])
            await write(connection, cut.generation, changes)
    return sum(changes.standing.values())


async def _fill_duty(pool: asyncpg.Pool, cut: Cut) -> None:
    async with pool.acquire() as connection:
        async for page in duty.pages(connection, cut.position):
            async with connection.transaction():
                await duty.follow(connection, cut.generation, page)


async def _recomputed(connection: asyncpg.Connection, cut: Cut, first: int) -> Changes:
    histories = await read_range(connection, first, first + CHUNK, cut.position)
    return await asyncio.to_thread(changes_of, histories, cut._replace(position=-1), cut)


async def _activate(pool: asyncpg.Pool, generation: int, now: datetime) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["wait_hold"])
        while await step_held(connection, now, generation=generation):
            pass
        await connection.execute(_SQL["retire"])
        await connection.execute(_SQL["activate"], generation)


async def forget_idle(pool: asyncpg.Pool) -> None:
    """Delete generations that are not read: replaced ones, and what a killed rebuild left."""
    for row in await pool.fetch(_SQL["idle_generations"]):
        generation = row["generation"]
        while await pool.execute(_SQL["forget_rollup"], generation, _LINES) != "DELETE 0":
            pass
        await pool.execute(_SQL["forget_standing"], generation)
        await pool.execute(_SQL["forget_watch"], generation)
        await duty.forget(pool, generation)
        await pool.execute(_SQL["forget_reader"], generation)


# ── check ────────────────────────────────────────────────────────────────────────────────────────
async def check(pool: asyncpg.Pool, *, progress: Progress = _quiet) -> Verdict:
    """Recompute every figure from the log at the reader's own cut and compare; nothing is changed, nobody waits."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(_SQL["reader"], None)
        cut = Cut(row["generation"], row["position"], row["as_of"])
        last = await connection.fetchval(_SQL["last_ticket"])
        counts: Counter[str] = Counter()
        tickets = 0
        for first in range(1, last + 1, CHUNK):
            changes = await _recomputed(connection, cut, first)
            tickets += sum(changes.standing.values())
            _add(counts, changes)
            progress(min(first + CHUNK - 1, last), last)
        counts.update(_duty_lines(await duty.recomputed(connection, cut.position)))
        lines = len(counts)
        found = [one async for one in _differences(connection, cut.generation, counts)]
    return Verdict(
        position=cut.position, as_of=cut.as_of, tickets=tickets, lines=lines, differences=tuple(found)
    )


def _line(key: Key, column: str) -> str:
    return "|".join((*map(str, key), column))


def _add(counts: Counter[str], changes: Changes) -> None:
    for (key, column), n in changes.counts.items():
        counts[_line(key, column)] += n
    for standing, n in changes.standing.items():
        counts[_standing_line(standing)] += n
    for ticket_id, due in changes.watch.items():
        if due is not None:
            counts[f"watch|{ticket_id}|{due.timestamp()}"] += 1


def _standing_line(standing: Standing) -> str:
    return "|".join(("standing", *map(str, standing)))


def _duty_lines(found: Duty) -> dict[str, int]:
    lines = {f"present|{staff}|{state}|{since.timestamp()}": 1 for staff, (state, since) in found.present.items()}
    for span, there in found.there.items():
        lines |= {f"there|{span.staff}|{span.hour}": there, f"busy|{span.staff}|{span.hour}": found.busy[span]}
    return lines


async def _differences(
    connection: asyncpg.Connection, generation: int, counts: Counter[str]
) -> AsyncIterator[Difference]:
    """Compare what is kept with what was recomputed; `counts` is used up."""
    async for line, kept in _kept(connection, generation):
        recomputed = counts.pop(line, 0)
        if kept != recomputed:
            yield Difference(line=line, kept=kept, recomputed=recomputed)
    for line, recomputed in counts.items():
        if recomputed:
            yield Difference(line=line, kept=0, recomputed=recomputed)


async def _kept(connection: asyncpg.Connection, generation: int) -> AsyncIterator[tuple[str, int]]:
    width = len(Key._fields)
    async for row in connection.cursor(_SQL["all_rollup"], generation, prefetch=1000):
        key = Key(*row[:width])
        for column, n in zip(COLUMNS, row[width:], strict=True):
            if n:
                yield _line(key, column), n
    async for row in connection.cursor(_SQL["all_standing"], generation, prefetch=1000):
        yield _standing_line(Standing(*row[:4])), row["tickets"]
    for line, n in _duty_lines(await duty.kept(connection, generation)).items():
        yield line, n
    async for row in connection.cursor(_SQL["all_watch"], generation, prefetch=1000):
        yield f"watch|{row['ticket_id']}|{row['due_at'].timestamp()}", 1
