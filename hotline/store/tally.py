"""The figures' reader of the event log: moves the rollup by what each event, exclusion and lapse of time changes.

One step is one transaction: it reads what came after its cursor, replays the tickets concerned, and writes the
differences and the new cursor together, so the figures are those of exactly that position and moment, whatever is
killed and however many processes run it. It writes at the very end: a transaction that has written nothing yet holds
back no reader of the log.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from hotline.metrics import COLUMNS
from hotline.shares import Key, Share, Standing
from hotline.store import duty
from hotline.store.database import statements
from hotline.store.rows import event_from
from hotline.tally import Tally

_SQL = statements("tally")
PAGE = 500
"""Happenings of one step."""
_TICK = timedelta(microseconds=1)


class Cut(NamedTuple):
    """What a generation holds: every event up to `position`, every clock that ran out before `as_of`."""

    generation: int
    position: int
    as_of: datetime


class Changes:
    """What a step adds to the tables."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[Key, str]] = Counter()
        self.standing: Counter[Standing] = Counter()
        self.watch: dict[int, datetime | None] = {}

    def move(self, ticket_id: int, before: Share | None, after: Share | None) -> None:
        """Add the difference between two shares of a ticket."""
        if before is not None:
            self.counts.subtract(before.counts)
            self.standing[before.standing] -= 1
        if after is not None:
            self.counts.update(after.counts)
            self.standing[after.standing] += 1
        old, new = (share.watch if share is not None else None for share in (before, after))
        if old != new:
            self.watch[ticket_id] = new


class History(NamedTuple):
    """A ticket's events and exclusions in order, each with its position."""

    events: list[tuple[int, str]]
    exclusions: list[tuple[int, str, bool]]

    def excluded(self, position: int) -> frozenset[str]:
        """Return the metrics from which the ticket is left out at a position."""
        last = {metric: on for at, metric, on in self.exclusions if at <= position}
        return frozenset(metric for metric, on in last.items() if on)


def changes_of(histories: Mapping[int, History], before: Cut, after: Cut) -> Changes:
    """Return what changes between two cuts for the tickets given. Pure."""
    changes = Changes()
    for ticket_id, history in histories.items():
        old = [doc for position, doc in history.events if position <= before.position]
        tally = Tally()
        for doc in old:
            tally.apply(event_from(doc))
        share = tally.share(before.as_of, history.excluded(before.position)) if old else None
        new = [doc for position, doc in history.events if position > before.position]
        for doc in new:
            tally.apply(event_from(doc))
        if old or new:
            changes.move(ticket_id, share, tally.share(after.as_of, history.excluded(after.position)))
    return changes


async def step(
    pool: asyncpg.Pool, now: datetime, *, limit: int = PAGE, generation: int | None = None, wait: bool = False
) -> int:
    """Take in the next happenings and the time up to `now`; return how many there were.

    Args:
        limit: most happenings of the step.
        generation: the one to move on; None is the active one.
        wait: wait for another process that keeps the figures at the moment, instead of leaving it to that one.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["lazily"])
        if wait:
            await connection.execute(_SQL["wait_hold"])
        elif not await connection.fetchval(_SQL["hold"]):
            return 0
        return await step_held(connection, now, limit=limit, generation=generation)


async def step_held(
    connection: asyncpg.Connection, now: datetime, *, limit: int = PAGE, generation: int | None = None
) -> int:
    """As `step`, inside the caller's transaction, which holds the right to keep the figures."""
    row = await connection.fetchrow(_SQL["reader"], generation)
    if row is None:
        return 0
    before = Cut(row["generation"], row["position"], row["as_of"])
    page = await connection.fetch(_SQL["page"], before.position, limit)
    as_of = await _time_to_take_in(connection, before, max(before.as_of, now), limit)
    due = await connection.fetch(_SQL["due"], before.generation, as_of)
    after = before._replace(position=page[-1]["position"] if page else before.position, as_of=as_of)
    concerned = sorted({row["ticket_id"] for row in (*page, *due) if row["ticket_id"] is not None})
    presences = [row for row in page if row["doc"] is not None]
    if concerned:
        histories = await read_histories(connection, concerned, after.position)
        changes = await asyncio.to_thread(changes_of, histories, before, after)
        await write(connection, before.generation, changes)
    if presences:
        await duty.follow(connection, before.generation, presences)
    if not await connection.fetchval(_SQL["move"], before.generation, before.position, after.position, after.as_of):
        raise RuntimeError("the figures were moved on by somebody who does not hold them")
    return len(concerned) + len(presences)


async def _time_to_take_in(
    connection: asyncpg.Connection, before: Cut, until: datetime, limit: int
) -> datetime:
    """Return `until`, or an earlier moment where too many clocks run out before it."""
    far = await connection.fetchval(_SQL["far_due"], before.generation, until, limit)
    return until if far is None else min(until, far + _TICK)


async def read_histories(
    connection: asyncpg.Connection, ids: Sequence[int], position: int
) -> dict[int, History]:
    """Return what happened to tickets up to a position."""
    events = await connection.fetch(_SQL["histories"], ids, position)
    return await _histories(connection, ids, events, position)


async def read_range(connection: asyncpg.Connection, first: int, end: int, position: int) -> dict[int, History]:
    """Return what happened up to a position to tickets with ids from `first` to before `end`."""
    events = await connection.fetch(_SQL["range"], first, end, position)
    return await _histories(connection, sorted({row["ticket_id"] for row in events}), events, position)


async def _histories(
    connection: asyncpg.Connection, ids: Sequence[int], events: Iterable[asyncpg.Record], position: int
) -> dict[int, History]:
    found = {id_: History([], []) for id_ in ids}
    for row in events:
        found[row["ticket_id"]].events.append((row["position"], row["doc"]))
    for row in await connection.fetch(_SQL["exclusions"], ids, position):
        found[row["ticket_id"]].exclusions.append((row["position"], row["metric"], row["excluded"]))
    return found


async def write(connection: asyncpg.Connection, generation: int, changes: Changes) -> None:
    """Add changes to the tables of a generation."""
    lines: dict[Key, dict[str, int]] = {}
    for (key, column), n in changes.counts.items():
        if n:
            lines.setdefault(key, {})[column] = n
    if lines:
        values = [(*key, *(counted.get(column, 0) for column in COLUMNS)) for key, counted in sorted(lines.items())]
        await connection.execute(_SQL["add"], generation, *map(list, zip(*values, strict=True)))
    moved = [(*standing, n) for standing, n in sorted(changes.standing.items()) if n]
    if moved:
        await connection.execute(_SQL["stand"], generation, *map(list, zip(*moved, strict=True)))
    await _watch(connection, generation, changes.watch)


async def _watch(connection: asyncpg.Connection, generation: int, watch: Mapping[int, datetime | None]) -> None:
    due = [(id_, at) for id_, at in watch.items() if at is not None]
    over = [id_ for id_, at in watch.items() if at is None]
    if due:
        await connection.execute(_SQL["watch"], generation, *map(list, zip(*due, strict=True)))
    if over:
        await connection.execute(_SQL["unwatch"], generation, over)


async def catch_up(
    pool: asyncpg.Pool, now: Callable[[], datetime], *, busy: Callable[[], bool] = lambda: False
) -> None:
    """Step until nothing is left; one short step only while this process is `busy` taking appeals in."""
    if busy():
        await step(pool, now(), limit=PAGE // 5)
        return
    while await step(pool, now()):
        if busy():
            return
