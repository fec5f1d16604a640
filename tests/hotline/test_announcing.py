"""Whoever waits is told their place, and nobody else waits for that: a few in one look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hotline import announcing
from hotline.announcing import Announcer
from hotline.telephone_ports import Times
from routing import call_words as m
from routing.calls import Call, Leg, Phase, Role
from routing.queue_plan import FIRST
from routing.queueing import Caller

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Hall:
    """Callers who have waited for a while, the first the longest; `told` are those who were told, in order."""

    def __init__(self, callers: int) -> None:
        self.told, self.now = list[str](), START
        self.calls = {f"c{n}": self._call(n, callers) for n in range(callers)}
        waiting = {id_: self._caller(call) for id_, call in self.calls.items()}
        queues: Any = SimpleNamespace(board=SimpleNamespace(waiting=waiting), centre=FIRST, seen={})
        self.announcer = Announcer(store=self, times=Times(), queues=queues, happen=self._happen)  # type: ignore[arg-type]

    def _call(self, n: int, callers: int) -> Call:
        arrived = START - timedelta(seconds=60 + callers - n)
        leg = Leg(channel=f"c{n}", role=Role.CITIZEN, up=True, since=arrived)
        return Call(id=f"c{n}", caller="13800138000", called="12345", queue="general", arrived=arrived,
                    phase=Phase.WAITING, legs=(leg,), asked_at=arrived)

    def _caller(self, call: Call) -> Caller:
        return Caller(id=call.id, queue=call.queue, arrived=call.arrived.timestamp())

    async def handling(self) -> float:
        return 240.0

    async def _happen(self, call_id: str, event: m.Happening) -> None:
        self.told.append(call_id)

    async def after(self, seconds: float) -> list[str]:
        """Return who is told when so much time has passed."""
        before, self.now = len(self.told), self.now + timedelta(seconds=seconds)
        await self.announcer.tick(self.now, self.calls)
        return self.told[before:]


async def test_of_many_who_are_due_a_few_are_told_at_once_and_the_others_with_the_next_ticks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When another process takes over all are due, and nobody is connected while they are told."""
    monkeypatch.setattr(announcing, "AT_ONCE", 2)
    hall = Hall(5)
    assert [await hall.after(0.2) for _ in range(4)] == [["c0", "c1"], ["c2", "c3"], ["c4"], []]


async def test_who_has_heard_nothing_for_longest_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "AT_ONCE", 2)
    hall = Hall(3)
    assert [await hall.after(0.2), await hall.after(61.0)] == [["c0", "c1"], ["c2", "c0"]]
