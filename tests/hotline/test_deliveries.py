"""Webhooks from the log to a unit's system over real HTTP: each event once, whatever the system does; then given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from channels.message import Receipt
from hotline import commands as c
from hotline.deliveries import GIVE_UP_AFTER, Deliveries, pause_after
from hotline.errors import InvalidInput, NotFound, Unauthenticated
from hotline.events import Actor, Role
from hotline.handoff import Later
from hotline.jobs import run_jobs
from hotline.service import Service
from hotline.standins.unit import UnitDesk
from hotline.store.database import open_pool
from hotline.store.jobs import Job
from hotline.store.tickets import TicketStore
from hotline.store.units import UnitStore
from hotline.units import Registered, Units
from routing.addresses import networks
from routing.unit_codec import Part, UnitEvent
from routing.webhooks import Webhooks
from tests.cities import NOW, RULES
from tests.hotline.test_intake import inbound, intake_over

LOOPBACK = networks("127.0.0.0/8")
LEAD = Actor(Role.DEPARTMENT, "城管局")


class World:
    """A hotline with one unit's system beside it, over HTTP."""

    def __init__(self, dsn: str, pool: asyncpg.Pool, desk: UnitDesk, post: Webhooks, made: Registered) -> None:
        self.dsn, self.pool, self.desk, self.made = dsn, pool, desk, made
        self.moment = datetime.now(UTC)
        desk._clock = self.now
        self.store = UnitStore(pool)
        self.deliveries = Deliveries(rows=self.store, post=post, clock=self.now)
        self.service = Service(
            store=TicketStore(pool, prefix="DG"), intake=None, rules=lambda: RULES, clock=lambda: NOW,  # type: ignore[arg-type]
        )

    def now(self) -> datetime:
        return self.moment

    async def appeal(self) -> Receipt:
        async with intake_over(self.dsn) as intake:
            return await intake.submit(inbound())

    async def waiting(self) -> list[str]:
        found = await self.pool.fetch("SELECT id FROM webhook_deliveries WHERE state = 'pending' ORDER BY id")
        return [row["id"] for row in found]

    async def deliver_all(self) -> list[str]:
        """Try everything that waits once; return what is to be tried later."""
        later = []
        for id_ in await self.waiting():
            try:
                await self.deliveries.deliver(id_)
            except Later:
                later.append(id_)
        return later


@asynccontextmanager
async def world(dsn: str) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await open_pool(dsn))
        units = Units(store=UnitStore(pool), directory=lambda: RULES.directory, allowed=LOOPBACK, clock=lambda: NOW)
        desk = UnitDesk(secret="", delay=5.0)
        server = TestServer(desk.app())
        await server.start_server()
        stack.push_async_callback(server.close)
        made = await units.register("城管局", url=str(server.make_url("/webhook")), by="root")
        desk._secret = made.secret
        post = Webhooks(allowed=LOOPBACK, timeout=1.0)
        stack.push_async_callback(post.close)
        yield World(dsn, pool, desk, post, made)


async def test_a_unit_hears_of_its_tickets_once_signed_and_without_personal_data(database: str) -> None:
    async with world(database) as w:
        receipt = await w.appeal()
        await w.service.act(receipt.number, c.Sign(), actor=LEAD)
        await w.service.act(receipt.number, c.Claim(agent="li"), actor=Actor(Role.AGENT, "li"))
        for _ in range(3):
            await w.store.gather_all(w.now())
        assert await w.deliver_all() == []
        told = sorted((taken.event for taken in w.desk.taken.values()), key=lambda event: event.seq)
        assert [(event.event, event.part, event.number) for event in told] == [
            ("dispatch", Part.LEAD, receipt.number), ("sign", Part.LEAD, receipt.number),
        ]
        assert [event.summary.version for event in told] == [3, 4]
        assert all(taken.times == 1 for taken in w.desk.taken.values())
        for event in told:
            assert b"phone" not in msgspec.json.encode(event)


async def test_a_unit_that_loses_a_ticket_hears_of_it(database: str) -> None:
    async with world(database) as w:
        receipt = await w.appeal()
        await w.service.act(receipt.number, c.RequestReturn(legal_basis="x", suggested="水务局"), actor=LEAD)
        await w.service.act(receipt.number, c.ApproveReturn(), actor=Actor(Role.AGENT, "li"))
        await w.store.gather_all(w.now())
        await w.deliver_all()
        last = max((taken.event for taken in w.desk.taken.values()), key=lambda event: event.seq)
        assert (last.event, last.part) == ("approve_return", Part.FORMER)


async def test_many_readers_make_each_webhook_once(database: str) -> None:
    async with world(database) as w, await open_pool(database) as other:
        for _ in range(5):
            await w.appeal()
        await asyncio.gather(*(UnitStore(pool).gather_all(w.now()) for pool in (w.pool, other) * 4))
        await w.store.gather_all(w.now())
        assert len(await w.waiting()) == 5
        jobs = await w.pool.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'deliver'")
        assert jobs == 5


async def test_nobody_registered_means_nothing_is_made_and_history_is_not_told_later(database: str) -> None:
    async with intake_over(database) as intake, await open_pool(database) as pool:
        await intake.submit(inbound())
        store = UnitStore(pool)
        await store.gather_all(NOW)
        units = Units(store=store, directory=lambda: RULES.directory, allowed=LOOPBACK, clock=lambda: NOW)
        await units.register("城管局", url="https://system.example.gov.cn/", by="root")
        await store.gather_all(NOW)
        assert await pool.fetchval("SELECT count(*) FROM webhook_deliveries") == 0


@pytest.mark.parametrize("fault", ["down", "error", "slow"])
async def test_a_failing_system_is_tried_again_under_the_same_id(database: str, fault: str) -> None:
    async with world(database) as w:
        await w.appeal()
        await w.store.gather_all(w.now())
        w.desk.fault = fault  # type: ignore[assignment]
        assert len(await w.deliver_all()) == 1
        assert len(await w.deliver_all()) == 1  # the system rests: nothing is sent
        assert len(w.desk.attempts) == 1
        w.desk.fault = "none"
        w.moment += timedelta(seconds=30)
        assert await w.deliver_all() == []
        assert len(set(w.desk.attempts)) == 1
        assert len(w.desk.taken) == 1
        [system] = await w.store.systems(w.now())
        assert (system.failures, system.resting_until, system.pending) == (0, None, 0)


async def test_a_webhook_taken_and_cut_comes_twice_and_counts_once(database: str) -> None:
    async with world(database) as w:
        await w.appeal()
        await w.store.gather_all(w.now())
        w.desk.fault = "twice"
        assert len(await w.deliver_all()) == 1
        w.moment += timedelta(seconds=30)
        assert await w.deliver_all() == []
        assert [taken.times for taken in w.desk.taken.values()] == [2]


async def test_after_a_day_it_is_given_up_visibly_and_can_be_resent(database: str) -> None:
    async with world(database) as w:
        receipt = await w.appeal()
        await w.store.gather_all(w.now())
        w.desk.fault, begun, attempts = "error", w.moment, 0
        while await w.waiting():
            assert w.moment - begun <= GIVE_UP_AFTER, "tried for longer than a day"
            try:
                [id_] = await w.waiting()
                await w.deliveries.deliver(id_)
            except Later as later:
                w.moment += later.delay
            attempts += 1
        assert w.moment - begun == GIVE_UP_AFTER
        assert len(set(w.desk.attempts)) == 1
        assert 25 <= len(w.desk.attempts) <= 60
        [dead] = await w.store.deliveries(unit="城管局", limit=10)
        assert (dead.number, dead.event, dead.last_status) == (receipt.number, "dispatch", 500)
        w.desk.fault = "none"
        assert await w.deliver_all() == []
        assert not w.desk.taken  # what was given up is not tried by itself
        with pytest.raises(NotFound):
            await w.store.resend(dead.id, unit="水务局", now=w.now())
        await w.store.resend(dead.id, unit="城管局", now=w.now())
        assert await w.deliver_all() == []
        assert list(w.desk.taken) == [dead.id]


async def test_a_system_that_is_switched_off_gives_its_webhooks_up(database: str) -> None:
    async with world(database) as w:
        await w.appeal()
        await w.store.gather_all(w.now())
        units = Units(store=w.store, directory=lambda: RULES.directory, allowed=LOOPBACK, clock=w.now)
        assert await units.authenticate(w.made.token) == "城管局"
        off = await units.register("城管局", url=w.made.url, active=False, by="root")
        assert (off.secret, off.token) == ("", "")
        assert await w.deliver_all() == []
        [dead] = await w.store.deliveries(limit=10)
        assert "switched off" in dead.last_error
        with pytest.raises(Unauthenticated):
            await units.authenticate(w.made.token)


async def test_renewed_secrets_end_the_old_ones(database: str) -> None:
    async with world(database) as w:
        units = Units(store=w.store, directory=lambda: RULES.directory, allowed=LOOPBACK, clock=w.now)
        fresh = await units.register("城管局", url=w.made.url, renew=True, by="root")
        assert fresh.token != w.made.token
        with pytest.raises(Unauthenticated):
            await units.authenticate(w.made.token)
        assert await units.authenticate(fresh.token) == "城管局"
        await w.appeal()
        await w.store.gather_all(w.now())
        await w.deliver_all()
        assert w.desk.refused == 1  # the desk still checks with the old secret
        with pytest.raises(NotFound):
            await units.register("无此局", url="", by="root")
        with pytest.raises(InvalidInput):
            await units.register("城管局", url="https://localhost/", by="root")
        with pytest.raises(Unauthenticated):
            await units.authenticate("")


async def test_the_worker_delivers_what_was_gathered(database: str) -> None:
    async with world(database) as w:
        await w.appeal()

        async def gather() -> None:
            await w.store.gather_all(w.now())

        handlers = {Job.DELIVER: w.deliveries.deliver}
        running = asyncio.create_task(run_jobs(w.pool, handlers, {"webhooks": (gather, 0.1)}))
        try:
            async with asyncio.timeout(30):
                while not w.desk.taken:
                    await asyncio.sleep(0.05)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        [taken] = w.desk.taken.values()
        assert isinstance(taken.event, UnitEvent)


async def test_jobs_that_were_lost_are_restored(database: str) -> None:
    async with world(database) as w:
        await w.appeal()
        await w.store.gather_all(w.now())
        await w.pool.execute("DELETE FROM pgqueuer")
        await w.store.restore_jobs(w.now() + timedelta(seconds=1))
        assert await w.pool.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'deliver'") == 1


@given(st.text(max_size=20), st.integers(1, 10_000), st.timedeltas(timedelta(seconds=1), GIVE_UP_AFTER))
def test_pauses_grow_and_end_with_the_day(id_: str, attempts: int, left: timedelta) -> None:
    pause = pause_after(id_, attempts, left=left)
    assert timedelta() < pause <= min(left, timedelta(seconds=3600 * 1.1))
    assert pause <= pause_after(id_, attempts + 1, left=left)
