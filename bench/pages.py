"""The agents' console under load, measured in a real browser: 50,000 open tickets and 200 events a second.

A load generator speaks the console's protocol to the built pages: what is measured is the page, not the service behind
it. Prints interaction to next paint (the browser's own event timing), the heap over time, and the first load.

    python -m bench.pages --minutes 10
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from playwright.async_api import async_playwright
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from agent_ui.page import DIST, built, routes
from tests.ports import free_port

STAFF = {"name": "bench", "display_name": "坐席", "role": "agent"}
STATES = ("received", "pending_dispatch", "return_requested", "pending_review", "pending_follow_up")
NOW = datetime.now(UTC)
OBSERVE = """
window.slow = {};
new PerformanceObserver((list) => {
  for (const { interactionId: id, duration } of list.getEntries()) {
    if (id) window.slow[id] = Math.max(window.slow[id] ?? 0, duration);
  }
})
  .observe({type: 'event', durationThreshold: 16, buffered: true});
"""
COUNTED = (
    "[...document.querySelectorAll('[data-queue] .count')]"
    ".reduce((sum, one) => sum + Number(one.textContent), 0)"
)
GOAL_PAINT, GOAL_LOAD = 200, 400


def row(number: int, version: int, state: str) -> dict[str, Any]:
    """Return a ticket's row."""
    at = (NOW - timedelta(seconds=number)).isoformat()
    return {
        "number": f"DG20261121{number:08d}", "version": version, "state": state, "channel": "web",
        "title": f"体育路{number}号门前的路灯坏了三天，晚上很黑", "kind": "complaint", "priority": f"P{number % 4}",
        "verdict": "non_emergency", "created_at": at, "updated_at": at, "category": "03/路灯", "town": "南城",
        "due": (NOW + timedelta(minutes=number % 9000)).isoformat(),
    }


class Crowd:
    """The tickets, and what happens to them: each event moves one on, one in eight comes anew."""

    def __init__(self, tickets: int) -> None:
        self.versions = dict.fromkeys(range(tickets), 1)
        self._seq, self._turn = itertools.count(10_000_000), itertools.count(1)

    def state(self, number: int) -> str:
        """Return where a ticket stands."""
        return STATES[(number + self.versions[number]) % len(STATES)]

    def page(self, cursor: int, limit: int) -> list[dict[str, Any]]:
        """Return rows of a snapshot."""
        return [row(n, self.versions[n], self.state(n)) for n in range(cursor, min(cursor + limit, len(self.versions)))]

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the next events. The number of open tickets stays: one is closed for each that comes."""
        told = []
        for _ in range(count):
            number = next(self._turn) * 7919 % len(self.versions)
            self.versions[number] += 1
            told.append({
                "seq": next(self._seq), "at": NOW.isoformat(), "type": "correct", "actor": "agent:x",
                "number": f"DG20261121{number:08d}", "summary": row(number, self.versions[number], self.state(number)),
            })
        return told


class Gateway:
    """Speaks as much of the protocol as the page needs."""

    def __init__(self, crowd: Crowd, rate: int) -> None:
        self._crowd, self._rate = crowd, rate

    async def serve(self, socket: ServerConnection) -> None:
        """One console."""
        feeding: asyncio.Task[None] | None = None
        async for data in socket:
            ask = json.loads(data)
            answer = self._answer(ask)
            if answer is not None:
                await socket.send(json.dumps(answer))
            if ask["type"] == "follow" and "centre" in ask["topics"] and feeding is None:
                feeding = asyncio.create_task(self._feed(socket))
        if feeding is not None:
            feeding.cancel()

    async def _feed(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):  # the page gave the line up, as it does when a machine stands still
            while True:
                await asyncio.sleep(0.05)
                await socket.send(json.dumps({"type": "events", "events": self._crowd.events(self._rate // 20)}))

    def _answer(self, ask: dict[str, Any]) -> dict[str, Any] | None:
        stamp = datetime.now(UTC).isoformat()
        match ask["type"]:
            case "hello":
                return {"type": "welcome", "seq": 1, "staff": STAFF, "server_time": stamp, "lease": 10}
            case "ping":
                return {"type": "pong", "seq": 1, "server_time": stamp}
            case "snapshot":
                start, rows = int(ask.get("cursor") or 0), []
                if ask["topic"] == "centre":
                    rows = self._crowd.page(start, ask["limit"])
                following = str(start + len(rows)) if start + len(rows) < len(self._crowd.versions) and rows else ""
                return {"type": "snapshot", "id": ask["id"], "topic": ask["topic"], "seq": 9_999_999, "rows": rows,
                        "next": following}
            case "open":
                return {"type": "ok", "id": ask["id"], "opened": _opened(ask["number"])}
            case "follow" | "unfollow":
                return None
            case _:
                return {"type": "ok", "id": ask["id"]}


def _opened(number: str) -> dict[str, Any]:
    appeal = {"text": "体育路门前的路灯坏了三天，晚上很黑，请派人来修。" * 4}
    triage = {"category": {"l1": "03", "l2": "路灯", "confidence": 0.9}}
    fact = {"type": "receive", "number": number, "channel": "web", "appeal": appeal, "triage": triage}
    event = {"version": 1, "at": NOW.isoformat(), "actor": {"role": "citizen", "name": ""}, "fact": fact}
    ticket = {"number": number, "channel": "web", "version": 1, "state": "received", "created_at": NOW.isoformat(),
              "appeal": appeal, "triage": triage, "title": "路灯"}
    return {"id": 1, "ticket": ticket, "events": [event], "commands": ["accept", "add_note", "claim"], "masked": True}


@asynccontextmanager
async def house(crowd: Crowd, rate: int) -> AsyncIterator[str]:
    """Serve pages and gateway; give the address."""
    http, ws = free_port(), free_port()

    async def session(_: web.Request) -> web.Response:
        return web.json_response({**STAFF, "department": "", "proof": "password", "duties": [], "idle_seconds": 900})

    async def ticket(_: web.Request) -> web.Response:
        return web.json_response({"ticket": "t", "url": f"ws://127.0.0.1:{ws}/", "expires_in": 30})

    app = web.Application()
    app.add_routes([*routes(), web.get("/api/v1/session", session), web.post("/api/v1/console-ticket", ticket)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", http).start()
    async with serve(Gateway(crowd, rate).serve, "127.0.0.1", ws, max_size=None, compression=None):
        yield f"http://127.0.0.1:{http}"
    await runner.cleanup()


async def measure(tickets: int, rate: int, minutes: float) -> dict[str, float]:
    """Run the console under load and return the figures."""
    async with house(Crowd(tickets), rate) as base, async_playwright() as run:
        browser = await run.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1366, "height": 768})
        probe = await page.context.new_cdp_session(page)
        await probe.send("Network.enable")
        loaded: list[float] = []
        probe.on("Network.loadingFinished", lambda told: loaded.append(told["encodedDataLength"]))
        await page.add_init_script(OBSERVE)
        began = time.perf_counter()
        await page.goto(f"{base}/console")
        await page.wait_for_selector("[role=option]")
        first, load = time.perf_counter() - began, sum(loaded) / 1024
        while await page.evaluate(COUNTED) < tickets * 0.999:  # noqa: ASYNC110 - the page's policy forbids to wait in it
            await asyncio.sleep(0.25)
        whole = time.perf_counter() - began
        done, heaps = await _work(page, probe, minutes)
        slow: dict[str, float] = await page.evaluate("window.slow")
        await browser.close()
    paints = sorted(slow.values()) + [0.0] * max(0, done - len(slow))
    return {
        "first rows s": first, "all rows s": whole, "first load kB": load, "interactions": done,
        "paint p50 ms": statistics.median(paints), "paint p95 ms": sorted(paints)[int(len(paints) * 0.95) - 1],
        "paint worst ms": max(paints), "heap MB at first": heaps[0][1], "heap MB at last": heaps[-1][1],
        "heap MB at most": max(used for _, used in heaps), "heap slope MB/min": slope(heaps),
        "after a minute": slope([one for one in heaps if one[0] >= 1]),
    }


def slope(heaps: Sequence[tuple[float, float]]) -> float:
    """Return by how many MB a minute the heap grows: least squares over samples of (minute, MB); 0 for one sample."""
    return statistics.linear_regression(*zip(*heaps, strict=True)).slope if len(heaps) > 1 else 0.0


async def _work(page: Any, probe: Any, minutes: float) -> tuple[int, list[tuple[float, float]]]:
    """Work as an agent does for so long; return how many interactions that were, and the heap as (minute, MB)."""
    heaps, done, began = [], 0, time.monotonic()
    ends = began + minutes * 60
    keys = itertools.cycle(["4", "j", "j", "j", "i", "Escape", "x", "5", "j", "j", "9", "j", "l", "7", "PageDown"])
    while time.monotonic() < ends:
        for _ in range(60):
            await page.keyboard.press(next(keys))
            done += 1
            await asyncio.sleep(0.12)
        await probe.send("HeapProfiler.collectGarbage")
        used = (await probe.send("Runtime.getHeapUsage"))["usedSize"] / 1e6
        heaps.append(((time.monotonic() - began) / 60, used))
    return done, heaps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example:\n  python -m bench.pages --minutes 1",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--tickets", type=int, default=50_000, help="open tickets (default: 50000)")
    parser.add_argument("--rate", type=int, default=200, help="events a second (default: 200)")
    given = parser.parse_args()
    if not built(DIST) or shutil.which("chromium") is None:
        print("no built pages (make pages) or no chromium here: the console's page is not measured", file=sys.stderr)
        return
    found = asyncio.run(measure(given.tickets, given.rate, given.minutes))
    print(f"console with {given.tickets:,} open tickets, {given.rate} events/s, {given.minutes:g} minutes")
    for name, value in found.items():
        print(f"  {name:<20} {value:10.1f}")
    print(f"  goals: paint p95 <= {GOAL_PAINT} ms, first load <= {GOAL_LOAD} kB")


if __name__ == "__main__":
    main()
