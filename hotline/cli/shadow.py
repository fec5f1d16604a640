"""`shadow`: compare the model in the shadow with the present one."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from hotline.cli.acts import Act
from hotline.cli.base import city_of, command, settings
from hotline.cli.retrain import read_lessons


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "shadow", run, summary="compare the model of shadow_dir with the present one on what both judged",
        example="python -m hotline shadow --install",
        act=Act(details=("install", "forget"), changes=lambda given: given.install or given.forget),
    )
    parser.add_argument("--install", action="store_true", help="let the shadow decide from now on (after a restart)")
    parser.add_argument("--forget", action="store_true", help="delete what was kept of any models' answers")


def run(given: argparse.Namespace) -> int:
    """Print the comparison; install or forget where asked to."""
    from hotline.core import database_dsn, now
    from hotline.store.keys import prepare
    from triage.shadow import compare, file_of, forget, read_pairs, truth_of

    chosen = settings()
    models = Path(chosen.model_dir)
    pairs = read_pairs(file_of(chosen.data_path, models, Path(chosen.shadow_dir))) if chosen.shadow_dir else []
    city, keys = city_of(chosen), prepare(chosen, now())
    found = compare(pairs, truth_of(asyncio.run(read_lessons(database_dsn(chosen), city, keys=keys))))
    rows: list[tuple[str, object]] = [
        ("texts that both judged", found.texts), ("same category", found.same_category),
        ("same verdict", found.same_verdict), ("dispatched without a person: present, shadow", found.dispatched),
        ("emergency only by: present, shadow", found.alarms),
        ("later decided by people; present right, shadow right", found.judged),
    ]
    for name, value in rows:
        sys.stdout.write(f"{name:<56}{value!s:>16}\n")
    for (present, shadow), count in found.pairs:
        sys.stdout.write(f"  {present or '–'} → {shadow or '–'}: {count}\n")
    if given.install:
        _install(chosen.shadow_dir, models)
    if given.forget:
        forget(chosen.data_path)
    return 0


def _install(shadow: str, models: Path) -> None:
    from hotline.errors import InvalidInput
    from triage.install import install
    from triage.linear import load_linear

    if not shadow:
        raise InvalidInput("shadow_dir: 没有设置影子模型", error_id="configuration")
    load_linear(Path(shadow))
    install(Path(shadow), models)
    sys.stdout.write(f"已安装到 {models}; 重启服务后生效, 旧模型在 {models / 'previous'}\n")
