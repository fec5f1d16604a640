"""Putting a new model in the place of the present one; the one before is kept beside it in `previous/`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from triage.encoder import CARD as ENCODER_CARD
from triage.encoder import NETWORK, TOKENIZER
from triage.linear import CARD, WEIGHTS

PREVIOUS = "previous"
_FILES = (WEIGHTS, NETWORK, TOKENIZER, "README.md", ENCODER_CARD, CARD)
"""In the order in which they are put in place: whoever loads half of it is told that the parts do not fit."""


def install(new: Path, models: Path) -> None:
    """Copy the files of `new` over those in `models`; what `new` has no file for is taken away."""
    _copy(models, models / PREVIOUS)
    _copy(new, models)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if (source / name).exists():
            part = target / f"{name}.part"
            shutil.copyfile(source / name, part)
            os.replace(part, target / name)
        else:
            (target / name).unlink(missing_ok=True)
