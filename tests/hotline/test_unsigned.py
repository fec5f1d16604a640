"""What 110 has taken and not signed: an alarm after the city's time, and no longer than the signature is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline import commands as c
from hotline.city import load_city
from hotline.config import Settings
from hotline.events import Actor, Role
from hotline.handoff import DeskUpdates
from hotline.roles.parts import emergency_timers
from hotline.ticket import Ticket
from tests.hotline.test_handoff import World, world

IN_TIME, LATE = timedelta(minutes=10), timedelta(minutes=10, seconds=1)


@asynccontextmanager
async def taken(dsn: str) -> AsyncIterator[tuple[World, DeskUpdates, str, str]]:
    """A hand-off that 110 has taken, with its ticket's number and its key."""
    async with world(dsn) as w:
        number, key = await w.emergency()
        await w.hand_offs.push(key)
        yield w, DeskUpdates(rows=w.rows, service=w.service), number, key


async def alarms(w: World, number: str) -> set[str]:
    return set((await w.store.read(number)).ticket.alarms)


async def test_what_110_has_taken_and_not_signed_in_time_is_told_once(database: str) -> None:
    async with taken(database) as (w, updates, number, key):
        w.moment += IN_TIME
        await w.hand_offs.alarm_on_silence()
        assert await alarms(w, number) == set()
        w.moment += LATE - IN_TIME
        for _ in range(2):
            await w.hand_offs.alarm_on_silence()
        assert await alarms(w, number) == {"incident_unsigned"}
        wait = (await w.store.read(number)).ticket.clocks.wait_until
        for _ in range(2):
            await updates.take(key, "signed", "")
        await w.hand_offs.alarm_on_silence()
        stored = await w.store.read(number)
        types = [event.type for event in await w.store.history(stored.id)]
        assert (types.count("raise_alarm"), types.count("clear_alarm"), stored.ticket.alarms) == (1, 1, frozenset())
        assert stored.ticket.clocks.wait_until == wait, "for an outcome 110 has as long as before"


async def test_what_is_signed_or_over_in_time_calls_nobody(database: str) -> None:
    async with taken(database) as (w, updates, signed, key):
        over, other = await w.emergency()
        await w.hand_offs.push(other)
        await updates.take(key, "signed", "")
        await updates.take(other, "closed", "已处置")
        w.moment += LATE
        await w.hand_offs.alarm_on_silence()
        assert (await alarms(w, signed), await alarms(w, over)) == (set(), set())


async def test_a_signature_that_comes_while_its_alarm_is_raised_clears_it(database: str) -> None:
    async with taken(database) as (w, updates, number, key):
        unsigned = w.rows.unsigned

        async def looked(before: datetime) -> list[tuple[str, str]]:
            found = await unsigned(before)
            await updates.take(key, "signed", "")
            return found

        w.rows.unsigned = looked  # type: ignore[method-assign]
        w.moment += LATE
        await w.hand_offs.alarm_on_silence()
        assert await alarms(w, number) == set()


async def test_a_signature_told_again_after_a_kill_still_clears_its_alarm(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with taken(database) as (w, updates, number, key):
        w.moment += LATE
        await w.hand_offs.alarm_on_silence()

        async def killed(number: str, command: c.Command, *, actor: Actor) -> Ticket:
            raise ConnectionError("killed")

        with monkeypatch.context() as dying:
            dying.setattr(w.service, "act", killed)
            with pytest.raises(ConnectionError):
                await updates.take(key, "signed", "")
        assert await alarms(w, number) == {"incident_unsigned"}
        await updates.take(key, "signed", "")
        assert await alarms(w, number) == set()


async def test_the_next_hand_off_of_the_ticket_is_watched_too(database: str) -> None:
    async with taken(database) as (w, _, number, _key):
        w.moment += LATE
        await w.hand_offs.alarm_on_silence()
        for command in (c.Close(), c.Reopen(reason="又着火了"), c.HandOff(services=("119",))):  # type: ignore[arg-type]
            await w.service.act(number, command, actor=Actor(Role.SUPERVISOR, "s1"))
        assert await alarms(w, number) == set()
        await w.hand_offs.push(f"{number}-{(await w.store.read(number)).ticket.version}")
        w.moment += LATE
        await w.hand_offs.alarm_on_silence()
        assert await alarms(w, number) == {"incident_unsigned"}


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, (60, 600)), ({"police_alarm_after": 45.0, "police_sign_alarm_after": 300.0}, (45, 300)),
])
def test_the_citys_times_hold_where_the_settings_say_nothing(
    settings: dict[str, Any], expected: tuple[float, float]
) -> None:
    found = emergency_timers(load_city(Path("cities/441900")), Settings(**settings))
    assert (found.acknowledge_within, found.sign_within) == expected
