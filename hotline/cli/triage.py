"""`triage`: judge texts from standard input."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hotline.cli.base import city_of, command, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "triage", run, summary="read JSON lines with a text and write what triage makes of each; no database",
        example="""echo '{"text":"南城工地半夜还在打桩","channel":"wechat"}' | python -m hotline triage""",
    )
    parser.add_argument(
        "--alarms", action="store_true",
        help="write only the lines that alarm, with their evidence, for review; where lines carry a verdict, only "
        "those that alarm wrongly and those missed",
    )


def run(given: argparse.Namespace) -> int:
    """Triage every line; exit status 1 if a line was wrong."""
    from triage.cli import run_triage
    from triage.opinion import Use
    from triage.pipeline import Pipeline

    chosen = settings()
    city = city_of(chosen)
    encoder = Use.OFF if chosen.triage_encoder == "off" else Use.ALWAYS  # nobody waits for anything else here
    pipeline = Pipeline.load(city, Path(chosen.model_dir), encoder=encoder)
    return run_triage(sys.stdin.buffer, sys.stdout.write, city=city, pipeline=pipeline, alarms=given.alarms)
