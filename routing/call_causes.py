"""Why a call of ours reached nobody: causes as Q.850 numbers them → results of a try. Pure.

https://www.itu.int/rec/T-REC-Q.850 ; Asterisk tells them in `ChannelDestroyed`.
"""

from __future__ import annotations

from collections.abc import Mapping

from hotline.terms import TryResult

RESULTS: Mapping[int, TryResult] = {
    1: TryResult.WRONG_NUMBER, 28: TryResult.WRONG_NUMBER,
    17: TryResult.BUSY,
    21: TryResult.REFUSED,
    20: TryResult.OFF, 22: TryResult.OFF, 27: TryResult.OFF,
    0: TryResult.NO_ANSWER, 16: TryResult.NO_ANSWER, 18: TryResult.NO_ANSWER, 19: TryResult.NO_ANSWER,
}
"""All others – no circuit, network out of order – are faults of the lines, and no try."""


def result_of(cause: int) -> TryResult | None:
    """Return the result of a try, None where the citizen's telephone cannot have rung."""
    return RESULTS.get(cause)
