"""Parcels that wait behind another of their ticket."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hotline.courier import Courier
from hotline.handoff import Later
from hotline.store.database import open_pool
from hotline.store.neighbours import NeighbourStore
from tests.cities import NOW
from tests.privacy.house import opened
from tests.privacy.test_copies import parcel


@pytest.mark.parametrize(("waited", "looks_again"), [(0, 1), (60, 6), (3600, 60), (86_400, 60)])
async def test_the_longer_it_waits_the_less_often_it_looks(database: str, waited: int, looks_again: int) -> None:
    async with await open_pool(database) as pool:
        [ticket] = await opened(pool, ["one"])
        for key in ("first", "second"):
            await parcel(pool, key, ticket.number, "pending")
        courier = Courier(
            rows=NeighbourStore(pool), post=None, service=None, neighbours={},  # type: ignore[arg-type]
            clock=lambda: NOW + timedelta(seconds=waited),
        )
        with pytest.raises(Later) as later:
            await courier.deliver("second")
        assert later.value.delay == timedelta(seconds=looks_again)
