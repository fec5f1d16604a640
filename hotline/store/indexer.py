"""The search index, kept by a durable reader of the event log: it follows its cursor, in batches, at its own pace.

Under a flood it falls behind and catches up later; intake never waits for it. Any process may run it: the cursor moves
by compare-and-set, so each receipt is indexed once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from agent_ui.masking import mask_text, rest_hidden
from hotline.events import Receive
from hotline.store.database import statements
from hotline.store.rows import event_from
from hotline.store.search import tokens

_SQL = statements("search")
BATCH = 200


async def index_once(pool: asyncpg.Pool) -> int:
    """Index the next receipts, at most `BATCH`; return how many there were."""
    found = await pool.fetch(_SQL["unindexed"], BATCH)
    if found:
        words = await asyncio.to_thread(_words, [row["doc"] for row in found])
        ids = [row["ticket_id"] for row in found]
        await pool.execute(_SQL["index"], found[0]["cursor"], found[-1]["position"], ids, words)
    return len(found)


async def refresh_units(pool: asyncpg.Pool) -> int:
    """Add the units of indexed tickets that went to others, at most `BATCH`; return how many there were."""
    return int(await pool.fetchval(_SQL["refresh_units"], BATCH))


async def index_all(pool: asyncpg.Pool, *, busy: Callable[[], bool] = lambda: False) -> None:
    """Index until the reader has caught up; one batch only while this process is `busy` taking appeals in."""
    count = BATCH
    while count == BATCH:
        count = max(await index_once(pool), await refresh_units(pool))
        if busy():
            return


def _words(docs: list[str]) -> list[str]:
    return [_words_of(doc) for doc in docs]


def _words_of(doc: str) -> str:
    fact = event_from(doc).fact
    if not isinstance(fact, Receive):
        raise TypeError(f"a receipt was expected, not {type(fact).__name__}")
    text = f"{fact.appeal.title} {fact.appeal.text}"
    return tokens(rest_hidden(mask_text(text)))  # or the words were another way to search by phone
