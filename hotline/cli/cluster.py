"""`cluster`: group texts from standard input that tell of one matter at one place."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hotline.cli.base import city_of, command, settings


def add(commands: Any) -> None:
    """Add the command."""
    command(
        commands, "cluster", run,
        summary="read JSON lines with id, text and time, and write which tell of one matter at one place; no database",
        example="""python -m hotline cluster < appeals.jsonl    # {"id": 1, "text": "…", "at": "2026-03-05"}""",
    )


def run(given: argparse.Namespace) -> int:
    """Group all lines; exit status 1 if a line was wrong."""
    from triage.cluster_cli import Clusterer, run_cluster
    from triage.gazetteer import load_gazetteer
    from triage.linear import load_linear

    chosen = settings()
    city = city_of(chosen)
    clusterer = Clusterer(load_linear(Path(chosen.model_dir)), load_gazetteer(city.places, city.name))
    return run_cluster(sys.stdin.buffer, sys.stdout.write, clusterer=clusterer, warn=sys.stderr.write)
