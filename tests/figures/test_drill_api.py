"""From numbers to what stands behind them over HTTP, the heat map, hot spots' texts, and the board that is pushed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from agent_ui import board_api
from agent_ui.staff import StaffRole
from hotline import commands as c
from hotline.appeal import Citizen
from hotline.drill_views import CallSide
from hotline.events import SYSTEM
from hotline.store.rows import event_from, sealed_event
from hotline.store.tally import catch_up
from tests.figures.test_api import ADMINS, CENTRE, DEPARTMENT, SPAN, House, events, house  # noqa: F401 - a fixture
from tests.figures.test_calls import call
from tests.figures.test_drill import finish

R = StaffRole
ALLOWED: dict[str, set[StaffRole]] = {
    f"/api/v1/figures/tickets?figure=closed&{SPAN}": CENTRE | {R.DEPARTMENT},
    "/api/v1/figures/tickets?figure=closed&department=水务局": CENTRE,
    "/api/v1/figures/tickets?figure=closed&by=agent&part=a1": CENTRE,
    "/api/v1/figures/standing?state=handling": CENTRE | {R.DEPARTMENT},
    "/api/v1/figures/standing?state=handling&department=水务局": CENTRE,
    "/api/v1/figures/calls": CENTRE, f"/api/v1/figures/heat?{SPAN}": CENTRE, "/api/v1/hot-spots": CENTRE,
    "/api/v1/hot-spots/texts?numbers=DG1": CENTRE, "/api/v1/board": CENTRE, "/api/v1/terms": CENTRE | {R.DEPARTMENT},
}


async def get(at: House, path: str, role: StaffRole = R.SUPERVISOR) -> Any:
    status, body, _ = await at.ask(role, path)
    assert status == 200, body
    return msgspec.json.decode(body)


async def test_who_may_look_behind_numbers(house: House) -> None:  # noqa: F811
    for path, allowed in ALLOWED.items():
        for role in StaffRole:
            status, body, _ = await house.ask(role, path)
            assert status == (200 if role in allowed else 403), (path, role, body)
        assert (await house.ask(None, path))[0] == 401
    assert (await house.ask(next(iter(ADMINS)), "/api/v1/board/stream"))[0] == 403


UNANSWERED = (
    "figures/tickets?figure=moon", "figures/tickets?figure=asa", "figures/tickets?figure=sign&side=left",
    "figures/tickets?figure=sign&limit=0", f"figures/tickets?figure=sign&limit={'9' * 4_301}",
    "figures/tickets?figure=sign&cursor=x", "figures/standing",
    "figures/standing?state=lost", "figures/standing?state=closed&late=maybe", "figures/calls?side=x",
    "figures/calls?cursor=now", "figures/heat?from=x", "hot-spots/texts", "hot-spots/texts?numbers=" + "DG1," * 51,
)


async def test_what_cannot_be_answered_says_why(house: House) -> None:  # noqa: F811
    for path in UNANSWERED:
        status, body, _ = await house.ask(R.SUPERVISOR, f"/api/v1/{path}")
        assert (status, msgspec.json.decode(body)["error_id"]) == (400, "invalid_input"), path


async def test_a_department_drills_into_its_own_figures(house: House) -> None:  # noqa: F811
    await finish(house.core.pool)
    figures = (await get(house, f"/api/v1/figures?{SPAN}", R.DEPARTMENT))["figures"]
    dispatched = next(one for one in figures if one["figure"] == "dispatched")
    page = await get(house, f"/api/v1/figures/tickets?{SPAN}&figure=dispatched&limit=200", R.DEPARTMENT)
    assert page["listed"] == page["total"] == dispatched["numerator"] > 0
    whole = await get(house, f"/api/v1/figures/tickets?{SPAN}&figure=dispatched&department={DEPARTMENT}&limit=200")
    assert whole == page


async def test_the_heat_map_adds_up_to_what_was_received(house: House) -> None:  # noqa: F811
    heat = await get(house, f"/api/v1/figures/heat?{SPAN}")
    figures = (await get(house, f"/api/v1/figures?{SPAN}"))["figures"]
    received = next(one["numerator"] for one in figures if one["figure"] == "received")
    assert sum(cell["appeals"] for cell in heat["cells"]) == received
    assert {cell["town"] for cell in heat["cells"]} <= set(heat["towns"])
    assert {cell["category"] for cell in heat["cells"]} <= {one["code"] for one in heat["categories"]}
    assert next(one["name"] for one in heat["categories"] if one["code"] == "03") == "城市管理"
    lights = await get(house, f"/api/v1/figures/heat?{SPAN}&l1=03")
    of_l1 = sum(cell["appeals"] for cell in heat["cells"] if cell["category"] == "03")
    assert sum(cell["appeals"] for cell in lights["cells"]) == of_l1 > 0


async def test_texts_behind_a_hot_spot_hide_who_wrote_them(house: House) -> None:  # noqa: F811
    number = house.city.tickets[1].number
    pool = house.core.pool
    await pool.execute("ALTER TABLE ticket_events DISABLE TRIGGER ticket_events_append_only")
    row = await pool.fetchrow("SELECT position, doc FROM ticket_events WHERE ticket_id = 1 AND version = 1")
    event: Any = event_from(row["doc"])
    citizen = msgspec.structs.replace(event.fact.appeal.citizen, name="王小明", phone="+8613812345678")
    text = "我是王小明,也叫王晓鸣,电话13812345678,路灯不亮"
    appeal = msgspec.structs.replace(event.fact.appeal, citizen=citizen, text=text)
    changed = msgspec.structs.replace(event, fact=msgspec.structs.replace(event.fact, appeal=appeal))
    doc, sealed = sealed_event(changed)
    assert "王小明" not in doc.replace(appeal.text, "")
    update = "UPDATE ticket_events SET doc = $2, sealed = $3 WHERE position = $1"
    await pool.execute(update, row["position"], doc, sealed)
    told = (await get(house, f"/api/v1/hot-spots/texts?numbers=DG1,{number}"))["texts"]
    assert [one["number"] for one in told] == [number]
    assert "路灯不亮" in told[0]["text"]
    assert "小明" not in told[0]["text"]
    named = c.Correct(citizen=Citizen(name="王晓鸣"))
    await house.core.service.act(number, named, actor=SYSTEM)
    told = (await get(house, f"/api/v1/hot-spots/texts?numbers={number}"))["texts"]
    assert [word for word in ("小明", "晓鸣") if word in told[0]["text"]] == []
    assert "13812345678" not in told[0]["text"]


async def test_calls_behind_a_figure_hide_their_telephones(house: House) -> None:  # noqa: F811
    pool, now = house.core.pool, house.core.clock() - timedelta(hours=1)
    for n in range(6):
        asked = now + timedelta(seconds=n)
        answered, gone = (asked + timedelta(seconds=10 * n), None) if n % 2 else (None, asked)
        await call(pool, f"c{n}", caller="+8613812345678", started_at=asked, asked_at=asked,
                   answered_at=answered, abandoned_at=gone)
    figures = {one["figure"]: one for one in (await get(house, "/api/v1/board"))["telephone"]}
    counts = {}
    for side in CallSide:
        found, cursor = 0, ""
        while True:
            page = await get(house, f"/api/v1/figures/calls?side={side}&limit=2&cursor={cursor.replace('+', '%2B')}")
            found += len(page["calls"])
            assert all("138****5678" in one["caller"] for one in page["calls"])
            if not (cursor := page["next"]):
                break
        counts[side] = found
    assert counts[CallSide.ASKED] == figures["connected"]["denominator"] == 6
    assert counts[CallSide.ANSWERED] == figures["connected"]["numerator"] == 3
    assert counts[CallSide.QUICK] == figures["service_level"]["numerator"] == 1
    assert counts[CallSide.ABANDONED] == figures["abandoned"]["numerator"] == 3
    assert counts[CallSide.MISSED] == figures["called_back"]["denominator"]
    assert counts[CallSide.OWED] == counts[CallSide.MISSED] - figures["called_back"]["numerator"]


async def test_the_board_tells_what_waits_against_its_goals(house: House) -> None:  # noqa: F811
    pool, now = house.core.pool, house.core.clock()
    await call(pool, "w", started_at=now, asked_at=now - timedelta(seconds=40), doc="{}")
    await call(pool, "t", started_at=now, asked_at=now - timedelta(seconds=40), answered_at=now, doc="{}")
    await pool.execute(
        "INSERT INTO presence (staff, state, since, lease_until) "
        "VALUES ('agent', 'available', $1, now() + interval '1 hour')", now,
    )
    await pool.execute("INSERT INTO incidents (key, ticket_id, payload, created_at) VALUES ('k', 1, '{}', $1)",
                       now - timedelta(seconds=90))
    summary = '{"alarms": ["incident_unacknowledged", "hot_spot"], "alarms_seen": ["hot_spot"]}'
    await pool.execute("UPDATE tickets SET alarmed = true, summary = $1 WHERE id = 1", summary)
    board = await get(house, "/api/v1/board")
    assert (board["queue"]["waiting"], board["queue"]["talking"], board["queue"]["good"]) == (1, 1, False)
    assert 40 <= board["queue"]["longest"] < 60
    assert board["agents"] == [{"state": "available", "people": 1}]
    assert (board["incidents"]["number"], board["incidents"]["good"]) == (1, False)
    assert {one["alarm"]: one["unseen"] for one in board["alarms"]} == {"incident_unacknowledged": 1, "hot_spot": 0}
    assert board["callbacks"] == {"number": 0, "late": 0, "oldest": 0.0, "goal": None, "good": True}
    figures = {one["figure"]: one["numerator"] for one in board["today"]}
    assert figures.get("received", 0) == sum(one["appeals"] for one in board["channels"])
    assert figures.get("received", 0) == sum(one["today"] for one in board["hours"])


async def test_the_board_is_pushed_as_it_changes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(board_api, "CHECKED_EVERY", 0.0)
    headers = {"Authorization": f"Bearer {house.tokens[R.SUPERVISOR]}"}
    async with house.session.get(f"{house.url}/api/v1/board/stream", headers=headers) as answer:
        assert answer.content_type == "text/event-stream"
        before = sum(one["tickets"] for one in (await events(answer, 1))[0][1]["standing"])
        await house.city.happen(60)
        await catch_up(house.core.pool, lambda: house.city.now)
        async with asyncio.timeout(20):
            while sum(one["tickets"] for one in (await events(answer, 1))[0][1]["standing"]) == before:
                pass
            await house.core.pool.execute("DELETE FROM sessions")
            while (await events(answer, 1))[0][0] != "over":
                pass
        assert (await answer.content.read()).strip() == b""
