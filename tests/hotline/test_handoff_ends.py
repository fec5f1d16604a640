"""How a hand-off to 110 ends: by people or by the desk, once, and never again after that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from hotline import commands as c
from hotline.errors import IllegalTransition
from hotline.events import Actor, Role
from hotline.handoff import DeskUpdates, Later
from hotline.ports import DeskAnswer
from hotline.service import Service
from hotline.store.migrate import available
from hotline.terms import Service as Emergency
from hotline.terms import State
from hotline.ticket import Ticket
from tests.hotline.test_handoff import World, world

AGENT, SUPERVISOR = Actor(Role.AGENT, "a1"), Actor(Role.SUPERVISOR, "s1")
CLOSE, RETURN = c.Close(note="已电话移交110"), c.PoliceReturn(reason="110称非警情")


@pytest.mark.parametrize(("command", "actor", "state"), [(CLOSE, AGENT, "closed"), (RETURN, SUPERVISOR, "returned")])
async def test_what_people_handed_over_themselves_is_not_pushed_hours_later(
    database: str, command: c.Command, actor: Actor, state: str
) -> None:
    async with world(database, "down") as w:
        number, key = await w.emergency()
        with pytest.raises(Later):
            await w.hand_offs.push(key)
        w.moment += timedelta(days=400)
        await w.hand_offs.alarm_on_silence()
        await w.service.act(number, command, actor=actor)
        w.desk.fault = "none"
        await w.hand_offs.push(key)
        assert w.desk.incidents == {}
        assert await w.rows.incident(key) == (number, state)
        assert not (await w.store.read(number)).ticket.incident


@pytest.mark.parametrize(("command", "actor", "state"), [(CLOSE, AGENT, "closed"), (RETURN, SUPERVISOR, "returned")])
async def test_a_hand_off_that_people_end_is_over(
    database: str, command: c.Command, actor: Actor, state: str
) -> None:
    """An identity is kept for 110 only as long as 110 is at work (`hotline.persons.why_kept`)."""
    async with world(database) as w:
        number, key = await w.emergency()
        await w.hand_offs.push(key)
        w.moment += timedelta(minutes=5)
        await w.service.act(number, command, actor=actor)
        assert await w.rows.incident(key) == (number, state)


async def test_a_ticket_handed_off_anew_is_pushed_and_its_old_hand_off_is_not(database: str) -> None:
    async with world(database, "down") as w:
        number, old = await w.emergency()
        for command in (CLOSE, c.Reopen(reason="又着火了"), c.HandOff(services=(Emergency.FIRE,))):
            await w.service.act(number, command, actor=SUPERVISOR)
        new = f"{number}-{(await w.store.read(number)).ticket.version}"
        w.desk.fault = "none"
        await w.hand_offs.push(old)
        await w.hand_offs.push(new)
        assert list(w.desk.incidents) == [new]
        assert (await w.store.read(number)).ticket.state is State.HANDED_OFF


async def test_every_hand_off_that_110_leaves_unanswered_raises_its_alarm(database: str) -> None:
    async with world(database, "down") as w:
        number, _ = await w.emergency()
        w.moment += timedelta(days=400)
        await w.hand_offs.alarm_on_silence()
        await w.service.act(number, CLOSE, actor=AGENT)
        assert not (await w.store.read(number)).ticket.alarms, "settled by telephone"
        for command in (c.Reopen(reason="又着火了"), c.HandOff(services=(Emergency.FIRE,))):
            await w.service.act(number, command, actor=SUPERVISOR)
        w.moment += timedelta(minutes=2)
        await w.hand_offs.alarm_on_silence()
        assert (await w.store.read(number)).ticket.alarms == {"incident_unacknowledged"}


class Meanwhile:
    """A desk that is reached, while something else happens."""

    def __init__(self, desk: Any, happens: Callable[[], Awaitable[object]]) -> None:
        self._desk, self._happens = desk, happens

    async def push(self, key: str, payload: Mapping[str, Any]) -> DeskAnswer:
        await self._happens()
        answer: DeskAnswer = await self._desk.push(key, payload)
        return answer


async def test_an_answer_to_a_hand_off_that_ended_meanwhile_is_known_and_does_not_revive_it(database: str) -> None:
    async with world(database) as w:
        number, key = await w.emergency()
        w.hand_offs._desk = Meanwhile(w.hand_offs._desk, lambda: w.service.act(number, CLOSE, actor=AGENT))
        await w.hand_offs.push(key)
        [incident] = w.desk.incidents.values()
        ticket = (await w.store.read(number)).ticket
        assert (ticket.state, ticket.incident) == (State.CLOSED, incident.incident)
        assert await w.rows.incident(key) == (number, "closed")
        assert await w.pool.fetchval("SELECT desk_number FROM incidents") == incident.incident  # type: ignore[attr-defined]


class DyingAfter:
    """The service in a process that dies after so many commands."""

    def __init__(self, service: Service, commands: int) -> None:
        self._service, self._left = service, commands

    async def act(self, number: str, command: c.Command, *, actor: Actor) -> Ticket:
        if not self._left:
            raise ConnectionError("killed")
        self._left -= 1
        return await self._service.act(number, command, actor=actor)


@pytest.mark.parametrize("commands", [0, 1])
async def test_a_refusal_that_a_kill_cuts_in_two_still_raises_its_alarm(database: str, commands: int) -> None:
    async with world(database, "refusing") as w:
        number, key = await w.emergency()
        w.hand_offs._service = DyingAfter(w.service, commands)
        with pytest.raises(ConnectionError):
            await w.hand_offs.push(key)
        w.hand_offs._service = w.service
        await w.hand_offs.push(key)
        ticket = (await w.store.read(number)).ticket
        assert (ticket.state, ticket.alarms) == (State.RECEIVED, {"incident_refused"})
        assert await w.rows.incident(key) == (number, "refused")


async def _left_behind(w: World, state: str) -> str:
    """Return the key of an incident as software before this rule left it: its ticket closed, its row not."""
    number, key = await w.emergency()
    await w.service.act(number, CLOSE, actor=AGENT)
    await w.pool.execute("UPDATE incidents SET state = $1", state)  # type: ignore[attr-defined]
    return key


async def test_a_row_whose_ticket_went_on_without_it_is_settled_not_pushed(database: str) -> None:
    async with world(database) as w:
        key = await _left_behind(w, "pending")
        await w.hand_offs.push(key)
        assert w.desk.incidents == {}
        assert (await w.rows.incident(key))[1] == "closed"


@pytest.mark.parametrize("state", ["pending", "accepted", "signed"])
async def test_the_migration_ends_what_ended_before_it_and_leaves_what_waits(database: str, state: str) -> None:
    async with world(database) as w:
        over = await _left_behind(w, state)
        _, waiting = await w.emergency()
        [migration] = [one for one in available() if one.name == "ended_hand_offs"]
        await w.pool.execute(migration.sql)  # type: ignore[attr-defined]
        assert (await w.rows.incident(over))[1] == "closed"
        assert (await w.rows.incident(waiting))[1] == "pending"


# ── what the desk tells, again and again ─────────────────────────────────────────────────────────
UPDATES = pytest.mark.parametrize(("status", "command"), [("closed", CLOSE), ("returned", RETURN)])


@asynccontextmanager
async def accepted(dsn: str) -> AsyncIterator[tuple[World, DeskUpdates, str, str]]:
    """A hand-off that 110 has taken five minutes ago, with its ticket's number and its key."""
    async with world(dsn) as w:
        number, key = await w.emergency()
        await w.hand_offs.push(key)
        w.moment += timedelta(minutes=5)
        yield w, DeskUpdates(rows=w.rows, service=w.service), number, key


@UPDATES
async def test_an_update_whose_answer_was_lost_is_told_again_and_is_done(
    database: str, status: str, command: c.Command
) -> None:
    async with accepted(database) as (w, updates, number, key):
        await w.service.act(number, command, actor=Actor(Role.POLICE, "110"))  # then the process was killed
        await updates.take(key, status, "")
        assert await w.rows.incident(key) == (number, status)


@pytest.mark.parametrize("status", ["closed", "returned"])
async def test_repeats_that_come_together_are_all_done(database: str, status: str) -> None:
    async with accepted(database) as (w, updates, number, key):
        await asyncio.gather(*(updates.take(key, status, "") for _ in range(8)))
        assert await w.rows.incident(key) == (number, status)
        types = [event.type for event in await w.store.history((await w.store.read(number)).id)]
        assert types.count("close") + types.count("police_return") == 1


async def test_a_late_word_does_not_undo_the_end(database: str) -> None:
    async with accepted(database) as (w, updates, number, key):
        for status in ("signed", "closed", "signed", "closed"):
            await updates.take(key, status, "")
        assert await w.rows.incident(key) == (number, "closed")


async def test_what_people_ended_otherwise_is_told_to_the_desk(database: str) -> None:
    async with accepted(database) as (w, updates, number, key):
        await w.service.act(number, RETURN, actor=SUPERVISOR)
        await w.service.act(number, c.Answer(text="已回复"), actor=AGENT)
        with pytest.raises(IllegalTransition, match="returned"):
            await updates.take(key, "closed", "")
        assert (await w.store.read(number)).ticket.state is State.ANSWERED


async def test_a_late_return_of_an_old_hand_off_leaves_the_new_one(database: str) -> None:
    async with accepted(database) as (w, updates, number, old):
        for command in (CLOSE, c.Reopen(reason="又着火了"), c.HandOff(services=(Emergency.FIRE,))):
            await w.service.act(number, command, actor=SUPERVISOR)
        with pytest.raises(IllegalTransition):
            await updates.take(old, "returned", "迟到的退回")
        assert (await w.store.read(number)).ticket.state is State.HANDED_OFF
