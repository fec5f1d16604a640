"""督办, the small machine beside the lifecycle: none → level 1 → 2 → 3, and never back."""

from __future__ import annotations

from enum import IntEnum

from hotline.errors import IllegalTransition


class Supervision(IntEnum):
    """Levels of supervision; overdue tickets climb at +0, +2 and +5 working days (domain.md section 5)."""

    NONE = 0
    LEVEL_1 = 1
    LEVEL_2 = 2
    LEVEL_3 = 3


def next_supervision(level: Supervision) -> Supervision:
    """Return the level above; raises IllegalTransition at the top."""
    if level is Supervision.LEVEL_3:
        raise IllegalTransition("the ticket is supervised at the highest level already")
    return Supervision(level + 1)
