"""One console's socket: what is written to it, how much may wait, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN

from agent_ui.access import of_host
from agent_ui.hub import Hub
from agent_ui.protocol import Bye, ServerFrame, encode
from agent_ui.session import Session

CLOSE_CODES = {
    "slow": 4008, "hello_expected": 4400, "too_many_mistakes": 4400, "unauthenticated": 4401, "session_ended": 4403,
    "full": 4503, "restart": 1012,
}
"""WebSocket close codes by the reason in `bye`; 4000–4999 are for applications (RFC 6455 section 7.4.2)."""


class Console:
    """A connected console.

    Attributes:
        row: where it sits (see `agent_ui.hall`), from its first moment to its last.
        ahead_to: events up to this one are known to it already (see `agent_ui.hub.Follower`).
        heard: when it last gave a sign of life, by the event loop's clock.
        active: the person did something since the last look of the housekeeping.
        dropped: nothing more is written to it.
    """

    __slots__ = (
        "active", "ahead_to", "dropped", "heard", "mistakes", "outstanding", "protocol", "row", "session", "socket",
        "transport",
    )

    def __init__(self, socket: ServerConnection, session: Session, row: Hub[Console]) -> None:
        self.socket, self.session, self.row = socket, session, row
        self.transport, self.protocol = socket.transport, socket.protocol
        self.ahead_to = 0
        self.heard = asyncio.get_running_loop().time()
        self.active = True
        self.dropped = False
        self.mistakes = 0
        self.outstanding: set[asyncio.Task[None]] = set()

    @property
    def buffered(self) -> int:
        """Bytes that wait to be taken by the network."""
        return self.transport.get_write_buffer_size()

    @property
    def sent(self) -> int:
        """All events up to this one, of the topics followed, have been written to it."""
        if self.session.resume_from is not None:
            return self.session.resume_from
        return max(self.row.seq, self.ahead_to)

    async def send(self, frame: ServerFrame | bytes) -> None:
        """Write a frame, at once in the order of calls, then wait while too much is buffered."""
        if self.dropped:
            return
        try:
            await self.socket.send(frame if isinstance(frame, bytes) else encode(frame), text=True)
        except ConnectionClosed:
            self.dropped = True  # the reading side sees the end and cleans up

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Carry a request out beside the reading."""
        task = asyncio.create_task(work)
        self.outstanding.add(task)
        task.add_done_callback(self.outstanding.discard)

    def drop(self, reason: str, *, grace: float) -> None:
        """Say why and close, without waiting; after `grace` seconds the connection is cut whatever the peer does."""
        if self.dropped:
            return
        self.dropped = True
        broadcast([self.socket], encode(Bye(reason=reason)), text=True)
        closing = asyncio.create_task(self.socket.close(CLOSE_CODES[reason], reason))
        cut = asyncio.get_running_loop().call_later(grace, self.socket.transport.abort)
        self.outstanding.add(closing)
        closing.add_done_callback(lambda _: cut.cancel())
        closing.add_done_callback(self.outstanding.discard)

    async def refuse(self, reason: str, *, grace: float) -> None:
        """Say why and close, and wait until it is closed."""
        self.drop(reason, grace=grace)
        await self.settle(grace=grace)

    async def settle(self, *, grace: float) -> None:
        """Let requests under way come to their end; what takes longer than `grace` seconds is cancelled."""
        if not self.outstanding:
            return
        _, late = await asyncio.wait(self.outstanding, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def pages_of(origins: Collection[str]) -> Callable[[ServerConnection, Request], Response | None]:
    """Return what refuses pages of other sites, but for `origins`."""

    def checked(socket: ServerConnection, request: Request) -> Response | None:
        origin = request.headers.get("Origin")
        if origin is None or origin in origins or of_host(origin, request.headers.get("Host", "")):
            return None  # no Origin: no browser, so nobody's log-in can be borrowed
        return socket.respond(HTTPStatus.FORBIDDEN, "this page may not connect: see allowed_origins\n")

    return checked


def write_all(consoles: list[Console], frame: bytes, *, max_buffer: int) -> list[Console]:
    """Write one frame to many without waiting; return those that must be dropped because too much waits already.

    So a console's memory is bounded by `max_buffer` and one frame; a frame larger than the buffer still goes out.
    A server's frames bear no mask, so they are the same bytes for everybody: the library's own way makes them anew for
    each console, which was most of the cost of telling many. With compression each console has its own. Nothing is
    called in this loop that need not be: over 5,000 consoles it is most of what we add to the kernel's cost.
    """
    slow: list[Console] = []
    framed = Frame(Opcode.TEXT, frame).serialize(mask=False)
    for console in consoles:
        transport, protocol = console.transport, console.protocol
        if transport.get_write_buffer_size() > max_buffer:
            slow.append(console)
        elif protocol.state is not OPEN:
            continue
        elif protocol.extensions:
            broadcast([console.socket], frame, text=True)
        else:
            transport.write(framed)
    return slow
