"""`staffing`: how many agents each half hour needs, by Erlang C and A."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotline.cli.base import command, positive, settings, whole
from hotline.errors import InvalidInput

if TYPE_CHECKING:
    from routing.staffing import Slot


def _share(text: str) -> float:
    value = positive(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share below 1, such as 0.95")
    return value


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "staffing", run,
        summary="compute the agents needed per half hour, by Erlang C and (with --patience) Erlang A",
        example="printf 'start,calls,handling\\n09:00,310,236\\n09:30,290,241\\n' |\n"
        "    python -m hotline staffing --data - --patience 120 -o staffing.html",
    )
    parser.add_argument("--data", metavar="FILE",
                        help="CSV with the columns start, calls, handling (seconds); - reads standard input; "
                        "without it, the calls of the last weeks in the database")
    parser.add_argument("--weeks", type=whole(1, 52), default=4, help="weeks of history (4)")
    parser.add_argument("--level", type=_share, default=0.95, help="share answered in time (0.95)")
    parser.add_argument("--within", type=positive, default=15.0, help="seconds (15, GB/T 33358-2016)")
    parser.add_argument("--patience", type=positive, default=inf, help="mean seconds before a caller hangs up")
    parser.add_argument("--occupancy", type=_share, default=0.88, help="most of an agent's time with callers (0.88)")
    parser.add_argument("--shrinkage", type=_share, default=0.3, help="paid time away from the telephone (0.3)")
    parser.add_argument("-o", "--output", type=Path, help="write a page with a chart here as well")


def run(given: argparse.Namespace) -> int:
    """Print the plan as CSV; write the page where asked for."""
    from routing.staffing import Target, plan
    from routing.staffing_file import page, table

    slots = _slots(given)
    target = Target(level=given.level, within=given.within, patience=given.patience, occupancy=given.occupancy,
                    shrinkage=given.shrinkage)
    needs = plan(slots, target)
    sys.stdout.write(table(needs))
    if given.output is not None:
        given.output.write_text(page(needs, target, title="坐席需求"), encoding="utf-8")
        most = max(one.agents for one in needs)
        sys.stderr.write(f"{given.output}: {len(needs)} half hours, {most} agents at most\n")
    return 0


def _slots(given: argparse.Namespace) -> Sequence[Slot]:
    from routing.staffing_file import read_slots

    if given.data == "-":
        return read_slots(sys.stdin.read())
    if given.data is not None:
        try:
            return read_slots(Path(given.data).read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise InvalidInput(f"{given.data} is no UTF-8: save it as CSV UTF-8") from error
    from hotline.core import database_dsn
    from hotline.store.staffing import history

    slots = asyncio.run(history(database_dsn(settings()), weeks=given.weeks))
    if not slots:
        raise InvalidInput(f"there were no calls in the last {given.weeks} weeks: give a CSV with --data")
    return slots
