"""The whole house on a real database for the gateway's tests: intake, service, log-in, gateway, and consoles."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from argon2 import PasswordHasher
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from agent_ui import protocol as p
from agent_ui.accounts import Accounts
from agent_ui.aid_requests import Aids
from agent_ui.aids import CityTerms
from agent_ui.gateway import Gateway
from agent_ui.limits import Limits
from agent_ui.passwords import Passwords
from agent_ui.requests import Requests
from agent_ui.staff import Staff, StaffRole
from channels.message import Inbound, Receipt
from hotline.appeal import Appeal, Evidence, Triage
from hotline.intake import Intake
from hotline.library import Library
from hotline.service import Service
from hotline.store.accounts import AccountStore
from hotline.store.console import ConsoleStore
from hotline.store.database import open_pool
from hotline.store.knowledge import KnowledgeStore
from hotline.store.likeness import LikenessStore
from hotline.store.looks import LookStore
from hotline.store.relatives import RelativesStore
from hotline.store.search import words
from hotline.store.tail import Tail
from hotline.store.tickets import TicketStore
from hotline.summary import Summary
from hotline.terms import Channel
from tests.cities import RULES, STREET_LIGHT

PASSWORD = "correct horse 12345"
PEOPLE = (
    Staff(name="zhang", display_name="张三", role=StaffRole.AGENT),
    Staff(name="zhao", display_name="赵六", role=StaffRole.AGENT),
    Staff(name="li", display_name="李四", role=StaffRole.SUPERVISOR),
    Staff(name="wang", display_name="王五", role=StaffRole.DEPARTMENT, department="城管局"),
    Staff(name="root", display_name="管理员", role=StaffRole.SYSTEM_ADMIN),
)
QUICK = Limits(lease=0.6, ping=0.1, housekeeping=0.05, hello=0.3, grace=0.5)
"""Limits that a test can wait for."""
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_keys = itertools.count()


def rows(frame: p.Snapshot | p.Ok) -> list[Summary]:
    return [msgspec.json.decode(row, type=Summary) for row in frame.rows or ()]


def fast_passwords() -> Passwords:
    return Passwords(hasher=FAST)


class Clock:
    """The real time, movable."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Desk:
    """A console as the tests use it: keeps every frame, remembers the last `seq`, answers nothing by itself."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[p.ServerFrame] = []
        self.last_seq = 0
        self._ids = itertools.count(1)
        self._arrived = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())
        self.closed = asyncio.Event()

    async def _read(self) -> None:
        try:
            async for data in self.socket:
                frame = msgspec.json.decode(data, type=p.ServerFrame)
                match frame:
                    case p.Events():
                        self.last_seq = frame.events[-1].seq
                    case p.Welcome() | p.Pong() | p.TooOld():
                        self.last_seq = max(self.last_seq, frame.seq)
                async with self._arrived:
                    self.frames.append(frame)
                    self._arrived.notify_all()
        except ConnectionClosed:
            pass  # cut on purpose
        finally:
            self.closed.set()

    async def send(self, frame: p.ConsoleFrame) -> None:
        await self.socket.send(msgspec.json.encode(frame).decode())

    async def until(self, predicate: Any) -> Any:
        """Return what `predicate(frames)` returns, as soon as it is true; a frame that never comes times out."""
        async with asyncio.timeout(20), self._arrived:
            while not (found := predicate(self.frames)):
                await self._arrived.wait()
            return found

    async def ask(self, kind: type[p.Ask], **fields: Any) -> Any:
        """Send a request and return its answer."""
        number = next(self._ids)
        await self.send(kind(id=number, **fields))  # type: ignore[arg-type]
        return await self.until(lambda frames: next((f for f in frames if getattr(f, "id", None) == number), None))

    async def of(self, kind: type[p.ServerFrame]) -> Any:
        """Return the first frame of a kind."""
        return await self.until(lambda frames: next((f for f in frames if isinstance(f, kind)), None))

    async def follow(self, *topics: str) -> None:
        """Follow, and wait until it holds."""
        await self.send(p.Follow(topics=topics))
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything sent before has been worked off."""
        before = sum(isinstance(f, p.Pong) for f in self.frames)
        await self.send(p.Ping())
        await self.until(lambda frames: sum(isinstance(f, p.Pong) for f in frames) > before)

    @property
    def events(self) -> list[p.Event]:
        return [event for frame in self.frames if isinstance(frame, p.Events) for event in frame.events]

    async def cut(self) -> None:
        """Break the connection without a word."""
        self.socket.transport.abort()
        await self.closed.wait()

    async def leave(self) -> None:
        await self.socket.close()
        await self.closed.wait()


class Stack:
    """What the tests hold of a running house."""

    def __init__(self, *, dsn: str, pool: asyncpg.Pool, intake: Intake, service: Service, accounts: Accounts,
                 store: ConsoleStore, clock: Clock) -> None:
        self.dsn, self.pool, self.intake, self.service = dsn, pool, intake, service
        self.accounts, self.store, self.clock = accounts, store, clock
        self.ports: dict[int, Gateway] = {}
        self.library = Library(KnowledgeStore(pool), words=words, clock=clock)
        self.port = 0

    def aids(self) -> Aids:
        """The aids over the small city's directory; any text is explained by its first two characters."""
        directory = RULES.directory
        terms = CityTerms(city="东莞", categories=(), units=tuple(directory.units), towns=("南城",))
        return Aids(
            terms=lambda: terms, directory=lambda: directory, looks=LookStore(self.pool), clock=self.clock,
            explain=lambda text, label, rivals: (Evidence(f"category:{label}", text[:2], 0, 2),),
        )

    @asynccontextmanager
    async def gateway(self, *, limits: Limits = Limits(), **serving: Any) -> AsyncIterator[Gateway]:
        """Run a gateway; the newest one is where `desk` goes."""
        requests = Requests(store=self.store, act=self.service.act, submit=self.intake.submit, clock=self.clock,
                            lease=limits.lease, relatives=RelativesStore(self.pool),
                            likeness=LikenessStore(self.pool), library=self.library, aids=self.aids())
        async with Tail(self.dsn) as tail:
            gateway = Gateway(feed=tail, start=tail.status.cursor, store=self.store, requests=requests,
                              redeem=self.accounts.redeem, clock=self.clock, limits=limits)
            async with gateway.serving("127.0.0.1", 0, **serving) as server:
                self.port = next(iter(server.sockets)).getsockname()[1]
                self.ports[self.port] = gateway
                yield gateway

    async def ticket(self, name: str) -> str:
        grant = await self.accounts.login(name, PASSWORD)
        return await self.accounts.console_ticket(grant.token)

    async def connect(self, port: int = 0) -> ClientConnection:
        return await connect(f"ws://127.0.0.1:{port or self.port}/", compression=None, max_size=1 << 26)

    async def desk(self, name: str, *topics: str, last_seq: int | None = None, port: int = 0) -> Desk:
        """Log in and connect; follow topics if any."""
        ticket = await self.ticket(name)  # first: who has connected has little time to say who they are
        desk = Desk(await self.connect(port))
        await desk.send(p.Hello(ticket=ticket, last_seq=last_seq))
        await desk.of(p.Welcome)
        if topics:
            await desk.follow(*topics)
        return desk

    async def appeal(self, text: str = "体育路路灯不亮", **more: Any) -> Receipt:
        return await self.intake.submit(Inbound(
            channel=Channel.WEB, external_id=f"k{next(_keys)}", received_at=self.clock(),
            appeal=Appeal(text=text, **more),
        ))


def triage(texts: Sequence[str], /) -> list[Triage]:
    """Dispatches street lights, leaves the rest to people."""
    return [STREET_LIGHT if "路灯" in text else Triage(category=None, needs_person=True) for text in texts]


@asynccontextmanager
async def house(dsn: str) -> AsyncIterator[Stack]:
    clock = Clock()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await open_pool(dsn, size=8))
        tickets = TicketStore(pool, prefix="DG")
        intake = await stack.enter_async_context(Intake(
            store=tickets, triage=triage, rules=lambda: RULES, clock=clock, new_code=lambda: "123456",
        ))
        service = Service(store=tickets, intake=intake, rules=lambda: RULES, clock=clock)
        accounts = Accounts(store=AccountStore(pool), passwords=fast_passwords(), clock=clock)
        for person in PEOPLE:
            await accounts.add_staff(person, PASSWORD)
        yield Stack(dsn=dsn, pool=pool, intake=intake, service=service, accounts=accounts,
                    store=ConsoleStore(pool), clock=clock)
