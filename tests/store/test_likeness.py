"""Proposals to merge: made behind the log, once, whoever runs it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.events import Actor, Role
from hotline.store.database import open_pool
from hotline.store.likeness import compare_all, compare_once
from hotline.terms import Kind
from tests.hotline.test_intake import NOW, all_rows, inbound, intake_over
from tests.store.water import OTHER, TOLD, house, submit
from tests.triage.test_cluster import clusterer

AGENT = Actor(Role.AGENT, "zhang")


async def test_a_repeat_by_another_citizen_is_proposed_with_reasons(database: str) -> None:
    numbers = await submit(database, *TOLD, *OTHER)
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        found = await store.similar(numbers[0])
        assert {one.number for one in found} == set(numbers[1:3])
        for one in found:
            assert any(reason.startswith("同一地点:") and "大朗" in reason for reason in one.reasons)
            assert "同一事项:停水" in one.reasons
            assert any(reason.startswith("相隔") for reason in one.reasons)
        for number in numbers[3:]:
            assert await store.similar(number) == []
        assert {one.number for one in await store.similar(numbers[2])} == {numbers[0], numbers[1]}


@pytest.mark.parametrize("text", ["[语音]", "你好", "[图片] https://example.com/a.jpg", "在吗?"])
async def test_what_says_nothing_is_like_nothing(database: str, text: str) -> None:
    numbers = await submit(database, text, text, *TOLD[:2])
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        assert [await store.similar(number) for number in numbers[:2]] == [[], []]
        assert [one.number for one in await store.similar(numbers[2])] == [numbers[3]]


@pytest.mark.parametrize("discreet", [{"kind": Kind.REPORT}, {"confidential": True}])
async def test_a_discreet_ticket_is_proposed_with_its_own_citizens_only(
    database: str, discreet: dict[str, Any]
) -> None:
    mine, other = Citizen(phone="+8613800000001"), Citizen(phone="+8613800000002")
    appeals = [
        Appeal(text=text, citizen=citizen, **more)
        for text, citizen, more in zip(TOLD, (mine, mine, other), (discreet, discreet, {}), strict=True)
    ]
    async with intake_over(database) as intake:
        numbers = [(await intake.submit(inbound(appeal=appeal))).number for appeal in appeals]
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        assert [one.number for one in await store.similar(numbers[0])] == [numbers[1]]
        assert await store.similar(numbers[2]) == []


async def test_what_is_done_is_proposed_no_more(database: str) -> None:
    numbers = await submit(database, *TOLD)
    async with house(database) as (pool, store, service):
        await compare_all(pool, clusterer().tell)
        await service.act(numbers[1], c.Withdraw(), actor=AGENT)
        assert [one.number for one in await store.similar(numbers[0])] == [numbers[2]]


async def test_an_agent_dismisses_a_proposal_for_good(database: str) -> None:
    numbers = await submit(database, *TOLD[:2])
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        assert await store.dismiss(numbers[0], numbers[1], by="zhang", now=NOW)
        assert not await store.dismiss(numbers[1], numbers[0], by="zhang", now=NOW)
        assert await store.similar(numbers[0]) == await store.similar(numbers[1]) == []
        assert not await store.dismiss(numbers[0], "DG000", by="zhang", now=NOW)


async def test_several_processes_and_a_kill_change_nothing(database: str) -> None:
    await submit(database, *TOLD, *OTHER)
    async with house(database) as (pool, _, _), await open_pool(database) as other:
        await asyncio.gather(*(compare_once(one, clusterer().tell) for one in (pool, other, pool)))
        # As if killed before the cursor moved.
        await pool.execute("UPDATE readers SET position = 0 WHERE name = 'likeness'")
        before = await all_rows(database, "SELECT ticket_id, other_id FROM merge_proposals ORDER BY 1, 2")
        await compare_all(pool, clusterer().tell)
    assert before == await all_rows(database, "SELECT ticket_id, other_id FROM merge_proposals ORDER BY 1, 2")
    assert len(before) == 3
    assert len(await all_rows(database, "SELECT 1 FROM ticket_traits")) == len(TOLD) + len(OTHER)


@pytest.mark.parametrize("text", ["。。。", "12345", "a", "😀" * 50, "停水" * 800])
async def test_odd_texts_hold_nothing_up(database: str, text: str) -> None:
    await submit(database, text, text)
    async with house(database) as (pool, _, _):
        await compare_all(pool, clusterer().tell)
        assert await compare_once(pool, clusterer().tell) == 0


async def test_a_receipt_that_cannot_be_opened_holds_nothing_up(database: str) -> None:
    numbers = await submit(database, *TOLD)
    async with house(database) as (pool, store, _):
        await pool.execute(
            "UPDATE ticket_events SET sealed = 'changed' FROM tickets t WHERE t.id = ticket_id AND number = $1",
            numbers[0],
        )
        await compare_all(pool, clusterer().tell)
        assert numbers[1] in {one.number for one in await store.similar(numbers[2])}
        assert len(await all_rows(database, "SELECT 1 FROM ticket_traits")) == len(TOLD)


async def test_old_keys_are_forgotten(database: str) -> None:
    await submit(database, *TOLD)
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        assert await all_rows(database, "SELECT 1 FROM ticket_keys")
        await store.forget(NOW + timedelta(days=100))
        assert await all_rows(database, "SELECT 1 FROM ticket_keys") == []
