"""The figures of the year, kept twice: by `hotline.tally`, and by a recount in plain Python that shares nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from hotline.events import TicketEvent
from hotline.tally import Tally
from tests.figures.recount import Counted, recount
from tests.figures.test_tally import by_department


class Books:
    """Adds ticket after ticket; `as_of` is the moment at which the books are closed."""

    def __init__(self, as_of: datetime) -> None:
        self._as_of = as_of
        self.kept: Counted = Counter()
        self.recounted: Counted = Counter()

    def add(self, events: Sequence[TicketEvent]) -> None:
        """Take a ticket in whose life is over."""
        tally = Tally()
        for event in events:
            tally.apply(event)
        self.kept.update(by_department(tally.share(self._as_of)))
        self.recounted.update(recount([events], self._as_of))

    def differences(self) -> list[str]:
        """Return the lines on which both disagree."""
        lines = sorted(self.kept.keys() | self.recounted.keys())
        return [
            f"{line}: {self.kept[line]} kept, {self.recounted[line]} recounted"
            for line in lines if self.kept[line] != self.recounted[line]
        ]

    def totals(self) -> dict[str, tuple[int, int]]:
        """Return numerator and denominator of each figure over the year."""
        found: dict[str, list[int]] = {}
        for (figure, part, _, _), count in self.recounted.items():
            found.setdefault(figure, [0, 0])[part == "den"] += count
        return {figure: (num, den) for figure, (num, den) in sorted(found.items())}
