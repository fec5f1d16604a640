"""Many consoles in one process, as lean as can be, so that the server is what is measured. `… PORT COUNT`.

Each counts the events in what it gets; one of twenty notes how old each is. Orders are JSON lines on standard input:
`{"expect": events, "patience": seconds}`, answered by `{"missing": consoles without all of them, "ms": [ages]}`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import struct
import sys
import time

import uvloop

from bench.fanout_server import orders

MARK = b'"actor":"t'
STAMP = re.compile(rb'"actor":"t(\d+)"')
EVERY = 20


class Client(asyncio.Protocol):
    """A console: shakes hands, follows, counts."""

    def __init__(self, number: int) -> None:
        self.number, self.count, self.ages = number, 0, list[float]()
        self._tail, self.ready, self._open = b"", asyncio.get_running_loop().create_future(), False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        self._write(f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())

    def _write(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[attr-defined]

    def _say(self, frame: dict[str, object]) -> None:
        data = json.dumps(frame).encode()
        self._write(struct.pack("!BB4x", 0x81, 0x80 | len(data)) + data)  # masked by zeros

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._open = True
            self._say({"type": "hello", "ticket": f"c{self.number}"})
            self._say({"type": "follow", "topics": ["tickets"]})
            self._say({"type": "ping"})
        if not self.ready.done() and b'"pong"' in data:
            self.ready.set_result(None)
        whole = self._tail + data
        self.count += whole.count(MARK)
        if self.number % EVERY == 0:
            now = time.monotonic_ns()
            self.ages += [(now - int(stamp)) / 1e6 for stamp in STAMP.findall(whole)]
        last = whole.rfind(MARK)  # an event that is counted is not looked at again
        self._tail = whole[max(last + len(MARK), len(whole) - len(MARK) + 1):]


async def main(port: int, count: int) -> None:
    """Connect all, then answer orders."""
    loop, clients = asyncio.get_running_loop(), list[Client]()
    for first in range(0, count, 100):
        made = [loop.create_connection(lambda n=n: Client(n), "127.0.0.1", port)  # type: ignore[misc]
                for n in range(first, min(count, first + 100))]
        clients += [protocol for _, protocol in await asyncio.gather(*made)]
        await asyncio.wait_for(asyncio.gather(*(client.ready for client in clients[first:])), 60)
    print("ready", flush=True)
    async for order in orders():
        for client in clients:
            client.count, client.ages = 0, []
        until = loop.time() + order["patience"]
        while loop.time() < until and any(client.count < order["expect"] for client in clients):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        missing = sum(client.count < order["expect"] for client in clients)
        ages = [age for client in clients for age in client.ages]
        print(json.dumps({"missing": missing, "ms": ages}), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), int(sys.argv[2])))
