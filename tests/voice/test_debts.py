"""What a call leaves to be noted is noted, whatever breaks between its end and the ledger of callbacks."""

from __future__ import annotations

import asyncio
from datetime import datetime

import asyncpg
import pytest

from hotline.errors import Unavailable
from routing import call_words as m
from routing.calls import Call, Direction, Phase
from tests.voice.centre import NEEDS_PBX, Centre, now

pytestmark = NEEDS_PBX


async def noted(centre: Centre) -> bool:
    """Tell whether nothing is left to be noted."""
    return await centre.pool.fetchval("SELECT count(*) FROM calls WHERE doc IS NOT NULL") == 0


@pytest.mark.parametrize("fault", [Unavailable("away"), asyncpg.QueryCanceledError("too slow")], ids=repr)
async def test_a_missed_call_is_owed_though_the_books_fail_at_first(centre: Centre, fault: Exception) -> None:
    asked = asyncio.Event()

    async def failing() -> None:
        if not asked.is_set():
            asked.set()
            raise fault

    centre.before_books = failing
    await centre.phones.citizen(seconds=60)
    await centre.leaves(await centre.call(Phase.WAITING))
    await centre.over()
    await centre.until(lambda: centre.owed)
    await centre.until(lambda: noted(centre))
    assert asked.is_set()
    [missed] = centre.owed
    ended = await centre.pool.fetchval("SELECT ended_at FROM calls")
    assert (missed.phone, missed.at) == ("sipp", ended)


async def test_a_missed_call_is_owed_though_who_steers_dies_before_it_is_noted(centre: Centre) -> None:
    asked = asyncio.Event()

    async def silent() -> None:
        asked.set()
        await asyncio.Event().wait()

    centre.before_books = silent
    await centre.phones.citizen(seconds=60)
    await centre.leaves(await centre.call(Phase.WAITING))
    await asyncio.wait_for(asked.wait(), 20)
    await centre.kill()
    assert centre.owed == []
    centre.before_books = _answering
    await centre.again()
    await centre.until(lambda: centre.owed)
    await centre.until(lambda: noted(centre))
    await centre.again()
    assert len(centre.owed) == 1


async def _answering() -> None:
    """The books answer again."""


@pytest.mark.parametrize("debt", [m.Missed(full=True), m.Tried(17), m.Spoken()], ids=repr)
async def test_another_process_notes_what_the_last_one_left(centre: Centre, debt: m.Debt) -> None:
    began = now()
    call = Call(
        id="out-1", caller="13800138000", called="", queue="", arrived=began, phase=Phase.OVER, agent="wang",
        direction=Direction.OUT, callback=0 if isinstance(debt, m.Missed) else 7, answered_at=began, ended_at=began,
        debt=debt,
    )
    await centre.kill()
    await centre.store.save(call, now=began)
    await centre.again()
    await centre.until(lambda: noted(centre))
    assert _told(centre, began) == debt
    assert call.id not in centre.telephone.calls


def _told(centre: Centre, ended: datetime) -> m.Debt:
    """Return what the books were told."""
    [told] = [
        *(m.Missed(full=missed.reason == "queue_full") for missed in centre.owed if missed.at == ended),
        *(m.Tried(cause) for _, cause in centre.tries), *(m.Spoken() for _ in centre.spoke),
    ]
    return told


async def test_a_citizen_who_hangs_up_while_the_database_is_away_is_no_ghost(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, refused = centre.store.save, list[str]()

    async def away(call: Call, *, now: datetime) -> None:
        if call.phase is Phase.OVER and not refused:
            refused.append(call.id)
            raise Unavailable("the database does not answer")
        await save(call, now=now)

    monkeypatch.setattr(centre.store, "save", away)
    await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.WAITING)
    await centre.leaves(call)
    await centre.until(lambda: refused)
    assert (await centre.over())["id"] == call.id
    await centre.until(lambda: centre.owed)
