"""`eval`: every bar of triage beside its figure."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hotline.cli.base import city_of, command, settings

_PARTS = ("kept-aside", "cold-start", "alarms", "pipeline", "strangers")


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands,
        "eval",
        run,
        summary="measure triage on texts it was never trained on, beside the bars set for it",
        example="python -m hotline eval --real ../shared/data --part alarms",
    )
    parser.add_argument("--data", type=Path, default=Path("triage/data/appeals"), help="folder of the labelled texts")
    parser.add_argument("--model", type=Path, help="folder of the model (default: model_dir)")
    parser.add_argument(
        "--real",
        type=Path,
        default=Path("../shared/data"),
        help="folder of the two real sets (default: ../shared/data)",
    )
    parser.add_argument("--part", choices=_PARTS, action="append", help="only this part; may be given again")
    parser.add_argument("--linear", action="store_true", help="measure the linear model alone, without the encoder")
    parser.add_argument("--strict", action="store_true", help="exit status 1 where a bar is missed")


def run(given: argparse.Namespace) -> int:
    """Measure and tell; exit status 0, or 1 with --strict where a bar is missed."""
    from triage.examine import alarms, cold_start, kept_aside, pipeline_figure, strangers
    from triage.opinion import Use
    from triage.pipeline import Pipeline

    chosen = settings()
    city = city_of(chosen)
    use = Use.OFF if given.linear else Use.ALWAYS
    judge = Pipeline.load(city, given.model or Path(chosen.model_dir), encoder=use)
    write, parts = sys.stdout.write, given.part or _PARTS
    write(f"model {judge.version}\n")
    bars = kept_aside(judge, given.data, city, write) if "kept-aside" in parts else []
    bars += cold_start(judge, given.real, write) if "cold-start" in parts else []
    bars += alarms(judge, given.real, write) if "alarms" in parts else []
    bars += pipeline_figure(given.real, write) if "pipeline" in parts else []
    bars += strangers(judge, write) if "strangers" in parts else []
    missed = [bar.name for bar in bars if not bar.cleared]
    write(f"\n{len(missed)} of {len([b for b in bars if b.barred])} bars missed: {', '.join(missed) or 'none'}\n")
    return int(given.strict and bool(missed))
