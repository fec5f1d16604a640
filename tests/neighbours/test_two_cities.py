"""穗莞深跨城: two running hotlines hand a ticket over and back under the signed protocol, through real HTTP."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from channels.appeal_codec import appeal_of, decode_appeal, inbound_of
from hotline import commands as c
from hotline.core import Core
from hotline.errors import Forbidden
from hotline.events import SYSTEM, Actor, Role
from hotline.terms import Channel, Rating, State, TryResult
from hotline.ticket import Ticket
from tests.neighbours.house import SECRET, running_city, until
from tests.ports import free_port

AGENT, SUPERVISOR = Actor(Role.AGENT, "li"), Actor(Role.SUPERVISOR, "wang")
DG, GZ = "东莞12345", "广州12345"
_keys = itertools.count()


@pytest.fixture
async def second(postgres: str, template: str) -> AsyncIterator[str]:
    """The other city's database."""
    name = f"other_city_{os.getpid()}_{next(_keys)}"
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield postgres.replace("/postgres?", f"/{name}?", 1)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


class Cities:
    """Dongguan and Guangzhou; the second can be stopped and started."""

    def __init__(self, stack: AsyncExitStack, databases: tuple[str, str], home: Path) -> None:
        self._stack, self._databases, self._home = stack, databases, home
        self._ports = free_port(), free_port()

    def _neighbours(self, code: str, unit: str, own: str, port: int) -> str:
        return f"{code}={unit},http://127.0.0.1:{port}/api/v1/neighbours/{own},{SECRET}"

    async def start_dongguan(self) -> Core:
        setting = self._neighbours("440100", GZ, "441900", self._ports[1])
        return await self._stack.enter_async_context(
            running_city(self._databases[0], self._home / "dg", self._ports[0], neighbours=setting)
        )

    async def start_guangzhou(self) -> Core:
        setting = self._neighbours("441900", DG, "440100", self._ports[0])
        return await self._stack.enter_async_context(running_city(
            self._databases[1], self._home / "gz", self._ports[1], neighbours=setting, code="440100", prefix="GZ"
        ))


@pytest.fixture
async def cities(database: str, second: str, tmp_path: Path) -> AsyncIterator[Cities]:
    async with AsyncExitStack() as stack:
        yield Cities(stack, (database, second), tmp_path)


async def appeal(core: Core, text: str = "广州南沙港前大道路灯不亮") -> str:
    body = decode_appeal(f'{{"text": "{text}", "name": "李明", "phone": "13800138000"}}'.encode())
    inbound = inbound_of(appeal_of(body), client="app", key=f"k{next(_keys)}", now=core.clock())
    receipt = await core.intake.submit(inbound)
    return receipt.number


async def handed_over(core: Core) -> str:
    """A ticket of this city that lies with the other one."""
    number = await appeal(core)
    await core.service.act(number, c.Accept(), actor=AGENT)
    await core.service.act(number, c.Dispatch(lead=GZ), actor=AGENT)
    return number


async def ticket(core: Core, number: str) -> Ticket:
    return (await core.store.read(number)).ticket


async def arrived(core: Core) -> str:
    """The number under which the other city has taken it."""
    async def there() -> object:
        return await core.pool.fetchval("SELECT number FROM tickets WHERE channel = 'city' ORDER BY id DESC LIMIT 1")

    await until(there)
    return str(await there())


async def reaches(core: Core, number: str, state: State) -> None:
    async def so() -> bool:
        return (await ticket(core, number)).state is state

    await until(so)


async def act(core: Core, number: str, *commands: c.Command, actor: Actor = AGENT) -> None:
    for command in commands:
        await core.service.act(number, command, actor=actor)


async def test_there_and_back_with_an_outcome(cities: Cities) -> None:
    dg, gz = await cities.start_dongguan(), await cities.start_guangzhou()
    number = await handed_over(dg)
    theirs = await arrived(gz)
    taken = await ticket(gz, theirs)
    assert (taken.channel, taken.appeal.citizen.name, taken.appeal.citizen.phone) == (
        Channel.CITY, "李明", "+8613800138000")
    assert theirs.startswith("GZ")
    unit = next(iter(gz.city.directory.units))
    await act(gz, theirs, c.Accept(), c.Dispatch(lead=unit))
    await reaches(dg, number, State.HANDLING)
    assert await dg.pool.fetchval("SELECT theirs FROM hand_overs") == theirs
    # the citizen says more; the holder asks, is answered, and replies
    await act(dg, number, c.AddMessage(text="又坏了一盏"), actor=SYSTEM)
    async def heard() -> bool:
        history = await gz.store.history((await gz.store.read(theirs)).id)
        return any("又坏了一盏" in str(event.fact) for event in history)
    await until(heard)
    holder = Actor(Role.DEPARTMENT, unit)
    await act(gz, theirs, c.Sign(), c.RecordContact(), actor=holder)
    await act(gz, theirs, c.Reply(internal="换了灯泡", public="路灯已修好"), actor=holder)
    await act(gz, theirs, c.AcceptReply())
    await reaches(dg, number, State.PENDING_REVIEW)
    ours = await ticket(dg, number)
    assert (ours.public_reply, ours.clocks.contacted_at is not None) == ("路灯已修好", True)
    # the origin follows up, and the holder's ticket is closed with the citizen's word
    await act(dg, number, c.AcceptReply(), c.SettleFollowUp(rating=Rating.SATISFIED, solved=True))
    await reaches(gz, theirs, State.CLOSED)
    assert (await ticket(gz, theirs)).rating is Rating.SATISFIED
    async def all_sent() -> bool:  # noted once the other city has answered
        return await dg.pool.fetchval("SELECT bool_and(state = 'sent') FROM parcels") is True
    await until(all_sent)


UNREACHED = (c.RecordTry(result=TryResult.WRONG_NUMBER), c.SettleFollowUp(solved=None, unreachable=True))


@pytest.mark.parametrize(("said", "rating", "solved"), [
    ((c.DisputeFollowUp(rating=Rating.VERY_DISSATISFIED, solved=None),), Rating.VERY_DISSATISFIED, None),
    ((c.DisputeFollowUp(solved=False),), None, False),
    (UNREACHED, None, None),
], ids=["dissatisfied", "unsolved", "unreachable"])
async def test_whatever_the_citizen_said_closes_the_ticket_of_who_handled_it(
    cities: Cities, said: tuple[c.Command, ...], rating: Rating | None, solved: bool | None
) -> None:
    dg, gz = await cities.start_dongguan(), await cities.start_guangzhou()
    number = await handed_over(dg)
    theirs = await arrived(gz)
    unit = next(iter(gz.city.directory.units))
    holder = Actor(Role.DEPARTMENT, unit)
    await act(gz, theirs, c.Accept(), c.Dispatch(lead=unit))
    await act(gz, theirs, c.Sign(), c.Reply(internal="换了灯泡", public="路灯已修好"), actor=holder)
    await act(gz, theirs, c.AcceptReply())
    await reaches(dg, number, State.PENDING_REVIEW)
    await act(dg, number, c.AcceptReply(), *said)
    await reaches(gz, theirs, State.CLOSED)
    closed = await gz.store.read(theirs)
    assert (closed.ticket.rating, closed.ticket.solved) == (rating, solved)
    last = (await gz.store.history(closed.id))[-1].fact
    assert isinstance(last, c.SettleFollowUp)
    assert last.unreachable is (said is UNREACHED)
    assert not (await ticket(dg, number)).alarms


async def test_what_is_returned_can_be_dispatched_anew(cities: Cities) -> None:
    dg, gz = await cities.start_dongguan(), await cities.start_guangzhou()
    number = await handed_over(dg)
    theirs = await arrived(gz)
    await act(gz, theirs, c.Withdraw(reason="发生地在东莞"))
    await reaches(dg, number, State.PENDING_DISPATCH)
    assert (await ticket(dg, number)).lead == ""
    await act(dg, number, c.Dispatch(lead=GZ, reasons=("核实后仍在广州",)))
    async def twice() -> bool:
        return await gz.pool.fetchval("SELECT count(*) FROM tickets") == 2
    await until(twice)


async def test_a_ticket_is_taken_back(cities: Cities) -> None:
    dg, gz = await cities.start_dongguan(), await cities.start_guangzhou()
    number = await handed_over(dg)
    theirs = await arrived(gz)
    await act(gz, theirs, c.Accept(), c.Dispatch(lead=next(iter(gz.city.directory.units))))
    await reaches(dg, number, State.HANDLING)
    await act(dg, number, c.TakeBack(reason="市民要求在本地办理"), actor=SUPERVISOR)
    await reaches(gz, theirs, State.WITHDRAWN)
    with pytest.raises(Forbidden):
        await act(dg, number, c.Sign(), actor=Actor(Role.DEPARTMENT, GZ))


async def test_a_neighbour_that_is_away_gets_everything_once_in_order(cities: Cities) -> None:
    dg = await cities.start_dongguan()
    number = await handed_over(dg)
    await act(dg, number, c.Urge(note="请尽快"), c.AddMessage(text="还在等"), actor=SYSTEM)
    async def tried() -> bool:
        return bool(await dg.pool.fetchval("SELECT count(*) FROM parcels WHERE attempts > 0"))
    await until(tried)
    gz = await cities.start_guangzhou()
    theirs = await arrived(gz)
    async def all_there() -> bool:
        return len(await gz.store.history((await gz.store.read(theirs)).id)) == 3
    await until(all_there, seconds=40)
    facts = [event.fact for event in await gz.store.history((await gz.store.read(theirs)).id)]
    assert [getattr(fact, "text", "") for fact in facts[1:]] == ["催办:请尽快", "还在等"]
    assert await gz.pool.fetchval("SELECT count(*) FROM tickets") == 1


async def test_two_processes_deliver_each_parcel_once(cities: Cities) -> None:
    dg, gz = await cities.start_dongguan(), await cities.start_guangzhou()
    numbers = [await handed_over(dg) for _ in range(5)]
    await asyncio.gather(*(dg.read_for_neighbours() for _ in range(8)))
    async def sent() -> bool:
        return await dg.pool.fetchval("SELECT count(*) FROM parcels WHERE state = 'sent'") == len(numbers)
    await until(sent)
    assert await gz.pool.fetchval("SELECT count(*) FROM tickets") == len(numbers)
