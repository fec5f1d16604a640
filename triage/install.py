"""Putting a new model in the place of the present one; the one before is kept beside it in `previous/`.

Each card bears digests of the files that it belongs to, so that a model of which one half is new and one old, as a kill
or a full disk leaves it, never loads; nor does it take the place of the one in `previous/`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import structlog

from hotline.errors import InvalidInput
from triage.encoder import CARD as ENCODER_CARD
from triage.encoder import NETWORK, TOKENIZER, load_blend
from triage.linear import CARD, PREVIOUS, WEIGHTS, load_linear
from triage.model_card import MODEL_CARD

log = structlog.get_logger(__name__)
_FILES = (WEIGHTS, NETWORK, TOKENIZER, MODEL_CARD, ENCODER_CARD, CARD)
"""In the order in which they are put in place: the cards, by which the rest is known, last."""


def install(new: Path, models: Path) -> None:
    """Copy the files of `new` over those in `models`; what `new` has no file for is taken away."""
    if (models / CARD).exists() and _loads(models):
        _copy(models, models / PREVIOUS)
    _copy(new, models)


def _loads(models: Path) -> bool:
    try:
        load_blend(models, load_linear(models))
    except InvalidInput as error:
        log.warning("previous_model_kept", reason=str(error))
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if (source / name).exists():
            part = target / f"{name}.part"
            shutil.copyfile(source / name, part)
            os.replace(part, target / name)
        else:
            (target / name).unlink(missing_ok=True)
