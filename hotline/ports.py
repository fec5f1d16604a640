"""Ports: what the use cases ask of the world. Only where two implementations exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from channels.message import Outbound
from hotline.appeal import Triage

Clock = Callable[[], datetime]
"""Returns the present moment with a zone; tests move it."""


class TriageBatch(Protocol):
    """Triages texts: the shipped pipeline, or a stand-in in tests. Blocking; intake calls it in a thread."""

    def __call__(self, texts: Sequence[str]) -> Sequence[Triage]:
        """Return one `Triage` per text, in order."""
        ...


class Sender(Protocol):
    """Sends messages to citizens on one channel; raises `hotline.errors.Unavailable` to be tried again."""

    def send(self, message: Outbound) -> Awaitable[None]:
        """Deliver `message`; a repeat with the same key must not reach the citizen twice."""
        ...
