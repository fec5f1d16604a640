"""Hot spots among the figures: what is unusual comes first, and what is usual is read again soon enough."""

from __future__ import annotations

from datetime import timedelta

from hotline.metric_spots import hottest
from hotline.metric_views import local_day
from hotline.store.database import open_pool
from hotline.store.metrics import MetricStore
from tests.cities import NOW

LIGHT, NOISE = ("南城", "03", "路灯"), ("东城", "04", "施工噪声")
_ROW = """
INSERT INTO tally_rollup (generation, grain, day, hour, agent, department, town, channel, l1, l2, kind, received)
VALUES (1, 'day', $1, -1, '', '', $2, 'web', $3, $4, 'report', $5)
ON CONFLICT (generation, grain, day, hour, agent, department, town, channel, l1, l2, kind)
DO UPDATE SET received = excluded.received"""


def test_what_is_most_unusual_comes_first_and_what_is_usual_not_at_all() -> None:
    names = {("03", "路灯"): "城市管理/路灯"}
    found = hottest({LIGHT: 12, NOISE: 9}, {NOISE: 7}, share=2 / 7, names=names)
    assert [(one.town, one.category, one.expected, one.score) for one in found] == [
        ("南城", "城市管理/路灯", 0.0, 12.0), ("东城", "施工噪声", 2.0, 4.95),
    ]
    assert hottest({LIGHT: 5}, {LIGHT: 70}, share=2 / 7, names=names) == ()


async def test_two_days_are_held_against_the_seven_before(database: str) -> None:
    today = local_day(NOW)
    async with await open_pool(database) as pool:
        store = MetricStore(pool)
        made = ((0, LIGHT, 4), (1, LIGHT, 3), (2, LIGHT, 7), (8, LIGHT, 7), (9, LIGHT, 90), (0, NOISE, 4))
        for days, spot, count in made:
            await pool.execute(_ROW, today - timedelta(days=days), *spot, count)
        [one] = await store.hot_spots(NOW)
        assert (one.town, one.appeals, one.expected) == ("南城", 7, 4.0)
        await pool.execute(_ROW, today - timedelta(days=2), *LIGHT, 0)
        assert [one.expected for one in await store.hot_spots(NOW + timedelta(seconds=59))] == [4.0]
        assert [one.expected for one in await store.hot_spots(NOW + timedelta(seconds=61))] == [2.0]
