"""`train`: train the models anew."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotline.cli.base import command, settings

if TYPE_CHECKING:
    from triage.train import Second


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "train", run, summary="train the category, kind and verdict models from labelled texts",
        example="python -m hotline train --data triage/data/appeals --out models",
    )
    parser.add_argument("--data", type=Path, default=Path("triage/data/appeals"), help="folder of JSON lines")
    parser.add_argument("--out", type=Path, help="where the model goes (default: model_dir)")
    parser.add_argument(
        "--encoder", metavar="PATH",
        help="train an encoder too: `own` pre-trains ours from nothing, a folder is a local BERT-family checkpoint "
        "(needs requirements-train.txt)",
    )


def run(given: argparse.Namespace) -> int:
    """Train with a progress bar and print the figures on the texts kept aside."""
    from hotline.city import load_city
    from triage.train import train

    chosen = settings()
    out, city = given.out or Path(chosen.model_dir), load_city(Path(chosen.city_dir))
    figures = train(given.data, out, city, second=_second(given.encoder) if given.encoder else None)
    for name, value in figures.items():
        sys.stdout.write(f"{name:<40}{value:>10.4f}\n")
    return 0


def _second(name: str) -> Second:
    """Return what trains the encoder. Raises InvalidInput: its libraries are missing, or there is no such folder."""
    from hotline.errors import InvalidInput

    checkpoint = None if name == "own" else Path(name)
    if checkpoint and not (checkpoint / "config.json").exists():
        raise InvalidInput(f"--encoder: {checkpoint} 不是模型目录(没有config.json)", error_id="checkpoint_invalid")
    try:
        from triage.encoder_train import train_encoder
    except ImportError as error:
        detail = f"训练编码器还需要 {error.name}: 请运行 pip install -r requirements-train.txt"
        raise InvalidInput(detail, error_id="library_missing") from error
    return partial(train_encoder, checkpoint=checkpoint)
