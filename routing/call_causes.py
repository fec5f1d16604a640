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
    16: TryResult.NO_ANSWER, 18: TryResult.NO_ANSWER, 19: TryResult.NO_ANSWER,
}
"""All others – no circuit, network out of order – are faults of the lines, and no try. Nor is a call that the PBX did
not place, or that is gone without its telling why (`UNKNOWN`): no telephone need have rung."""
UNKNOWN, RANG_OUT = 0, 19
"""What a call of ours ends with that vanished, and one that we gave up: nobody answered while it rang."""


def result_of(cause: int) -> TryResult | None:
    """Return the result of a try, None where the citizen's telephone cannot have rung."""
    return RESULTS.get(cause)
