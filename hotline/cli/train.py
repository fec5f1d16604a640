"""`train`: train the models anew."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hotline.cli.base import command, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "train", run, summary="train the category, kind and verdict models from labelled texts",
        example="python -m hotline train --data triage/data/appeals --out models",
    )
    parser.add_argument("--data", type=Path, default=Path("triage/data/appeals"), help="folder of JSON lines")
    parser.add_argument("--out", type=Path, help="where the model goes (default: model_dir)")


def run(given: argparse.Namespace) -> int:
    """Train with a progress bar and print the figures on the texts kept aside."""
    from hotline.city import load_city
    from triage.train import train

    chosen = settings()
    figures = train(given.data, given.out or Path(chosen.model_dir), load_city(Path(chosen.city_dir)))
    for name, value in figures.items():
        sys.stdout.write(f"{name:<40}{value:>10.4f}\n")
    return 0
