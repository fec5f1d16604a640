"""Many consoles in one process, far cheaper than what they measure. `… PORT COUNT LOAD`, the load `all` or `city`.

Plain sockets and epoll, no event loop. Each console goes from frame to frame and counts the events by the frames'
lengths; `SAMPLED` of them take every event apart, note how old it is and that it comes in order. The sockets are swept
every `SWEEP` seconds: a client that slept on each of them would make the server pay for waking it, which consoles on
machines of their own do not.

Orders are JSON lines on standard input: `{"expect": events, "first": seq, "all": everybody gets everything, "seconds":
patience, "base", "step"}`, the last two of `bench.fanout_server.shape`. Each is answered by `go` once nothing comes any
more, and then by an `Outcome` of `bench.fanout`.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import resource
import select
import socket
import struct
import sys
import time
from typing import Any

from bench.fanout_load import follows, wanted

EVENT = re.compile(rb'"seq":(\d+),[^{}]*?"actor":"t(\d+)"')
SAMPLED, SWEEP, QUIET = 50, 0.002, 0.25
BUFFER = bytearray(1 << 18)
PARTS = [memoryview(BUFFER)[taken:] for taken in range(10)]  # what is read comes after `taken` bytes of a cut header


class Console:
    """A socket that has shaken hands and follows its topics; counts what comes."""

    def __init__(self, port: int, number: int, load: str, *, sampled: bool) -> None:
        self.number, self._load, self._sampled = number, load, sampled
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.fd = self.socket.fileno()
        self.begin()

    def begin(self) -> None:
        """Count from nothing."""
        self.count, self.disorder, self.ages, self._last = 0, 0, list[float](), 0
        self._tail, self._head, self._rest = b"", b"", 0

    def follow(self) -> None:
        """Say who one is and what one follows; the answer to the ping tells that it holds."""
        self._until(b"\r\n\r\n")
        self._say({"type": "hello", "ticket": f"c{self.number}"})
        self._say({"type": "follow", "topics": sorted(follows(self._load, self.number))})
        self._say({"type": "ping"})

    def settle(self) -> None:
        """Wait until that holds."""
        self._until(b'"pong"')
        self.socket.setblocking(False)

    def _until(self, mark: bytes) -> None:
        found = b""
        while mark not in found:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError(f"console {self.number} was cut off")
            found += data

    def _say(self, frame: dict[str, object]) -> None:
        data = json.dumps(frame).encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack("!BH", 0xFE, len(data))
        self.socket.sendall(b"\x81" + length + bytes(4) + data)  # masked by zeros

    def take(self, base: int, step: int) -> int:
        """Read what is there; return how many bytes, 0 at the end."""
        taken = len(self._head)
        if taken:
            BUFFER[:taken] = self._head
        try:
            size = os.readv(self.fd, [PARTS[taken]])
        except BlockingIOError:
            return 1
        if self._sampled:
            self._look(bytes(BUFFER[:size]))
        else:
            self._walk(taken + size, base, step)
        return size

    def got(self, wanted: int) -> bool:
        """Whether it has got so many events, the last of them whole."""
        return self.count >= wanted and not self._rest

    def _walk(self, size: int, base: int, step: int) -> None:
        at, self._head = self._rest, b""
        while at < size:
            short = BUFFER[at + 1] if at + 1 < size else 0
            body = at + {126: 4, 127: 10}.get(short, 2)
            if body > size:
                self._head, at = bytes(BUFFER[at:size]), size
                break
            length = short if body == at + 2 else int.from_bytes(BUFFER[body - (2 if short == 126 else 8):body])
            events, odd = divmod(length - base, step)
            self.count, self.disorder, at = self.count + events, self.disorder + bool(odd), body + length
        self._rest = at - size

    def _look(self, data: bytes) -> None:
        whole, now, end = self._tail + data, time.monotonic_ns(), 0
        for found in EVENT.finditer(whole):
            seq, end = int(found[1]), found.end()
            self.disorder += seq <= self._last
            self._last = seq
            self.count += 1
            self.ages.append((now - int(found[2])) / 1e6)
        self._tail = whole[end:]


class Crowd:
    """All consoles."""

    def __init__(self, port: int, count: int, load: str) -> None:
        sampled = set(random.Random(0).sample(range(count), min(SAMPLED, count)))
        self._load, self._consoles = load, dict[int, Console]()
        self._poll = select.epoll()
        for first in range(0, count, 50):
            some = [Console(port, n, load, sampled=n in sampled) for n in range(first, min(count, first + 50))]
            for step in (Console.follow, Console.settle):
                for console in some:
                    step(console)
            for console in some:
                self._consoles[console.fd] = console
                self._poll.register(console.fd, select.EPOLLIN)

    def _sweep(self, base: int = 0, step: int = 1) -> list[Console]:
        """Read from all that have something; return them."""
        heard = [self._consoles[fd] for fd, _ in self._poll.poll(0, len(self._consoles) or 1)]
        for console in heard:
            if not console.take(base, step):
                self._poll.unregister(console.fd)  # cut off: it stays short of what it wants
        time.sleep(SWEEP)
        return heard

    def calm(self) -> None:
        """Read until nothing comes any more, and forget it."""
        until = time.monotonic() + QUIET
        while time.monotonic() < until:
            if self._sweep():
                until = time.monotonic() + QUIET
        for console in self._consoles.values():
            console.begin()

    def collect(self, order: dict[str, Any]) -> dict[str, Any]:
        """Count until everybody has everything, or patience ends; return the outcome."""
        load = "all" if order["all"] else self._load
        counts = wanted(load, len(self._consoles), first=order["first"], count=order["expect"])
        print("go", flush=True)
        short = {console for console in self._consoles.values() if counts[console.number]}
        until = time.monotonic() + order["seconds"]
        while short and time.monotonic() < until:
            for console in self._sweep(order["base"], order["step"]):
                if console.got(counts[console.number]):
                    short.discard(console)
        over = sum(console.count > counts[console.number] for console in self._consoles.values())
        ages = sorted(age for console in self._consoles.values() for age in console.ages)
        p50, p99 = (ages[int(len(ages) * part)] for part in (0.5, 0.99)) if ages else (0.0, 0.0)
        return {"missing": len(short), "over": over, "p50": p50, "p99": p99, "deliveries": sum(counts),
                "disorder": sum(console.disorder for console in self._consoles.values())}


def main(port: int, count: int, load: str) -> None:
    """Connect all, then answer orders."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd(port, count, load)
    print("ready", flush=True)
    for line in sys.stdin:
        crowd.calm()
        print(json.dumps(crowd.collect(json.loads(line))), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
