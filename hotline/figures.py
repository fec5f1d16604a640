"""Figures of intake for `/metrics`: appeals by channel and outcome, how long they took, how many wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import structlog
from prometheus_client import Counter, Gauge, Histogram

from channels.message import Receipt
from hotline.errors import HotlineError, Overloaded
from hotline.logs import ASKED
from hotline.terms import Channel

log = structlog.get_logger(__name__)
APPEALS = Counter("hotline_appeals", "Messages taken in, by channel and outcome", ["channel", "outcome"])
SECONDS = Histogram(
    "hotline_appeal_seconds", "From a message's arrival in intake to its receipt", ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
WAITING = Gauge("hotline_intake_waiting", "Messages that wait for a batch")


class Outcome:
    """What became of one message: a verdict, `repeat`, or the error's id."""

    word, number = "internal", ""

    def receipt(self, receipt: Receipt) -> None:
        """Note the receipt."""
        self.word = "repeat" if receipt.repeat else receipt.verdict
        self.number = receipt.number


_counted = cache(APPEALS.labels)
_timed = cache(SECONDS.labels)
for _channel in Channel:
    _counted(_channel.value, Overloaded.error_id)  # from 0: of a series that begins at 1 Prometheus sees no increase


@contextmanager
def taken(channel: Channel) -> Iterator[Outcome]:
    """Count and time one message."""
    outcome, began = Outcome(), time.perf_counter()
    try:
        yield outcome
    except HotlineError as error:
        outcome.word = error.error_id
        raise
    finally:
        _counted(channel.value, outcome.word).inc()
        _timed(channel.value).observe(time.perf_counter() - began)
        if ASKED.get():
            # From here the ticket's number leads on: jobs log it as the beginning of their `trace`.
            log.info("taken", channel=channel.value, outcome=outcome.word, number=outcome.number)
