"""What taking identities out and sealing them costs: processor time a ticket, beside what the rows cost without it.

    python -m bench.sealing
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from channels.message import Inbound
from hotline.appeal import Appeal, Citizen, Entity, Place, Triage
from hotline.keyring import KeyRing, new_file
from hotline.opening import open_ticket
from hotline.store import rows, sealing
from hotline.store.audit import AuditStore
from hotline.store.database import open_pool
from hotline.store.embedded import start_embedded, stop_embedded
from hotline.store.migrate import migrate
from hotline.terms import Channel

COUNT, ROUNDS = 1000, 25
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PLAIN = "南城鸿福路的路灯从上周开始就不亮了,晚上回家很不安全,希望有关部门尽快派人来修,谢谢。" * 4
TELLING = PLAIN + "我是张三丰,电话13800138000。"


_WITHOUT: dict[str, Any] = {
    "sealed_event": lambda event, name="": (rows.to_json(event), None),
    "citizen_of": lambda ticket: ticket.appeal.citizen.phone,
    "content_hash": lambda inbound: inbound.content_hash(), "hidden": lambda text, name, entities=(): text,
}
_OWN = {name: getattr(rows, name) for name in _WITHOUT}


def inbounds(count: int) -> list[Inbound]:
    """Return appeals, one in four with a number in its text, all with name, phone and address."""
    return [
        Inbound(
            channel=Channel.APP, external_id=f"k{n}", received_at=NOW, appeal=Appeal(
                text=TELLING if n % 4 == 0 else PLAIN, place=Place(town="南城", address="鸿福路200号"),
                citizen=Citizen(name="张三丰", phone=f"+86138{n % 10**8:08d}", key=f"app:{n}"),
            ),
        )
        for n in range(count)
    ]


def triage_of(text: str) -> Triage:
    """Return what triage makes of such a text, near enough."""
    at = text.find("13800138000")
    phones = (Entity(type="phone", text="13800138000", start=at, end=at + 11),) if at >= 0 else ()
    return Triage(category=None, needs_person=True, entities=phones, title="鸿福路路灯不亮")


def micros(*works: Callable[[], object]) -> list[float]:
    """Return processor time in µs a ticket of each work, in turns; the least of the rounds, as others compute too."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, found, strict=True):
            began = time.process_time()
            work()
            times.append((time.process_time() - began) / COUNT * 1e6)
    return [min(times) for times in found]


def python_side() -> tuple[float, float]:
    """Return µs a ticket for its rows as they are now, and as they were without privacy."""
    from tests.cities import RULES

    found = inbounds(COUNT)
    changes = [
        open_ticket(one, triage_of(one.appeal.text), number=f"DG{n}", rules=RULES, now=NOW)  # type: ignore[arg-type]
        for n, one in enumerate(found)
    ]

    def now() -> None:
        for one, change in zip(found, changes, strict=True):
            made = rows.written(change)
            rows.opening_row(1, "123456", change.ticket, made)
            rows.content_hash(one)

    def before() -> None:
        for name, stand_in in _WITHOUT.items():
            setattr(rows, name, stand_in)
        try:
            now()
        finally:
            for name, own in _OWN.items():
                setattr(rows, name, own)

    with_it, without = micros(now, before)
    return with_it, without


async def linking(dsn: str) -> tuple[int, float, float]:
    """Write tickets and chain them; return rows, µs a row of this process, and seconds of waiting for the database."""
    from tests.privacy.house import opened

    async with await open_pool(dsn, size=4) as pool:
        for part in range(20):
            await opened(pool, [f"b{part}-{n}" for n in range(50)])
        audit = AuditStore(pool)
        count: int = await pool.fetchval("SELECT count(*) FROM ticket_events")
        wall, cpu = time.perf_counter(), time.process_time()
        await audit.link_all(NOW)
        linked = time.perf_counter() - wall, time.process_time() - cpu
    return count, linked[1] / count * 1e6, linked[0] / count * 1e6


async def verifying(dsn: str) -> float:
    """Return µs a row that checking takes."""
    async with await open_pool(dsn, size=2) as pool:
        seen: list[int] = []
        began = time.perf_counter()
        assert await AuditStore(pool).verify(seen.append) is None
        return (time.perf_counter() - began) / max(1, sum(seen)) * 1e6


def told(lines: Sequence[tuple[str, float]]) -> None:
    """Print figures."""
    for name, value in lines:
        sys.stdout.write(f"{name:58} {value:8.1f}\n")


async def database_side(home: Path, dsn: str) -> None:
    """Measure the chain over a database of its own."""
    try:
        await migrate(dsn)
        count, cpu, wall = await linking(dsn)
        check = await verifying(dsn)
    finally:
        stop_embedded(home)
    told([(f"chain: a row of {count}, µs of this process", cpu), ("chain: a row, µs in all, database included", wall),
          ("verify: a row, µs in all", check)])


def main() -> None:
    """Measure and print."""
    sealing.use(KeyRing(new_file(NOW)))
    now, before = python_side()
    told([("rows of a ticket, µs of processor time", now), ("the same without taking out and sealing", before),
          ("added by privacy, µs a ticket", now - before)])
    home = Path(tempfile.mkdtemp(prefix="hotline-bench-"))
    home.chmod(0o755)
    asyncio.run(database_side(home, start_embedded(home, durable=False)))
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    os.environ.setdefault("HOTLINE_LOG_LEVEL", "error")
    main()
