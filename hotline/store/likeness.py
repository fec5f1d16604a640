"""Likeness behind the log: keys of every ticket, proposals to merge, hot spots.

A reader follows the event log by a cursor that moves by compare-and-set, as the search index does; any process may
run it. Proposals are made for each new ticket against the open ones that share its keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import msgspec
import structlog

from hotline.appeal import compared_text, letters_of
from hotline.events import Receive
from hotline.hotspot import LEAST, HotSpot, hottest, observed, told, without_repeats
from hotline.keyring import Damaged
from hotline.store.answering import answering
from hotline.store.database import statements
from hotline.store.rows import event_from, to_json
from hotline.summary import Summary
from triage.likeness import likeness
from triage.telling import Telling
from triage.traits import Traits, reasons, traits_of

log = structlog.get_logger(__name__)
_SQL = statements("likeness")
_summaries = msgspec.json.Decoder(Summary)
BATCH = 20
WITHIN = timedelta(days=60)
"""How far back a ticket is compared; keys older than this are forgotten."""
LETTERS = 6
"""Letters below which a text is like no other: [语音] and 你好 are word for word what strangers send too."""
EACH_KEY = 40
CANDIDATES = 12
PROPOSED = 0.2
"""Log odds from which a merge is proposed: what two of ten thousand texts need to be grouped (`triage.group`)."""
SHOWN = 10
WINDOWS = (6, 24, 168)

Tell = Callable[[Sequence[str], Sequence[datetime | None]], list[Telling]]
"""What texts are compared by (`triage.cluster_cli.Clusterer.tell`)."""


class Similar(NamedTuple):
    """A ticket that may be about the same thing, and why."""

    number: str
    summary: msgspec.Raw
    score: float
    reasons: tuple[str, ...]


async def compare_all(pool: asyncpg.Pool, tell: Tell, *, busy: Callable[[], bool] = lambda: False) -> None:
    """Read receipts until the reader has caught up; one batch only while this process is `busy`."""
    count = BATCH
    while count == BATCH:
        count = await compare_once(pool, tell)
        if busy():
            return


async def compare_once(pool: asyncpg.Pool, tell: Tell) -> int:
    """Keep the traits of the next receipts and propose merges; return how many receipts there were."""
    found = await pool.fetch(_SQL["next_receipts"], BATCH)
    if not found:
        return 0
    texts = [receipt_text(row) for row in found]
    tellings = await asyncio.to_thread(tell, texts, [row["at"] for row in found])
    traits = [
        traits_of(one) if letters_of(text) >= LETTERS else traits_of(one)._replace(keys=())
        for text, one in zip(texts, tellings, strict=True)
    ]
    await _keep(pool, found, traits)
    for row, one, trait in zip(found, tellings, traits, strict=True):
        await propose(pool, tell, row["ticket_id"], one, trait)
    # The cursor moves last: killed before, the same is written once more and changes nothing.
    await pool.fetchval(_SQL["move"], found[0]["cursor"], found[-1]["position"])
    return len(found)


async def _keep(pool: asyncpg.Pool, found: Sequence[asyncpg.Record], traits: Sequence[Traits]) -> None:
    rows = [
        (row["ticket_id"], row["at"], one.town, one.spot, one.matter, row["citizen"])
        for row, one in zip(found, traits, strict=True)
    ]
    await pool.execute(_SQL["add_traits"], *map(list, zip(*rows, strict=True)))
    keys = [(key, row["at"], row["ticket_id"]) for row, one in zip(found, traits, strict=True) for key in one.keys]
    if keys:
        await pool.execute(_SQL["add_keys"], *map(list, zip(*keys, strict=True)))


async def nearest(
    pool: asyncpg.Pool, keys: Sequence[int], at: datetime, *, without: int = 0
) -> list[asyncpg.Record]:
    """Return the open tickets that share most keys, received within `WITHIN` before `at` or a little later."""
    since, until = at - WITHIN, at + timedelta(days=1)
    return list(await pool.fetch(_SQL["nearest"], list(keys), since, until, without, EACH_KEY, CANDIDATES))


async def propose(pool: asyncpg.Pool, tell: Tell, ticket: int, telling: Telling, traits: Traits) -> None:
    """Propose to merge a ticket with open ones about the same thing."""
    if telling.at is None or not traits.keys:
        return
    rows = await nearest(pool, traits.keys, telling.at, without=ticket)
    if not rows:
        return
    texts, times = [receipt_text(row) for row in rows], [row["created_at"] for row in rows]
    others = await asyncio.to_thread(tell, texts, times)
    likely: list[tuple[Any, ...]] = []
    for row, other in zip(rows, others, strict=True):
        score = likeness(telling, other)
        if score > PROPOSED and (why := reasons(telling, other)):
            pair = sorted((ticket, row["id"]), reverse=True)
            likely.append((*pair, score, to_json(why), telling.at))
    if likely:
        await pool.execute(_SQL["propose"], *map(list, zip(*likely, strict=True)))


def receipt_text(row: asyncpg.Record) -> str:
    """Return what the ticket of a receipt is compared by; the row has `doc` and `sealed` of its first event.

    What was sealed and cannot be opened is left out, as of one whose identity was erased: one receipt must not hold
    back all that come after it.
    """
    try:
        fact = event_from(row["doc"], row["sealed"]).fact
    except Damaged:
        log.exception("receipt_not_opened", ticket=row.get("ticket_id") or row.get("id"))
        fact = event_from(row["doc"]).fact
    if not isinstance(fact, Receive):
        raise TypeError(f"a receipt was expected, not {type(fact).__name__}")
    return compared_text(fact.appeal)


class LikenessStore:
    """Proposals and hot spots on a pool. Fulfils `agent_ui.ports.LikenessStore` and `hotline.hotspots.HotSpotRows`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def similar(self, number: str) -> list[Similar]:
        """Return what is proposed to be merged with a ticket, the likeliest first."""
        return [
            Similar(
                row["number"], msgspec.Raw(row["summary"].encode()), row["score"],
                msgspec.json.decode(row["reasons"], type=tuple[str, ...]),
            )
            for row in await self._pool.fetch(_SQL["similar"], number, SHOWN)
        ]

    async def dismiss(self, number: str, other: str, *, by: str, now: datetime) -> bool:
        """Note that two tickets are about two things; False if it was not proposed or dismissed before."""
        return bool(await self._pool.fetchval(_SQL["dismiss"], number, other, by, now))

    async def find_hotspots(self, now: datetime) -> list[HotSpot]:
        """Look for hot spots, keep them, and end those that are hot no more; safe in several processes at once."""
        counted = await self._pool.fetch(_SQL["counts"], now, LEAST)
        days = observed(await self._pool.fetchval(_SQL["since"], now) or now, now)
        tickets = {(row["town"], row["spot"], row["matter"]): row["tickets"] for row in counted}
        hot = [found for row in counted if (found := _spot(row, days)) is not None]
        # Sorted, so that all take their locks in one order.
        spots = sorted(without_repeats(hot), key=lambda one: (one.town, one.spot, one.matter))
        async with self._pool.acquire() as connection, connection.transaction():
            for spot in spots:
                await connection.execute(
                    _SQL["keep_hotspot"], spot.town, spot.spot, spot.matter, spot.hours, spot.count, spot.expected,
                    spot.began_at, spot.last_at, now, tickets[spot.town, spot.spot, spot.matter],
                )
            places = [[one.town for one in spots], [one.spot for one in spots], [one.matter for one in spots]]
            await connection.execute(_SQL["end_hotspots"], now, *places)
        return spots

    async def unalarmed(self) -> list[tuple[int, str, str]]:
        """Return hot spots nobody was told of: id, the number of the first ticket, and what to say."""
        return [
            (row["id"], row["number"], told(
                row["town"], row["spot"], row["matter"], hours=row["hours"], count=row["count"],
                expected=row["expected"],
            ))
            for row in await self._pool.fetch(_SQL["unalarmed"])
        ]

    async def mark_alarmed(self, id_: int, number: str, now: datetime) -> None:
        """Note that a hot spot was told, and on which ticket."""
        await self._pool.execute(_SQL["mark_alarmed"], id_, now, number)

    async def still_alarmed(self) -> list[tuple[int, str]]:
        """Return hot spots that are over with their alarm left: id, and the ticket on which it stands, "" for none."""
        return [(row["id"], row["number"] or "") for row in await self._pool.fetch(_SQL["still_alarmed"])]

    async def mark_cleared(self, id_: int) -> None:
        """Note that the alarm of a hot spot that is over is cleared."""
        await self._pool.execute(_SQL["mark_cleared"], id_)

    async def hotspots(self, now: datetime, *, limit: int = 100) -> list[HotSpot]:
        """Return the active hot spots and those that ended within a day, the newest first. Raises Unavailable."""
        with answering():
            found = await self._pool.fetch(_SQL["hotspots"], now, limit)
        return [
            HotSpot(
                town=row["town"], spot=row["spot"], matter=row["matter"], hours=row["hours"], count=row["count"],
                expected=round(row["expected"], 3), began_at=row["began_at"], last_at=row["last_at"],
                found_at=row["found_at"], ended_at=row["ended_at"], tickets=tuple(row["numbers"]),
            )
            for row in found
        ]

    async def forget(self, now: datetime) -> None:
        """Delete keys too old to be compared."""
        await self._pool.execute(_SQL["forget_keys"], now - WITHIN)


def _spot(row: asyncpg.Record, days: float) -> HotSpot | None:
    counts = {hours: row[f"h{hours}"] for hours in WINDOWS}
    found = hottest(counts, row["before"], days)
    if found is None:
        return None
    hours, expected = found
    return HotSpot(
        town=row["town"], spot=row["spot"], matter=row["matter"], hours=hours, count=counts[hours],
        expected=expected, began_at=row["began_at"], last_at=row["last_at"],
    )

