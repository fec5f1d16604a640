"""`retrain`: train with what people corrected since."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotline.cli.acts import Act
from hotline.cli.base import city_of, command, directory_in_force, settings
from hotline.cli.train import CORPUS, HELD_OUT, add_ticket_options, encoder_trainer, fresh_folder, tell, tell_left_out

if TYPE_CHECKING:
    from hotline.city import City
    from hotline.keyring import KeyRing
    from triage.lessons import Lesson


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "retrain", run,
        summary="train with corrections by agents and approved returns from the event log; install what is better",
        example="python -m hotline retrain --compare",
        act=Act(changes=lambda given: not given.compare),
    )
    parser.add_argument("--data", type=Path, help="the city's tickets of an earlier `train`, to learn from these too")
    add_ticket_options(parser)
    parser.add_argument("--out", type=Path, help="where the report goes (default: data_dir/training/<time>)")
    parser.add_argument(
        "--compare", action="store_true", help="install nothing: tell how to run the new model in shadow first"
    )


def run(given: argparse.Namespace) -> int:
    """Read the lessons, train, report, and install unless --compare."""
    from hotline.core import database_dsn
    from triage.city_train import train_city
    from triage.tickets import read_tickets, with_lessons

    chosen = settings()
    city = city_of(chosen)
    second = encoder_trainer(given.encoder) if given.encoder else None
    lessons = asyncio.run(read_lessons(database_dsn(chosen), city))
    sys.stdout.write(f"更正和同意的退单: {len(lessons)} 条\n")
    own = read_tickets(given.data, text=given.text, label=given.label, labels=city.categories) if given.data else None
    if own:
        tell_left_out(own)
    out = given.out or fresh_folder(chosen.data_path)
    out.mkdir(parents=True, exist_ok=True)
    outcome = train_city(
        with_lessons(own, lessons), CORPUS, Path(chosen.model_dir), out, city, title=f"{city.name}: 更正与退单",
        second=second, precision=given.precision, force=given.force, keep=given.compare, corrections=True,
        held_out=chosen.data_path / HELD_OUT,
    )
    tell(outcome)
    if given.compare:
        sys.stdout.write(f"影子运行: 设 shadow_dir = \"{out / 'model'}\", 之后运行 python -m hotline shadow\n")
    return 0


async def read_lessons(dsn: str, city: City, *, keys: KeyRing | None = None) -> list[Lesson]:
    """Return what the event log teaches; returns by the version of the directory in force, as the service has it.

    Args:
        keys: with them texts are as they came; without them as the log shows them, fit to train on.
    """
    from hotline.core import now
    from hotline.store.database import open_pool
    from hotline.store.directories import DirectoryStore
    from hotline.store.keys import check_keys
    from hotline.store.lessons import corrected_tickets
    from triage.lessons import lesson_of

    async with await open_pool(dsn, size=3) as pool:
        if keys is not None:
            await check_keys(pool, keys, now())
        directory = await directory_in_force(DirectoryStore(pool), lambda: city)
        tickets = corrected_tickets(pool, whole=keys is not None)
        found = [lesson_of(events, directory) async for events in tickets]
    return [lesson for lesson in found if lesson is not None]
