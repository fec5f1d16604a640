"""The hand-off to 110 over a real database and the desk's stand-in, whatever the desk does: one incident, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp.test_utils import TestServer

from channels.message import Outbound
from hotline import commands as c
from hotline.errors import HotlineError, NotFound, RateLimited, RuleViolation, Unavailable
from hotline.events import SYSTEM
from hotline.handoff import DeskUpdates, HandOffs, Later
from hotline.jobs import run_jobs
from hotline.keyring import Damaged
from hotline.messages import Messages
from hotline.service import Service
from hotline.standins.desk110 import Desk
from hotline.store.database import open_pool
from hotline.store.incidents import JobStore
from hotline.store.jobs import Job
from hotline.store.tickets import TicketStore
from hotline.terms import Channel, State
from hotline.terms import Service as Emergency
from routing.police110 import PoliceDesk
from tests.cities import NOW, RULES
from tests.hotline.test_intake import inbound, intake_over

SECRET = "shared-with-110"
ACCEPTING: tuple[str, ...] = ("none", "slow", "twice")


class World:
    """A hotline's jobs over a database, with a desk that can be made to fail and a clock that can be moved."""

    def __init__(self, dsn: str, pool: object, desk: Desk, client: PoliceDesk | None) -> None:
        self.dsn, self.desk = dsn, desk
        self.moment = NOW
        self.store = TicketStore(pool, prefix="DG")  # type: ignore[arg-type]
        self.rows = JobStore(pool)  # type: ignore[arg-type]
        self.service = Service(store=self.store, intake=None, rules=lambda: RULES, clock=self.now)  # type: ignore[arg-type]
        self.hand_offs = HandOffs(
            rows=self.rows, desk=client, service=self.service, clock=self.now, acknowledge_within=60, sign_within=600
        )
        self.pool = pool

    def now(self) -> datetime:
        return self.moment

    async def emergency(self) -> tuple[str, str]:
        """Return number and incident key of a new emergency."""
        async with intake_over(self.dsn) as intake:
            receipt = await intake.submit(inbound("厂房着火了"))
        return receipt.number, f"{receipt.number}-2"

    async def push_until_settled(self, key: str) -> None:
        for _ in range(5):
            try:
                await self.hand_offs.push(key)
            except Later:
                continue
            return


@asynccontextmanager
async def world(dsn: str, fault: str = "none", *, configured: bool = True) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        desk = Desk(secret=SECRET, fault=fault, delay=0.3)
        server = TestServer(desk.app())
        await server.start_server()
        stack.push_async_callback(server.close)
        client = PoliceDesk(url=str(server.make_url("")), secret=SECRET, clock=lambda: datetime.now(UTC), timeout=1.0)
        stack.push_async_callback(client.close)
        pool = await stack.enter_async_context(await open_pool(dsn))
        yield World(dsn, pool, desk, client if configured else None)


@pytest.mark.parametrize("fault", ACCEPTING)
async def test_one_incident_at_the_desk_and_its_number_on_the_ticket(database: str, fault: str) -> None:
    async with world(database, fault) as w:
        number, key = await w.emergency()
        await w.push_until_settled(key)
        await w.hand_offs.push(key)  # a job that runs again
        [incident] = w.desk.incidents.values()
        ticket = (await w.store.read(number)).ticket
        assert (ticket.incident, ticket.state) == (incident.incident, State.HANDED_OFF)
        assert incident.payload["number"] == number
        assert await w.rows.incident(key) == (number, "accepted")


async def test_a_push_lost_after_the_desk_took_it_makes_no_second_incident(database: str) -> None:
    """The process dies between the desk's answer and our record of it: the job runs again from the start."""
    async with world(database) as w:
        number, key = await w.emergency()
        pending = await w.rows.begin_push(key, w.now())
        assert pending is not None
        assert w.hand_offs._desk is not None
        await w.hand_offs._desk.push(key, pending.payload)
        await w.hand_offs.push(key)
        assert [incident.pushes for incident in w.desk.incidents.values()] == [2]
        assert (await w.store.read(number)).ticket.incident


async def test_many_workers_on_one_incident(database: str) -> None:
    async with world(database) as w:
        number, key = await w.emergency()
        await asyncio.gather(*(w.hand_offs.push(key) for _ in range(10)))
        assert len(w.desk.incidents) == 1
        stored = await w.store.read(number)
        types = [event.type for event in await w.store.history(stored.id)]
        assert types.count("acknowledge_incident") == 1


async def test_a_refusal_brings_the_ticket_back_to_a_person_with_an_alarm(database: str) -> None:
    async with world(database, "refusing") as w:
        number, key = await w.emergency()
        await w.hand_offs.push(key)
        ticket = (await w.store.read(number)).ticket
        assert (ticket.state, ticket.alarms) == (State.RECEIVED, {"incident_refused"})
        assert await w.rows.begin_push(key, w.now()) is None


@pytest.mark.parametrize("fault", ["down", "error"])
async def test_a_silent_desk_is_tried_again_and_raises_the_alarm_once(database: str, fault: str) -> None:
    async with world(database, fault) as w:
        number, key = await w.emergency()
        with pytest.raises(Later):
            await w.hand_offs.push(key)
        await w.hand_offs.alarm_on_silence()
        assert not (await w.store.read(number)).ticket.alarms
        w.moment += timedelta(days=400)
        await asyncio.gather(*(w.hand_offs.alarm_on_silence() for _ in range(3)))
        stored = await w.store.read(number)
        assert stored.ticket.alarms == {"incident_unacknowledged"}
        assert [e.type for e in await w.store.history(stored.id)].count("raise_alarm") == 1
        w.desk.fault = "none"
        await w.hand_offs.push(key)
        assert not (await w.store.read(number)).ticket.alarms


async def test_a_ticket_that_cannot_be_read_keeps_no_others_alarm_back(database: str) -> None:
    async with world(database, "down") as w:
        (bad, _), (good, _) = await w.emergency(), await w.emergency()
        await w.pool.execute(  # type: ignore[attr-defined]
            "UPDATE ticket_events SET sealed = 'changed' FROM tickets t WHERE t.id = ticket_id AND number = $1", bad
        )
        w.moment += timedelta(minutes=2)
        with pytest.raises(Damaged):  # told, and tried again
            await w.hand_offs.alarm_on_silence()
        assert (await w.store.read(good)).ticket.alarms == {"incident_unacknowledged"}


async def test_without_a_desk_incidents_wait(database: str) -> None:
    async with world(database, configured=False) as w:
        _, key = await w.emergency()
        with pytest.raises(Later, match="police_url"):
            await w.hand_offs.push(key)


async def test_a_wrong_secret_is_not_taken_for_an_answer(database: str) -> None:
    async with world(database) as w:
        _, key = await w.emergency()
        w.desk._secret = "another"
        with pytest.raises(Later, match="401"):
            await w.hand_offs.push(key)
        assert w.desk.incidents == {}


async def test_what_the_desk_tells_later_reaches_the_ticket(database: str) -> None:
    async with world(database) as w:
        number, key = await w.emergency()
        await w.hand_offs.push(key)
        updates = DeskUpdates(rows=w.rows, service=w.service)
        await updates.take(key, "signed", "")
        await updates.take(key, "closed", "已处置")
        await updates.take(key, "closed", "已处置")
        assert (await w.store.read(number)).ticket.state is State.CLOSED
        with pytest.raises(NotFound):
            await updates.take("unknown", "signed", "")


async def test_the_desk_may_return_an_incident_once(database: str) -> None:
    async with world(database) as w:
        number, key = await w.emergency()
        await w.hand_offs.push(key)
        w.moment += timedelta(minutes=5)
        updates = DeskUpdates(rows=w.rows, service=w.service)
        await updates.take(key, "returned", "非警情")
        await updates.take(key, "returned", "非警情")
        assert (await w.store.read(number)).ticket.police_returns == 1
        with pytest.raises(RuleViolation, match="never sent again"):
            await w.service.act(number, c.HandOff(services=(Emergency.POLICE,)), actor=SYSTEM)


async def test_the_worker_pushes_by_itself(database: str) -> None:
    async with world(database, "twice") as w:
        numbers = [await w.emergency() for _ in range(3)]
        worker = asyncio.create_task(run_jobs(w.pool, {Job.PUSH_INCIDENT: w.hand_offs.push}, {}))  # type: ignore[arg-type]
        try:
            async with asyncio.timeout(20):
                while not all([(await w.store.read(number)).ticket.incident for number, _ in numbers]):
                    await asyncio.sleep(0.05)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        assert sorted(w.desk.incidents) == sorted(key for _, key in numbers)


async def test_a_row_without_a_job_gets_one(database: str) -> None:
    async with world(database) as w:
        _, key = await w.emergency()
        await w.pool.execute("DELETE FROM pgqueuer")  # type: ignore[attr-defined]
        await w.rows.restore_jobs(datetime.now(UTC) + timedelta(days=1))
        await w.rows.restore_jobs(datetime.now(UTC) + timedelta(days=1))
        payloads = [row["payload"].decode() for row in await w.pool.fetch("SELECT payload FROM pgqueuer")]  # type: ignore[attr-defined]
        assert payloads == [key]


# ── messages ─────────────────────────────────────────────────────────────────────────────────────
class Phone:
    """A sender that does what it is told to; `sent` is what arrived."""

    def __init__(self, *outcomes: HotlineError | None) -> None:
        self.outcomes, self.sent = list(outcomes), list[str]()

    async def send(self, message: Outbound) -> None:
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        self.sent.append(message.key)


async def owed(w: World) -> tuple[str, str]:
    number, _ = await w.emergency()
    message = Outbound(channel=Channel.WECHAT, key="m1", to="openid", text="您好", number=number)  # type: ignore[arg-type]
    await w.rows.owe(message, w.now())
    await w.rows.owe(message, w.now())
    return number, "m1"


async def test_a_message_is_sent_once(database: str) -> None:
    async with world(database) as w:
        _, key = await owed(w)
        phone = Phone(Unavailable("busy"), RateLimited("slow down", retry_after=9))
        messages = Messages(rows=w.rows, senders={Channel.WECHAT: phone}, service=w.service, clock=w.now)
        with pytest.raises(Later):
            await messages.send(key)
        with pytest.raises(Later) as later:
            await messages.send(key)
        assert later.value.delay == timedelta(seconds=9)
        await messages.send(key)
        await messages.send(key)
        assert phone.sent == ["m1"]


@pytest.mark.parametrize("refusal", [RuleViolation("the citizen has unsubscribed"), None])
async def test_a_message_that_cannot_be_delivered_raises_an_alarm(database: str, refusal: HotlineError | None) -> None:
    async with world(database) as w:
        number, key = await owed(w)
        senders = {Channel.WECHAT: Phone(refusal)} if refusal else {}
        await Messages(rows=w.rows, senders=senders, service=w.service, clock=w.now).send(key)
        assert "message_undeliverable" in (await w.store.read(number)).ticket.alarms
        assert await w.rows.begin_send(key) is None


async def test_a_message_is_given_up_after_its_tries(database: str) -> None:
    async with world(database) as w:
        number, key = await owed(w)
        phone = Phone(*[Unavailable("down")] * 20)
        messages = Messages(rows=w.rows, senders={Channel.WECHAT: phone}, service=w.service, clock=w.now)
        tries = 0
        while await w.rows.begin_send(key) is not None:
            tries += 1
            assert tries < 20
            try:
                await messages.send(key)
            except Later:
                continue
        assert "message_undeliverable" in (await w.store.read(number)).ticket.alarms
