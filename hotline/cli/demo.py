"""`demo`: citizens on every channel."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from hotline.cli.base import command, positive, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "demo", run, summary="send example appeals on every channel to a running service",
        example="make run &  python -m hotline demo --rate 10 --seconds 30",
    )
    parser.add_argument("--rate", type=positive, default=5.0, help="appeals a second (default: 5)")
    parser.add_argument("--seconds", type=positive, default=30.0, help="for how long (default: 30)")
    parser.add_argument("--url", default="", help="the service (default: host and http_port of the configuration)")
    parser.add_argument("--seed", type=int, default=1, help="chooses texts and channels")


def run(given: argparse.Namespace) -> int:
    """Send, with a progress bar, and sum up."""
    return asyncio.run(_run(given))


async def _run(given: argparse.Namespace) -> int:
    import aiohttp
    from tqdm import tqdm

    from hotline import demo
    from hotline.trial import trial_settings

    chosen = trial_settings(settings())
    url = given.url or f"http://{chosen.at(chosen.http_port)}"
    texts = demo.examples()
    async with aiohttp.ClientSession(  # no cookies: the agent's is none of the citizens'
        timeout=aiohttp.ClientTimeout(total=30), cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        await demo.check_service(session, url)
        citizens = demo.Citizens(session, url, chosen, seed=given.seed)
        async with citizens.with_agent():
            for name, reason in citizens.left_out.items():
                sys.stderr.write(f"{name} is left out: {reason}\n")
            with tqdm(total=int(given.rate * given.seconds), unit=" appeals") as bar:
                await demo.run(
                    citizens, texts, rate=given.rate, seconds=given.seconds, seed=given.seed, sent=bar.update
                )
    sys.stdout.write(f"{'channel':<10}{'sent':>8}{'answered':>10}{'refused':>9}{'mean ms':>9}\n")
    for name, tally in sorted(citizens.by_channel.items()):
        mean = 1000 * tally.seconds / max(tally.answered + tally.refused, 1)
        sys.stdout.write(f"{name:<10}{tally.sent:>8}{tally.answered:>10}{tally.refused:>9}{mean:>9.1f}\n")
    for reason, count in citizens.refusals.most_common():
        sys.stdout.write(f"{count} × {reason}\n")
    return 0 if all(not tally.refused for tally in citizens.by_channel.values()) else 1
