"""What 110 answers late, or in the moment in which its silence is alarmed: nobody telephones for what it has taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from hotline import commands as c
from hotline.errors import RuleViolation
from hotline.events import Actor, Role
from hotline.handoff import DeskUpdates, Later
from tests.hotline.test_handoff import World, world
from tests.hotline.test_handoff_ends import Meanwhile

SILENT = timedelta(seconds=61)


async def alarms(w: World, number: str) -> set[str]:
    return set((await w.store.read(number)).ticket.alarms)


def meanwhile(w: World, name: str, happens: Callable[[], Awaitable[object]], *, first: bool) -> None:
    """Let something happen before (`first`) or after a step of the rows behind the jobs."""
    step = getattr(w.rows, name)

    async def both(*given: Any) -> Any:
        if first:
            await happens()
        found = await step(*given)
        if not first:
            await happens()
        return found

    setattr(w.rows, name, both)


async def test_an_answer_in_the_moment_of_its_alarm_leaves_no_alarm(database: str) -> None:
    async with world(database) as w:
        number, key = await w.emergency()
        meanwhile(w, "silent", lambda: w.hand_offs.push(key), first=False)
        w.moment += SILENT
        await w.hand_offs.alarm_on_silence()
        assert await alarms(w, number) == set()


async def test_an_answer_that_is_not_noted_yet_is_no_silence(database: str) -> None:
    async with world(database) as w:
        number, key = await w.emergency()
        w.moment += SILENT
        meanwhile(w, "settle_push", w.hand_offs.alarm_on_silence, first=True)
        await w.hand_offs.push(key)
        assert await alarms(w, number) == set()


@pytest.mark.parametrize("alarmed", [False, True])
async def test_who_signs_what_it_has_not_answered_has_taken_it(database: str, alarmed: bool) -> None:
    async with world(database, "down") as w:
        number, key = await w.emergency()
        with pytest.raises(Later):
            await w.hand_offs.push(key)
        updates = DeskUpdates(rows=w.rows, service=w.service)
        w.moment += SILENT
        if alarmed:
            await w.hand_offs.alarm_on_silence()
            assert await alarms(w, number) == {"incident_unacknowledged"}
        for _ in range(2):
            await updates.take(key, "signed", "")
        await w.hand_offs.alarm_on_silence()
        assert ((await w.store.read(number)).ticket.incident, await alarms(w, number)) == (key, set())
        w.moment += timedelta(minutes=30)
        with pytest.raises(RuleViolation, match="window for returns by 110"):
            await w.service.act(number, c.PoliceReturn(reason="非警情"), actor=Actor(Role.POLICE, "110"))


@pytest.mark.parametrize("answered", [False, True])
async def test_a_signature_and_an_answer_that_cross_are_one_acknowledgement(database: str, answered: bool) -> None:
    async with world(database) as w:
        number, key = await w.emergency()
        updates = DeskUpdates(rows=w.rows, service=w.service)

        async def signed() -> None:
            await updates.take(key, "signed", "")

        if answered:
            meanwhile(w, "settle_push", signed, first=True)
        else:
            w.hand_offs._desk = Meanwhile(w.hand_offs._desk, signed)
        await w.hand_offs.push(key)
        [incident] = w.desk.incidents.values()
        stored = await w.store.read(number)
        types = [event.type for event in await w.store.history(stored.id)]
        assert types.count("acknowledge_incident") == 1
        assert stored.ticket.incident == (incident.incident if answered else key)
        assert await w.rows.incident(key) == (number, "signed")
        assert await w.pool.fetchval("SELECT desk_number FROM incidents") == incident.incident  # type: ignore[attr-defined]

