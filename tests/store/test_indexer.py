"""The search index follows the event log: every receipt once, whoever runs it."""

from __future__ import annotations

import asyncio

import pytest

from hotline.store import indexer
from hotline.store.database import open_pool
from hotline.store.search import query, tokens
from tests.hotline.test_intake import all_rows, inbound, intake_over

_FIND = """
SELECT number FROM tickets JOIN ticket_search ON ticket_id = id WHERE words @@ replace($1, '{block}', '0')::tsquery
"""


async def test_every_receipt_is_indexed_once_by_several_processes(database: str) -> None:
    async with intake_over(database) as intake, await open_pool(database) as pool, await open_pool(database) as other:
        receipts = await asyncio.gather(*(intake.submit(inbound(f"体育路第{n}盏路灯不亮")) for n in range(450)))
        await asyncio.gather(*(indexer.index_all(one) for one in (pool, other, pool)))
        await indexer.index_all(pool)
        assert len(await all_rows(database, "SELECT 1 FROM ticket_search")) == len(receipts)
        await intake.submit(inbound("南城小区水管爆裂"))
        await indexer.index_all(other)
    assert len(await all_rows(database, _FIND, query("水管 爆裂"))) == 1
    assert len(await all_rows(database, _FIND, query("路灯"))) == 450


async def test_operators_in_a_search_have_no_meaning(database: str) -> None:
    async with intake_over(database) as intake, await open_pool(database) as pool:
        await intake.submit(inbound("路灯 & (不亮) | 'x' <-> :* !"))
        await indexer.index_all(pool)
    for text in ("路灯 & !", "'路灯", "路灯:*", "(路灯", "路灯 <-> "):
        assert len(await all_rows(database, _FIND, query(text))) == 1


@pytest.mark.parametrize("told", [
    "13800138000", "138 0013 8000", "138.0013.8000", "幺三八零零幺三八零零零", "+8613800138000",
])
async def test_a_citizens_number_is_found_by_no_part_of_it(database: str, told: str) -> None:
    """A unit, which may not search confidential tickets by phone, could ask for the ends that are shown."""
    async with intake_over(database) as intake, await open_pool(database) as pool:
        await intake.submit(inbound(f"路灯第301盏不亮,12栋602室 {told}请回复"))
        await indexer.index_all(pool)
    for text in ("138 8000", "138", "8000", "幺三", "零零"):
        assert await all_rows(database, _FIND, query(text)) == [], text
    for text in ("301", "602", "请回复", "路灯"):
        assert len(await all_rows(database, _FIND, query(text))) == 1, text


async def test_a_unit_that_gets_a_ticket_later_finds_it(database: str) -> None:
    async with intake_over(database) as intake, await open_pool(database) as pool:
        await intake.submit(inbound("体育路路灯不亮"))
        for department in ("O'Neill\\ 局", "城管局"):
            await pool.execute("UPDATE tickets SET lead = $1, assisting = ARRAY['水务局']", department)
            assert await all_rows(database, _FIND, query("路灯", unit=department)) == []
            await indexer.index_all(pool)
            assert len(await all_rows(database, _FIND, query("路灯", unit=department))) == 1
        assert len(await all_rows(database, _FIND, query("路灯", unit="水务局"))) == 1
        assert await all_rows(database, _FIND, query("路灯", unit="水务")) == []
    assert await all_rows(database, "SELECT 1 FROM search_stale") == []


async def test_a_ticket_that_went_before_it_was_indexed_waits(database: str) -> None:
    async with intake_over(database) as intake, await open_pool(database) as pool:
        await intake.submit(inbound("体育路路灯不亮"))
        await pool.execute("UPDATE tickets SET lead = '林业局'")
        assert await indexer.refresh_units(pool) == 0
        assert len(await all_rows(database, "SELECT 1 FROM search_stale")) == 1


def test_a_search_without_words_asks_for_nothing() -> None:
    assert query("!!! …… 。") == ""


@pytest.mark.parametrize(
    ("text", "asked", "found"),
    [
        ("体育路第1盏路灯不亮", "路灯", True), ("体育路第1盏路灯不亮", "体育路 灯不", True), ("路灯不亮", "灯", True),
        ("东城中路路灯", "城东", False), ("粤S12345违停", "S12345", True), ("粤S12345违停", "粤s123", True),
        ("WIFI坏了", "wifi", True), ("路灯", "路灯坏", False), ("路灯", "垃圾", False),
    ],
)
async def test_what_is_found(database: str, text: str, asked: str, found: bool) -> None:
    sql = "SELECT search_words(7, string_to_array($1, ' '), '', '{}') @@ replace($2, '{block}', '0')::tsquery AS found"
    [row] = await all_rows(database, sql, tokens(text), query(asked))
    assert row["found"] is found
