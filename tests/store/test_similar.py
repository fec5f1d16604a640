"""Similar open public reports before sending, and joining them: nothing of a citizen is shown, nothing is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec
import pytest

from channels.views import SimilarReport
from hotline import commands as c
from hotline.appeal import Appeal, Citizen, Place, Triage
from hotline.errors import NotFound
from hotline.events import Actor, Role
from hotline.ids import TicketNumber
from hotline.intake import Intake
from hotline.service import Service
from hotline.similar import Similar
from hotline.store.database import open_pool
from hotline.store.likeness import compare_all
from hotline.store.similar import SimilarStore
from hotline.store.tickets import TicketStore
from hotline.terms import Kind, State, Verdict
from tests.cities import RULES
from tests.hotline.test_intake import NOW, all_rows, inbound, intake_over, triage
from tests.triage.test_cluster import clusterer

AGENT = Actor(Role.AGENT, "zhang")
TOLD = "大朗镇巷头社区从昨晚九点停水到现在,没有任何通知,我叫欧阳建国,电话13812345678"
ASKED = "请问大朗巷头几时来水?停咗成晚,打水务电话冇人听"
SECRETS = ("欧阳", "建国", "13812345678", "昨晚九点", "没有任何通知")


class House(NamedTuple):
    similar: Similar
    intake: Intake
    service: Service
    rows: SimilarStore


@asynccontextmanager
async def house(dsn: str, *, busy: bool = False) -> AsyncIterator[House]:
    async with intake_over(dsn) as intake, await open_pool(dsn) as pool:
        service = Service(store=TicketStore(pool, prefix="DG"), intake=intake, rules=lambda: RULES, clock=lambda: NOW)
        rows = SimilarStore(pool, clusterer().tell)
        yield House(Similar(
            rows=rows, intake=intake, service=service, triage=triage, clock=lambda: NOW, busy=lambda: busy,
        ), intake, service, rows)


async def told(dsn: str, *appeals: Appeal) -> list[TicketNumber]:
    """Send appeals, and let the reader of likeness catch up."""
    async with intake_over(dsn) as intake, await open_pool(dsn) as pool:
        numbers = [(await intake.submit(inbound(appeal.text, appeal=appeal))).number for appeal in appeals]
        await compare_all(pool, clusterer().tell)
    return numbers


async def look(dsn: str, text: str, place: Place = Place()) -> tuple[SimilarReport, ...]:
    async with house(dsn) as opened:
        return (await opened.similar.look(text, place)).reports


async def test_a_similar_report_is_shown_without_a_word_of_its_citizen(database: str) -> None:
    [number, *_] = await told(
        database, Appeal(text=TOLD, citizen=Citizen(name="欧阳建国", phone="+8613812345678")),
        Appeal(text="长安镇霄边社区工地半夜打桩"),
    )
    [found] = await look(database, ASKED)
    assert (found.number, found.town, found.spot, found.matter, found.people) == (number, "大朗", "巷头", "停水", 1)
    assert found.status is State.RECEIVED
    assert "同一事项:停水" in found.reasons
    shown = msgspec.json.encode(found).decode()
    assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.parametrize("hidden", [
    Appeal(text=TOLD, confidential=True), Appeal(text=TOLD, kind=Kind.REPORT), Appeal(text=f"{TOLD},厂房着火了"),
])
async def test_what_is_not_public_is_neither_shown_nor_joined(database: str, hidden: Appeal) -> None:
    [number] = await told(database, hidden)
    assert await look(database, ASKED) == ()
    async with house(database) as opened:
        with pytest.raises(NotFound):
            await opened.similar.join(number, inbound("我家也停水"))
    assert len(await all_rows(database, "SELECT 1 FROM tickets")) == 1


async def test_a_confidential_appeal_stands_by_itself(database: str) -> None:
    [parent] = await told(database, Appeal(text="南城体育路路灯不亮"))
    mine = msgspec.structs.replace(inbound("我也遇到", key="j1"), appeal=Appeal(text="我也遇到", confidential=True))
    async with house(database) as opened:
        receipt, joined = await opened.similar.join(parent, mine)
        assert not joined
        assert receipt.status is State.RECEIVED


async def test_what_is_finished_is_not_shown(database: str) -> None:
    [number] = await told(database, Appeal(text=TOLD))
    async with house(database) as opened:
        await opened.service.act(number, c.Withdraw(), actor=AGENT)
        assert (await opened.similar.look(ASKED, Place())).reports == ()


async def test_a_place_alone_shows_what_is_new_there(database: str) -> None:
    [number, _] = await told(database, Appeal(text=TOLD), Appeal(text="长安镇霄边社区从昨晚停水到现在"))
    assert [one.number for one in await look(database, "", Place(town="大朗"))] == [number]
    assert [one.number for one in await look(database, "", Place(town="大朗", address="巷头社区"))] == [number]
    assert await look(database, "", Place(town="石排")) == ()


async def test_the_place_of_the_form_counts_as_if_it_stood_in_the_text(database: str) -> None:
    place = Place(town="大朗", address="巷头社区")
    [number] = await told(database, Appeal(text="从昨晚九点停水到现在,没有任何通知", place=place))
    assert [one.number for one in await look(database, "整晚停水,打电话没人接", place)] == [number]


@pytest.mark.parametrize(("text", "danger"), [
    ("三楼着火了快来人啊", True), ("路灯不亮已经三天了", False), ("", False), ("🙂🙂🙂🙂🙂🙂🙂", False),
])
async def test_danger_is_told_before_anything_is_sent(database: str, text: str, danger: bool) -> None:
    async with house(database) as opened:
        seen = await opened.similar.look(text, Place())
    assert bool(seen.danger) is danger
    assert await all_rows(database, "SELECT 1 FROM tickets") == []


async def test_a_busy_service_has_no_time_for_courtesies(database: str) -> None:
    await told(database, Appeal(text=TOLD))
    async with house(database, busy=True) as opened:
        seen = await opened.similar.look(ASKED, Place(town="大朗"))
    assert (seen.reports, seen.danger, seen.towns) == ((), (), ())


async def test_who_joins_is_one_of_many_with_number_and_code(database: str) -> None:
    [parent] = await told(database, Appeal(text="南城体育路路灯不亮"))
    async with house(database) as opened:
        receipt, joined = await opened.similar.join(parent, inbound("我也遇到同样问题", key="j1"))
        assert joined
        assert receipt.number != parent
        assert (receipt.status, receipt.department) == (State.MERGED, "城管局")
        shown = await opened.service.progress(receipt.number, receipt.code)
        assert shown.status is State.MERGED
        assert {"已收到", "已并单", "已派单"} <= {step.title for step in shown.steps}
    assert [one.people for one in await look(database, "体育路的路灯不亮了,南城这边")] == [2]


async def test_joining_again_under_the_key_changes_nothing(database: str) -> None:
    [parent] = await told(database, Appeal(text="南城体育路路灯不亮"))
    async with house(database) as opened:
        delivery = inbound("我也遇到同样问题", key="j1")
        first, *more = await asyncio.gather(*(opened.similar.join(parent, delivery) for _ in range(6)))
        again = await opened.similar.join(parent, delivery)
    assert {(receipt.number, receipt.code) for receipt, _ in (first, *more, again)} == {
        (first[0].number, first[0].code)
    }
    assert again[1]
    assert len(await all_rows(database, "SELECT 1 FROM tickets")) == 2
    assert len(await all_rows(database, "SELECT 1 FROM ticket_events WHERE type = 'merge'")) == 1


async def test_a_kill_before_the_merge_is_mended_by_the_repeat(database: str) -> None:
    [parent] = await told(database, Appeal(text="南城体育路路灯不亮"))
    async with house(database) as opened:
        delivery = inbound("我也遇到同样问题", key="j1")
        await opened.intake.submit(msgspec.structs.replace(delivery, person=True))  # and the process died
        receipt, joined = await opened.similar.join(parent, delivery)
    assert joined
    assert receipt.repeat
    assert len(await all_rows(database, "SELECT 1 FROM tickets")) == 2


async def test_who_joins_what_has_ended_is_heard_alone(database: str) -> None:
    [parent] = await told(database, Appeal(text="南城体育路路灯不亮"))
    async with house(database) as opened:
        await opened.service.act(parent, c.Withdraw(), actor=AGENT)
        receipt, joined = await opened.similar.join(parent, inbound("体育路路灯不亮", key="j1"))
    assert not joined
    assert (receipt.status, receipt.department) == (State.PENDING_SIGN, "城管局")


async def test_danger_is_never_merged_away(database: str) -> None:
    [parent] = await told(database, Appeal(text="南城体育路路灯不亮"))
    async with house(database) as opened:
        receipt, joined = await opened.similar.join(parent, inbound("路灯杆着火了", key="j1"))
    assert not joined
    assert (receipt.verdict, receipt.status) == (Verdict.EMERGENCY, State.HANDED_OFF)


async def test_who_joins_a_merged_report_joins_its_parent(database: str) -> None:
    parent, child = await told(database, Appeal(text="南城体育路路灯不亮"), Appeal(text="体育路路灯坏了"))
    async with house(database) as opened:
        stored = await all_rows(database, "SELECT id FROM tickets WHERE number = $1", parent)
        await opened.service.act(child, c.Merge(parent=stored[0]["id"]), actor=AGENT)
        receipt, joined = await opened.similar.join(child, inbound("我也遇到同样问题", key="j1"))
        assert joined
        await opened.rows.joinable(receipt.number)
    rows = await all_rows(database, "SELECT parent FROM tickets WHERE number = $1", receipt.number)
    assert rows[0]["parent"] == stored[0]["id"]


async def test_a_person_is_asked_for_and_nothing_is_dispatched(database: str) -> None:
    async with intake_over(database) as intake:
        receipt = await intake.submit(inbound("体育路路灯不亮", person=True))
        urgent = await intake.submit(inbound("厂房着火了", person=True))
    assert (receipt.status, receipt.department) == (State.RECEIVED, "")
    assert urgent.status is State.HANDED_OFF


async def test_triage_that_fails_or_is_late_hides_no_report(database: str) -> None:
    [number] = await told(database, Appeal(text=TOLD))

    def late(texts: Sequence[str], /) -> list[Triage]:
        raise TimeoutError

    async with house(database) as opened:
        slow = Similar(
            rows=opened.rows, intake=opened.intake, service=opened.service, triage=late, clock=lambda: NOW,
            busy=lambda: False,
        )
        seen = await slow.look(ASKED, Place())
    assert [one.number for one in seen.reports] == [number]
    assert seen.danger == ()


async def test_at_most_five_are_shown(database: str) -> None:
    await told(database, *[Appeal(text=f"{TOLD}第{n}次反映") for n in range(8)])
    assert len(await look(database, ASKED)) == 5


