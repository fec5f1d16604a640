"""What anybody may see of tickets (Open311): how the matter stands, and nothing that is not public."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from channels.views import PublicTicket, RequestFilter
from hotline import commands as c
from hotline.appeal import Appeal
from hotline.events import SYSTEM
from hotline.ids import TicketNumber
from hotline.service import Service
from hotline.store import channels
from hotline.store.channels import ChannelStore
from hotline.store.database import open_pool
from hotline.store.tickets import TicketStore
from hotline.terms import State
from tests.cities import RULES
from tests.hotline.test_intake import NOW, inbound, intake_over


class Family(NamedTuple):
    """A report that was merged into another one."""

    parent: TicketNumber
    child: TicketNumber
    service: Service
    records: ChannelStore

    async def seen(self, closed: bool | None = None) -> PublicTicket | None:
        """Return what is seen of the child, None where it is not among those asked for."""
        found = await self.records.public(RequestFilter(closed=closed))
        return next((one for one in found if one.number == self.child), None)


@asynccontextmanager
async def family(dsn: str, of: Appeal = Appeal(text="体育路路灯不亮")) -> AsyncIterator[Family]:
    async with intake_over(dsn) as intake, await open_pool(dsn) as pool:
        store = TicketStore(pool, prefix="DG")
        service = Service(store=store, intake=intake, rules=lambda: RULES, clock=lambda: NOW)
        parent = (await intake.submit(inbound(appeal=of))).number
        child = (await intake.submit(inbound("体育路路灯也不亮"))).number
        await service.act(child, c.Merge(parent=(await store.read(parent)).id), actor=SYSTEM)
        yield Family(parent, child, service, ChannelStore(pool))


async def test_a_merged_report_is_open_until_its_matter_is_finished(database: str) -> None:
    async with family(database) as one:
        seen = await one.seen(closed=False)
        assert seen is not None
        assert (seen.status, seen.closed, bool(seen.department)) == (State.PENDING_SIGN, False, True)
        assert await one.seen(closed=True) is None
        answer = c.Reply(internal="x", public="灯已修好")
        for command in (c.Sign(), answer, c.AcceptReply(), c.SettleFollowUp(unreachable=True)):
            await one.service.act(one.parent, command, actor=SYSTEM)
        seen = await one.seen(closed=True)
        assert seen is not None
        assert (seen.closed, seen.public_reply) == (True, "灯已修好")
        assert await one.seen(closed=False) is None


@pytest.mark.parametrize("hidden", [Appeal(text="体育路路灯不亮", confidential=True)])
async def test_of_a_parent_that_is_not_public_it_is_only_told_how_it_stands(database: str, hidden: Appeal) -> None:
    async with family(database, hidden) as one:
        seen = await one.seen()
        assert seen is not None
        assert (seen.status, seen.department, seen.public_reply) == (State.PENDING_SIGN, "", "")


async def test_pages_of_categories_are_whole_and_the_newest_first(database: str) -> None:
    async with intake_over(database) as intake, await open_pool(database) as pool:
        sent = [await intake.submit(inbound(f"体育路第{n}盏路灯不亮")) for n in range(5)]
        newest_first = [receipt.number for receipt in reversed(sent)]
        await intake.submit(inbound("我要表扬"))
        records = ChannelStore(pool)

        async def page(number: int, **more: Any) -> list[TicketNumber]:
            lights = (("03", "路灯"), ("03", "井盖"), ("03", "路灯"))
            wanted = RequestFilter(categories=lights, limit=2, offset=2 * number, **more)
            return [one.number for one in await records.public(wanted)]

        pages = [await page(number) for number in range(4)]
        assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:], []]
        assert [await page(0, closed=closed) for closed in (False, True)] == [newest_first[:2], []]
        assert [await page(0, start=NOW), await page(0, end=NOW)] == [newest_first[:2], []]
        asked = RequestFilter(numbers=(newest_first[3], newest_first[1], TicketNumber("DG1")))
        assert [one.number for one in await records.public(asked)] == [newest_first[1], newest_first[3]]


async def test_appeals_have_their_turn_between_the_tickets_of_a_long_list(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, seen, public = [0], list[int](), channels._public

    async def others() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    def counted(*given: object, shared: bool) -> PublicTicket:
        seen.append(turns[0])
        return public(*given, shared=shared)  # type: ignore[arg-type]

    monkeypatch.setattr(channels, "_public", counted)
    async with family(database) as one:
        task = asyncio.create_task(others())
        for _ in range(3):
            await one.records.public(RequestFilter())
        task.cancel()
    assert len(seen) == len(set(seen)) == 6
