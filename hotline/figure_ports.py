"""What the edges ask of the figures (`hotline.store.metrics.MetricStore`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from hotline.events import Actor
from hotline.metric_views import Exclusion, Figure, Live, Question, ReasonCount
from hotline.metrics import Metric, Reason


class Figures(Protocol):
    """Figures read, and tickets left out of them."""

    async def live(self, now: datetime, *, department: str = "", town: str = "") -> Live:
        """Return the figures of this moment."""
        ...

    async def figures(self, asked: Question) -> tuple[Figure, ...]:
        """Return volumes and metrics from tickets. Raises InvalidInput."""
        ...

    async def telephone(self, asked: Question, now: datetime) -> tuple[Figure, ...]:
        """Return metrics from calls."""
        ...

    async def exclude(
        self, number: str, metric: Metric, *, excluded: bool, reason: Reason | None, note: str, actor: Actor,
        now: datetime,
    ) -> int:
        """Leave a ticket out of a metric, or count it again. Raises NotFound, RuleViolation."""
        ...

    async def exclusions(
        self, *, number: str = "", metric: str = "", before: int = 2**62, limit: int = 100
    ) -> tuple[Exclusion, ...]:
        """Return what was excluded or counted again, the newest first."""
        ...

    async def exclusion_reasons(self, start: datetime, end: datetime) -> Sequence[ReasonCount]:
        """Count exclusions in force that were made in a time."""
        ...
