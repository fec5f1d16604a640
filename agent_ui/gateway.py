"""The console gateway: a WebSocket server over the event log.

An event is serialised once; the events of a tick go out in one write to each console that follows one of their topics;
consoles that want the same share the bytes. They sit in rows that are told in turn (`agent_ui.hall`), so that telling
thousands holds nothing else up. No console is ever waited for: one whose buffer is full is dropped and resumes. Coming
back it gets what it missed, from memory or from the log, without a gap before what is live.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from agent_ui import protocol as p
from agent_ui.connection import Console, pages_of, write_all
from agent_ui.figures import DROPPED
from agent_ui.hall import Hall
from agent_ui.hub import Hub
from agent_ui.limits import Limits
from agent_ui.ports import ConsoleStore, EventFeed, Redeem
from agent_ui.requests import Requests
from agent_ui.session import Session
from agent_ui.staff import Staff, StaffRole
from agent_ui.turns import Turns
from agent_ui.upkeep import keep_alive, keep_house
from hotline.errors import HotlineError, InvalidInput
from hotline.ports import Clock

log = structlog.get_logger(__name__)
_NOBODY = Staff(name="", display_name="", role=StaffRole.AUDIT_ADMIN)
"""Who sits at a console before it has said so: sees nothing."""


class Gateway:
    """Serves consoles. `start` is the position after which `feed` begins."""

    def __init__(
        self, *, feed: EventFeed, start: int, store: ConsoleStore, requests: Requests, redeem: Redeem, clock: Clock,
        limits: Limits = Limits(),
    ) -> None:
        self._feed, self._store, self._redeem, self._clock, self._limits = feed, store, redeem, clock, limits
        self._turns = Turns(store=store, requests=requests, clock=clock, limits=limits, drop=self._drop)
        self._hall: Hall[Console] = Hall(start=start, capacity=limits.ring, rows=limits.rows)
        self._news, self._round = asyncio.Event(), asyncio.Event()
        self._consoles: set[Console] = set()
        self._attended = asyncio.Event()

    @property
    def consoles(self) -> int:
        """How many consoles are connected."""
        return len(self._consoles)

    @property
    def seq(self) -> int:
        """All events up to this one were given out to everybody."""
        return self._hall.seq

    @asynccontextmanager
    async def serving(
        self, host: str, port: int, *, origins: Sequence[str] = (), compression: bool = False, reuse_port: bool = False
    ) -> AsyncIterator[Server]:
        """Serve until the block is left; consoles are then told to come back.

        Args:
            origins: whose pages may connect beside those of the host itself (a ticket is needed all the same).
            compression: permessage-deflate; saves bandwidth, costs processor time and memory for each console.
            reuse_port: several processes share the port.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(work()) for work in (self._read, self._tell, self._keep_house)]
                async with self._listening(host, port, origins, compression, reuse_port) as server:
                    yield server
                    for console in list(self._consoles):
                        self._drop(console, "restart")
                for task in running:
                    task.cancel()
        except BaseExceptionGroup as group:
            if len(group.exceptions) == 1:
                raise group.exceptions[0] from None  # the caller's own error, as it was
            raise

    def _listening(
        self, host: str, port: int, origins: Sequence[str], compression: bool, reuse_port: bool
    ) -> AbstractAsyncContextManager[Server]:
        return serve(
            self._handle, host, port, process_request=pages_of(origins), compression="deflate" if compression else None,
            max_size=p.MAX_FRAME, ping_interval=None, close_timeout=self._limits.grace, server_header=None,
            reuse_port=reuse_port or None,
        )

    # ── events out ───────────────────────────────────────────────────────────────────────────────
    async def _read(self) -> None:
        """Take in what happens; wait while some row has much to be told still."""
        while True:
            await self._feed.rest(self._attended)
            self._hall.take_in(await self._feed.next())
            self._news.set()
            while self._hall.waiting > self._limits.ring:
                self._round.clear()
                await self._round.wait()

    async def _tell(self) -> None:
        """Tell row after row what waits for it; meanwhile more may happen, which goes out with the next round.

        So the tick grows with the load by itself, and is never longer than it takes to write to everybody once.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            for row in self._hall.rows:
                if row.waiting:
                    self._publish(row)
                    await asyncio.sleep(0)
            self._round.set()

    async def _attend(self) -> None:
        """Wake the reader, which rests while nobody is connected; what happened meanwhile is left to snapshots."""
        if self._attended.is_set():
            return
        horizon = await self._store.horizon()
        if not self._attended.is_set():
            self._feed.skip_to(horizon - 1)
            self._hall.restart(horizon - 1)
            self._attended.set()

    def _publish(self, row: Hub[Console]) -> None:
        for frame, consoles in row.publish():
            for slow in write_all(consoles, frame, max_buffer=self._limits.max_buffer):
                log.warning("console_slow", staff=slow.session.staff.name, buffered=slow.buffered)
                self._drop(slow, "slow")

    def _drop(self, console: Console, reason: str) -> None:
        DROPPED.labels(reason).inc()
        self._leave(console)
        console.drop(reason, grace=self._limits.grace)

    async def _keep_house(self) -> None:
        over = partial(self._drop, reason="session_ended")
        await keep_house(self._consoles, self._store, self._limits, clock=self._clock, end=over)

    def _leave(self, console: Console) -> None:
        console.row.place(console, console.session.topics, frozenset())

    # ── one console ──────────────────────────────────────────────────────────────────────────────
    async def _handle(self, socket: ServerConnection) -> None:
        try:
            console = await self._greet(socket)
        except (ConnectionClosed, TimeoutError):
            return  # gone before it said who it is
        if console is None:
            return
        self._consoles.add(console)
        alive = asyncio.create_task(keep_alive(console, self._limits))
        try:
            await self._welcome(console)
            async for data in socket:
                await self._turns.take(console, data)
        except ConnectionClosed as error:
            log.info("console_lost", staff=console.session.staff.name, error=str(error))
        finally:
            alive.cancel()
            self._consoles.discard(console)
            if not self._consoles:
                self._attended.clear()
            self._leave(console)
            console.dropped = True
            await console.settle(grace=self._limits.grace)

    async def _greet(self, socket: ServerConnection) -> Console | None:
        """Return the console once it has said who it is; None after telling it why not."""
        async with asyncio.timeout(self._limits.hello):
            data = await socket.recv()
        row = self._hall.seat()
        stranger = Console(socket, Session(staff=_NOBODY), row)
        try:
            hello = p.decode(data)
            if not isinstance(hello, p.Hello):
                raise InvalidInput("the first frame is `hello` with a one-time ticket")
            admitted = await self._redeem(hello.ticket)
        except HotlineError as error:
            await stranger.send(p.error_of(error, None))
            reason = "hello_expected" if isinstance(error, InvalidInput) else "unauthenticated"
            await stranger.refuse(reason, grace=self._limits.grace)
            return None
        if len(self._consoles) >= self._limits.consoles:
            await stranger.refuse("full", grace=self._limits.grace)
            return None
        session = Session(staff=admitted.staff, login=admitted.session, resume_from=hello.last_seq)
        return Console(socket, session, row)

    async def _welcome(self, console: Console) -> None:
        staff, last_seq = console.session.staff, console.session.resume_from
        try:
            await self._attend()
            seq = console.row.seq if last_seq is None else last_seq
            await console.send(p.Welcome(seq=seq, staff=staff, server_time=self._clock(), lease=self._limits.lease))
        except HotlineError as error:
            await console.send(p.error_of(error, None))
            self._drop(console, "restart")
