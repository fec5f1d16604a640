"""A short run of tests/chaos.py: the service killed three times under load."""

from __future__ import annotations

from tests.chaos import chaos


async def test_nothing_is_lost_or_doubled_when_the_service_is_killed() -> None:
    found = await chaos(kills=3, citizens=12, consoles=2, seed=7, quiet=True)
    assert {kind: count for kind, count in found.items() if count} == {}
