"""A lean HTTP load: keep-alive connections, one request under way on each, answers checked. `python -m bench.load URL`.

Bare asyncio protocols, so that the load costs far less than what it measures; the same load goes to every candidate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from urllib.parse import urlencode, urlsplit

import uvloop


class Client(asyncio.Protocol):
    """One connection: sends the next request as soon as the last is answered."""

    def __init__(self, load: Load) -> None:
        self._load, self._buffer, self._began = load, b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._load.request())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._load.answered(int(head[9:12]), time.perf_counter() - self._began)
        if self._load.over:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.closed(exc)


class Load:
    """What is sent and what came back."""

    def __init__(
        self, url: str, texts: list[str | dict[str, object]], *, token: str, form: bool = False, good: int = 201
    ) -> None:
        parts = urlsplit(url)
        self.host, self.port, self._path = parts.hostname or "", parts.port or 80, parts.path
        bodies = [encode(text, form=form) for text in texts]
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        self._heads = [
            (f"POST {self._path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
             f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nIdempotency-Key: ").encode()
            for body in bodies
        ]
        self._bodies, self._count, self._seed, self._good = bodies, 0, random.randrange(16**8), good
        self.over, self.statuses, self.times, self._open = False, Counter[int](), list[float](), 0
        self.done = asyncio.Event()

    def request(self) -> bytes:
        """Return the next request; each has a key of its own."""
        self._count += 1
        n = (self._count * 7919) % len(self._bodies)
        return b"%b%x-%d\r\n\r\n%b" % (self._heads[n], self._seed, self._count, self._bodies[n])

    def answered(self, status: int, seconds: float) -> None:
        """Note an answer."""
        self.statuses[status] += 1
        self.times.append(seconds)

    def closed(self, error: Exception | None) -> None:
        """Note the end of a connection; before the end of the load it is a bad answer, however politely it closed."""
        if not self.over:
            self.statuses[0] += 1
        self._open -= 1
        if not self._open:
            self.done.set()

    async def run(self, clients: int, seconds: float) -> dict[str, float]:
        """Load for `seconds` and return what was measured."""
        loop = asyncio.get_running_loop()
        self._open = clients
        began = time.perf_counter()
        for _ in range(clients):
            await loop.create_connection(lambda: Client(self), self.host, self.port)
        await asyncio.sleep(seconds)
        self.over = True
        counted, took = self.statuses[self._good], time.perf_counter() - began
        await asyncio.wait_for(self.done.wait(), 30)
        times = sorted(self.times)
        good = self.statuses[self._good]
        return {
            "per_second": counted / took, "good": good, "bad": sum(self.statuses.values()) - good,
            "p50_ms": 1000 * times[len(times) // 2], "p99_ms": 1000 * times[len(times) * 99 // 100],
        }


def encode(text: str | dict[str, object], *, form: bool) -> bytes:
    """Return the body of a request: an appeal with this text, or the given fields as JSON or as a posted form."""
    fields = {"text": text} if isinstance(text, str) else text
    return urlencode(fields).encode() if form else json.dumps(fields, ensure_ascii=False).encode()


def main() -> None:
    """Run from the command line; prints one JSON object.

    Standard input holds a JSON array of texts (each becomes an appeal), or of objects (each is a body as it stands).
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--token", default="")
    parser.add_argument("--form", action="store_true", help="post the bodies as a form, not as JSON")
    parser.add_argument("--good", type=int, default=201, help="the one status that counts")
    given = parser.parse_args()
    load = Load(given.url, json.load(sys.stdin), token=given.token, form=given.form, good=given.good)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load.run(given.clients, given.seconds))))


if __name__ == "__main__":
    main()
