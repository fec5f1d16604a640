"""How long it takes, at 1,000,000 tickets, to find the open ones that a new appeal may be about, and to group texts.

`python -m bench.likeness`. Goal: 20 ms for the nearest. Makes a database of its own (about 2 GB) and deletes it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

from hotline.city import load_city
from hotline.store.database import open_pool
from hotline.store.embedded import start_embedded, stop_embedded
from hotline.store.likeness import CANDIDATES, nearest
from hotline.store.migrate import migrate
from tests.triage.incidents import b_cubed, incidents
from tests.volume import fill
from triage.cluster_cli import Clusterer
from triage.corpus import read_corpus
from triage.gazetteer import load_gazetteer
from triage.likeness import likeness
from triage.linear import load_linear
from triage.traits import traits_of

TICKETS, ASKED, STRANGERS = 1_000_000, 400, 11_000
NOW = datetime(2026, 11, 21, tzinfo=UTC)
GOAL = 20.0


def row(name: str, seconds: list[float]) -> None:
    """Print the median and the 95th percentile in milliseconds."""
    cuts = quantiles(seconds, n=20)
    print(f"{name:<66} {1000 * cuts[9]:7.2f} {1000 * cuts[18]:7.2f} ms  p50 p95")


async def look_up(dsn: str) -> None:
    """Time the look-up over keys as common as they come and as rare."""
    random_ = random.Random(1)
    taken = []
    async with await open_pool(dsn) as pool:
        for _ in range(ASKED):
            ticket = random_.randrange(TICKETS - 150_000, TICKETS)
            keys = [100_000 + random_.randrange(60) for _ in range(3)] + [random_.randrange(997) for _ in range(6)]
            keys += [200_000 + random_.randrange(40_009) for _ in range(6)] + [300_000 + ticket]
            began = time.perf_counter()
            await nearest(pool, keys, NOW, without=ticket)
            taken.append(time.perf_counter() - began)
    row(f"nearest of {TICKETS:,} tickets, 16 keys, in PostgreSQL (goal {GOAL:.0f})", taken)


def compare() -> None:
    """Time what comes before and after the look-up, and group a file."""
    city = load_city(Path("cities/441900"))
    clusterer = Clusterer(load_linear(Path("models")), load_gazetteer(city.places, city.name))
    texts = [example.text for example in read_corpus(Path("triage/data/appeals"))]
    made, weighed = [], []
    for start in range(ASKED):
        began = time.perf_counter()
        [own] = clusterer.tell([texts[start]], [NOW])
        traits_of(own)
        made.append(time.perf_counter() - began)
        began = time.perf_counter()
        others = clusterer.tell(texts[start + 1 : start + 1 + CANDIDATES], [NOW] * CANDIDATES)
        _ = [likeness(own, other) for other in others]
        weighed.append(time.perf_counter() - began)
    row("keys of one appeal", made)
    row(f"weighing {CANDIDATES} candidates, with reading them", weighed)
    group(clusterer, texts[:: len(texts) // STRANGERS][:STRANGERS])


def group(clusterer: Clusterer, strangers: list[str]) -> None:
    """Time grouping the incidents of the tests among strangers, and tell how right it is about the incidents."""
    told = incidents()
    times = random.Random(1)
    texts = [*(one.text for one in told), *strangers]
    at = [*(one.at for one in told), *(times.choice(told).at for _ in strangers)]
    began = time.perf_counter()
    found = clusterer(texts, at)
    print(f"{f'grouping {len(texts):,} texts':<66} {time.perf_counter() - began:7.1f} s")
    precision, recall, _ = b_cubed([one.incident for one in told], found[: len(told)])
    sizes = Counter(one.incident for one in told).values()
    several, alone = (sum(size > 1 for size in sizes), sum(size == 1 for size in sizes))
    name = f"{several} incidents told by several and {alone} lookalikes among them"
    print(f"{name:<66} {precision:7.3f} {recall:7.3f}     B-cubed precision, recall")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-database", action="store_true", help="only what needs no database")
    compare()
    if parser.parse_args().skip_database:
        return
    folder = Path(tempfile.mkdtemp(prefix="likeness-"))
    try:
        dsn = start_embedded(folder)
        asyncio.run(migrate(dsn))
        asyncio.run(fill(dsn, TICKETS, likeness=True))
        asyncio.run(look_up(dsn))
    finally:
        stop_embedded(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
