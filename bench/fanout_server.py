"""What `bench.fanout` measures: the real gateway over made events, or a bare broadcast. `… gateway|bare PORT CONSOLES`.

Orders come as JSON lines on standard input: `{"rate": events a second, "count": how many, "first": seq}`. An event
bears the time at which it was due, not that at which a busy server came to make it: what waits for the server counts.
All events are of one length, so that a frame's length tells how many are in it: the first line tells how (`shape`).
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import resource
import sys
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from agent_ui.accounts import Admitted
from agent_ui.gateway import Gateway
from agent_ui.hub import Encoded, joined
from agent_ui.limits import Limits
from agent_ui.requests import Requests
from agent_ui.staff import Staff, StaffRole
from bench.fanout_load import topics
from hotline.feed import FeedEvent

SUMMARY = json.dumps({
    "number": "DG2026112140000017", "state": "pending_sign", "title": "体育路路灯不亮",
    "department": "城市管理和综合执法局",
    "channel": "app", "version": 3, "created_at": "2026-11-21T12:00:00Z", "category": {"l1": "03", "l2": "路灯"},
}, ensure_ascii=False)
INTERVAL = 0.02
FIRST, AT = 10**12, datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


def event(seq: int, due: float, consoles: int) -> FeedEvent:
    """An event as the log has it; the monotonic time at which it was due is told as its actor."""
    return FeedEvent(
        seq=FIRST + seq, at=AT, type="dispatch", actor=f"t{due * 1e9:020.0f}", topics=topics(seq, consoles),
        number="DG2026112140000017", summary=SUMMARY,
    )


def told(one: FeedEvent) -> bytes:
    """An event as the bare broadcast sends it."""
    return msgspec.json.encode({"type": "event", "seq": one.seq, "at": one.at, "actor": one.actor,
                                "number": one.number, "summary": msgspec.Raw(one.summary.encode())})


def shape(kind: str) -> dict[str, int]:
    """How long a frame of so many events is: `base` + `step` for each."""
    if kind == "bare":
        return {"base": 0, "step": len(told(event(0, 0.0, 1)))}
    some = [Encoded(event(0, 0.0, 1))] * 2
    return {"base": 2 * len(joined(some[:1])) - len(joined(some)), "step": len(joined(some)) - len(joined(some[:1]))}


class Feed:
    """Pages of events at most every `INTERVAL`, as the reader of the log gives them."""

    def __init__(self) -> None:
        self._waiting: deque[FeedEvent] = deque()
        self._came = asyncio.Event()

    def put(self, one: FeedEvent) -> None:
        """Let an event happen."""
        self._waiting.append(one)
        self._came.set()

    async def next(self) -> list[FeedEvent]:
        """Return what happened since."""
        await asyncio.sleep(INTERVAL)
        await self._came.wait()
        page = [self._waiting.popleft() for _ in range(min(500, len(self._waiting)))]
        if not self._waiting:
            self._came.clear()
        return page

    async def rest(self, until: asyncio.Event) -> None:
        """Wait for somebody to be there."""
        await until.wait()

    def skip_to(self, position: int) -> None:
        """Nothing to pass over."""


class Store:
    """What a gateway asks of the database while nobody takes a snapshot."""

    async def horizon(self) -> int:
        """Where live events begin."""
        return 1

    async def keep_leases(self, _: object, *, lease: float) -> None:
        """Everybody is still there."""


async def redeem(ticket: str) -> Admitted:
    """Everybody is a supervisor."""
    return Admitted(staff=Staff(name=ticket, display_name=ticket, role=StaffRole.SUPERVISOR), session=0)


async def orders() -> Any:
    """Yield the orders of standard input."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


async def happen(order: dict[str, Any], put: Any, consoles: int) -> None:
    """Let events happen at the rate; after a delay all that are due at once, as a page of the log has them."""
    began = time.monotonic()
    for n in range(order["count"]):
        due = began + n / order["rate"]
        if (early := due - time.monotonic()) > 0:
            await asyncio.sleep(early)
        put(event(order["first"] + n, due, consoles))


async def gateway(port: int, consoles: int) -> None:
    """The real one."""
    feed = Feed()
    made = Gateway(
        feed=cast(Any, feed), start=0, store=cast(Any, Store()), requests=cast(Requests, None), redeem=redeem,
        clock=lambda: datetime.now(UTC),
        limits=Limits(consoles=20_000, housekeeping=10_000.0, ping=10_000.0, max_buffer=8 << 20),
    )
    async with made.serving("127.0.0.1", port):
        print(json.dumps(shape("gateway")), flush=True)
        async for order in orders():
            await happen(order, feed.put, consoles)


async def bare(port: int, consoles: int) -> None:
    """`websockets` as its documentation broadcasts."""
    sockets: set[ServerConnection] = set()

    async def hold(socket: ServerConnection) -> None:
        async for data in socket:
            if b"follow" in (data if isinstance(data, bytes) else data.encode()):
                sockets.add(socket)
                await socket.send('{"type":"pong"}')

    def put(one: FeedEvent) -> None:
        broadcast(sockets, told(one), text=True)

    async with serve(hold, "127.0.0.1", port, compression=None, ping_interval=None):
        print(json.dumps(shape("bare")), flush=True)
        async for order in orders():
            await happen(order, put, consoles)


if __name__ == "__main__":
    logging.disable()  # clients that are killed at the end are no news
    gc.set_threshold(20_000, 20, 50)  # as `hotline serve`
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run((gateway if sys.argv[1] == "gateway" else bare)(int(sys.argv[2]), int(sys.argv[3])))
