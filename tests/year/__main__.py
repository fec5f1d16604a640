"""`python -m tests.year`: live through a year, hold every invariant, compare the figures with a recount."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from hotline.city import load_city
from hotline.events import TicketEvent
from tests.year.books import Books
from tests.year.database import Log
from tests.year.invariants import Broken
from tests.year.world import World

AS_OF = datetime(2028, 1, 1, tzinfo=UTC)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.year", description=__doc__,
        epilog="example: python -m tests.year --tickets 200000 --seed 3",
    )
    parser.add_argument("--tickets", type=int, default=200_000, help="about how many the year brings (default: 200000)")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--city", type=Path, default=Path("cities/441900"))
    parser.add_argument("--database", metavar="DSN", help="write the event log there too (an empty, migrated database)")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Run; exit status 1 if an invariant breaks or the figures differ."""
    chosen = arguments(given)
    books, log = Books(AS_OF), Log() if chosen.database else None

    def done(id_: int, events: Sequence[TicketEvent]) -> None:
        books.add(events)
        if log is not None:
            log.add(id_, events)

    began = time.perf_counter()
    with tqdm(total=chosen.tickets, unit="ticket", disable=None, smoothing=0.05) as bar:
        world = World(
            load_city(chosen.city), tickets=chosen.tickets, seed=chosen.seed, done=done, arrived=lambda: bar.update()
        )
        try:
            world.run()
        except Broken as error:
            sys.stderr.write(f"BROKEN {error}\n")
            return 1
    seconds = time.perf_counter() - began
    differences = books.differences()
    sys.stdout.write(report(world, books, seconds, agree=not differences))
    sys.stdout.writelines(f"DIFFERENT {line}\n" for line in differences[:20])
    if log is not None:
        rows = asyncio.run(log.write(chosen.database))
        sys.stdout.write(f"written to the database: {rows} events\n")
    return 1 if differences else 0


def report(world: World, books: Books, seconds: float, *, agree: bool) -> str:
    events = sum(world.facts.values())
    lines = [
        f"{world.tickets} tickets, {events} events, {sum(world.messages.values())} messages to citizens; "
        f"every invariant held after every event; {seconds:.0f} s, {events / seconds:.0f} events/s",
        "events     " + ", ".join(f"{name} {n}" for name, n in world.facts.most_common()),
        "messages   " + ", ".join(f"{name} {n}" for name, n in world.messages.most_common()),
        "refused    " + ", ".join(f"{name} {n}" for name, n in world.refused.most_common(12)),
        f"figures    {len(books.kept)} lines kept and recounted: " + ("equal" if agree else "DIFFERENT"),
    ]
    lines += [_line(figure, num, den) for figure, (num, den) in books.totals().items()]
    return "\n".join(lines) + "\n"


def _line(figure: str, num: int, den: int) -> str:
    if not den:
        return f"  {figure:<12} {num:>9}"
    if figure == "duration":
        return f"  {figure:<12} {num / den / 86400:9.2f} days on average of {den}"
    return f"  {figure:<12} {num:>9} / {den:>9}  {num / den:8.2%}"


if __name__ == "__main__":
    sys.exit(main())
