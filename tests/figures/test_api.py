"""Figures over HTTP: who may see what, tables without formulas, exclusions, the operation centre's feed, the report."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import openpyxl
import pytest

from agent_ui.account_ports import Opening
from agent_ui.accounts import token_hash
from agent_ui.staff import Staff, StaffRole
from hotline import roles
from hotline.city import load_city
from hotline.core import Core, open_core
from hotline.metrics import FROM_TICKETS
from hotline.store.accounts import AccountStore
from hotline.store.tally import catch_up
from tests.figures.city import City
from tests.test_wiring import settings, untriaged

DEPARTMENT = "城管局"
IOC = {"Authorization": "Bearer a long secret"}


class House:
    """A service with figures, and staff who are logged in."""

    def __init__(self, core: Core, session: aiohttp.ClientSession, city: City) -> None:
        self.core, self.session, self.city = core, session, city
        self.url = f"http://127.0.0.1:{core.settings.http_port}"
        self.tokens: dict[StaffRole, str] = {}

    async def ask(
        self, role: StaffRole | None, path: str, *, method: str = "GET", **rest: Any
    ) -> tuple[int, bytes, aiohttp.ClientResponse]:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role is not None else {}
        headers |= rest.pop("headers", {})
        async with self.session.request(method, f"{self.url}{path}", headers=headers, **rest) as answer:
            return answer.status, await answer.read(), answer


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    chosen = msgspec.structs.replace(settings(), data_dir=str(tmp_path))
    async with (
        open_core(chosen, triage=untriaged, city=load_city(Path(chosen.city_dir)), dsn=database) as core,
        roles.intake_role(core), aiohttp.ClientSession() as session,
    ):
        city = City(core.pool, 3, datetime.now(UTC))
        await city.happen(400)
        await catch_up(core.pool, lambda: city.now)
        made, store = House(core, session, city), AccountStore(core.pool)
        for role in StaffRole:
            department = DEPARTMENT if role is StaffRole.DEPARTMENT else ""
            staff = Staff(name=role.value, display_name=role.value, role=role, department=department)
            await store.add_staff(staff, "no password", now=core.clock())
            made.tokens[role] = f"token of {role}"
            await core.pool.execute("UPDATE staff SET totp_since = now() WHERE name = $1", role.value)
            await store.open_session(Opening(
                name=role.value, token_hash=token_hash(made.tokens[role]), now=core.clock(),
                expires_at=core.clock() + timedelta(hours=12),
            ))
        yield made


R = StaffRole
CENTRE, ADMINS = {R.AGENT, R.SUPERVISOR}, {R.SYSTEM_ADMIN, R.SECURITY_ADMIN, R.AUDIT_ADMIN}
SPAN = "from=2026-01-01&to=2029-12-31"
ALLOWED: dict[str, set[StaffRole]] = {
    "/api/v1/figures": CENTRE | {R.DEPARTMENT}, "/api/v1/figures/live": CENTRE | {R.DEPARTMENT},
    "/api/v1/figures?by=agent": CENTRE, "/api/v1/figures?by=total&agent=a1": CENTRE,
    "/api/v1/figures?department=水务局": CENTRE, f"/api/v1/figures?department={DEPARTMENT}": CENTRE | {R.DEPARTMENT},
    "/api/v1/figures/report?month=2026-10": CENTRE, "/api/v1/figures/exclusions": {R.SUPERVISOR, R.AUDIT_ADMIN},
}


async def test_who_may_see_what(house: House) -> None:
    for path, allowed in ALLOWED.items():
        for role in StaffRole:
            status, body, _ = await house.ask(role, path)
            assert status == (200 if role in allowed else 403), (path, role, body)
        assert (await house.ask(None, path))[0] == 401


async def test_a_department_gets_its_own_figures(house: House) -> None:
    _, own, _ = await house.ask(R.DEPARTMENT, f"/api/v1/figures?{SPAN}")
    _, same, _ = await house.ask(R.SUPERVISOR, f"/api/v1/figures?{SPAN}&department={DEPARTMENT}")
    _, whole, _ = await house.ask(R.SUPERVISOR, f"/api/v1/figures?{SPAN}")
    assert own == same != whole
    _, live, _ = await house.ask(R.DEPARTMENT, "/api/v1/figures/live")
    standing = sum(one["tickets"] for one in msgspec.json.decode(live)["standing"])
    assert standing == sum(ticket.lead == DEPARTMENT for ticket in house.city.tickets.values())


UNANSWERED = (
    "by=moon", "from=2026-13-01", "to=x", "from=2026-11-02&to=2026-11-01", "from=1990-01-01&to=2026-01-01",
    "by=hour&town=南城", "by=category&agent=a1", "format=pdf", "by=agent&kind=report",
)


async def test_a_question_that_cannot_be_answered_says_why(house: House) -> None:
    for query in UNANSWERED:
        status, body, _ = await house.ask(R.SUPERVISOR, f"/api/v1/figures?{query}")
        assert (status, msgspec.json.decode(body)["error_id"]) == (400, "invalid_input"), query


async def test_tables_hold_what_json_holds(house: House) -> None:
    _, json, _ = await house.ask(R.SUPERVISOR, f"/api/v1/figures?{SPAN}&by=department")
    parts = {figure["part"] for figure in msgspec.json.decode(json)["figures"]}
    _, csv, answer = await house.ask(R.SUPERVISOR, f"/api/v1/figures?{SPAN}&by=department&format=csv")
    lines = csv.decode("utf-8-sig").splitlines()
    assert answer.content_type == "text/csv"
    assert {line.split(",")[0] for line in lines[1:]} == {part or "热线中心" for part in parts}
    _, xlsx, answer = await house.ask(R.SUPERVISOR, f"/api/v1/figures?{SPAN}&by=department&format=xlsx")
    assert "filename*=UTF-8''%E6" in answer.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx)).active
    rows = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert len(rows) == len(lines)
    assert rows[0] == lines[0].split(",")


async def test_an_exclusion_is_made_by_a_supervisor_and_told_to_the_auditor(house: House) -> None:
    number = house.city.tickets[1].number
    body = {"number": number, "metric": "satisfied", "reason": "beyond_duty", "note": "=cmd|' 来电13800138000核实"}
    path = "/api/v1/figures/exclusions"
    for role in StaffRole:
        if role is not R.SUPERVISOR:
            assert (await house.ask(role, path, method="POST", json=body))[0] == 403
    status, made, _ = await house.ask(R.SUPERVISOR, path, method="POST", json=body)
    assert status == 201
    assert (await house.ask(R.SUPERVISOR, path, method="POST", json=body))[0] == 422
    _, found, _ = await house.ask(R.AUDIT_ADMIN, f"{path}?number={number}")
    entry, *_ = msgspec.json.decode(found)["exclusions"]  # the newest first
    assert entry["position"] == msgspec.json.decode(made)["position"]
    assert (entry["actor"], entry["excluded"]) == ("supervisor:supervisor", True)
    assert "13800138000" not in entry["note"]
    _, csv, _ = await house.ask(R.AUDIT_ADMIN, f"{path}?format=csv")
    assert "'=cmd" in csv.decode("utf-8-sig")
    back = {"number": number, "metric": "satisfied", "excluded": False, "note": "复核恢复"}
    assert (await house.ask(R.SUPERVISOR, path, method="POST", json=back))[0] == 201


UNREASONED = (
    {"number": "x", "metric": "satisfied"}, {"number": "x", "metric": "moon", "note": "核实"},
    {"number": "x", "metric": "connected", "note": "话务不能剔除"}, {"number": "", "metric": "sign", "note": "核实"},
    {"number": "x", "metric": "sign", "note": "核实", "reason": "mood"},
)


async def test_an_exclusion_without_its_reasons_is_refused(house: House) -> None:
    for body in UNREASONED:
        status, *_ = await house.ask(R.SUPERVISOR, "/api/v1/figures/exclusions", method="POST", json=body)
        assert status == 400, body


async def test_exclusions_come_page_by_page(house: House) -> None:
    path = "/api/v1/figures/exclusions"
    for metric in FROM_TICKETS[:5]:
        body = {"number": house.city.tickets[2].number, "metric": metric, "note": "核实"}
        await house.ask(R.SUPERVISOR, path, method="POST", json=body)
    seen, before = [], ""
    while True:
        _, body_, _ = await house.ask(R.SUPERVISOR, f"{path}?limit=2{before}")
        page = msgspec.json.decode(body_)
        seen += [entry["position"] for entry in page["exclusions"]]
        if not page["next"]:
            break
        before = f"&before={page['next']}"
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 5


# ── the operation centre ─────────────────────────────────────────────────────────────────────────
async def test_the_feed_needs_its_own_token(house: House) -> None:
    for path in ("/api/v1/ioc/live", "/api/v1/ioc/hot-spots", "/api/v1/ioc/stream"):
        staff = {"Authorization": f"Bearer {house.tokens[R.SUPERVISOR]}"}
        for headers in ({}, {"Authorization": "Bearer wrong"}, staff):
            assert (await house.ask(None, path, headers=headers))[0] == 401
    status, *_ = await house.ask(None, "/api/v1/figures", headers=IOC)
    assert status == 401, "it opens nothing else"


async def test_the_feed_is_live_and_holds_no_personal_data(house: House) -> None:
    _, body, answer = await house.ask(None, "/api/v1/ioc/live", headers=IOC)
    live = msgspec.json.decode(body)
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(live) == {"as_of", "position", "day", "today", "telephone", "standing"}
    status, spots, _ = await house.ask(None, "/api/v1/ioc/hot-spots", headers=IOC)
    assert status == 200
    assert list(msgspec.json.decode(spots)) == ["spots"]
    for ticket in house.city.tickets.values():
        assert ticket.number not in body.decode() + spots.decode()


async def test_the_operation_centre_sees_the_hot_spots_that_the_board_sees(house: House) -> None:
    number, now = next(iter(house.city.tickets.values())).number, datetime.now(UTC)
    for town, ended in (("南城", None), ("东城", now - timedelta(minutes=5))):
        await house.city.pool.execute(
            "INSERT INTO hotspots"
            " (town, matter, hours, count, expected, began_at, last_at, found_at, ended_at, tickets)"
            " SELECT $1, '03/路灯', 6, 8, 0.4, $2, $2, $2, $3, ARRAY[id] FROM tickets WHERE number = $4",
            town, now - timedelta(hours=1), ended, number,
        )
    _, body, _ = await house.ask(None, "/api/v1/ioc/hot-spots", headers=IOC)
    [one] = msgspec.json.decode(body)["spots"]
    assert (one["town"], one["matter"], one["count"], one["expected"]) == ("南城", "03/路灯", 8, 0.4)
    assert number not in body.decode()
    _, listed, _ = await house.ask(R.SUPERVISOR, "/api/v1/hot-spots")
    assert {spot["town"] for spot in msgspec.json.decode(listed)["hotspots"]} == {"南城", "东城"}


async def events(answer: aiohttp.ClientResponse, count: int) -> list[tuple[str, Any]]:
    found, name = [], ""
    while len(found) < count:
        line = (await answer.content.readline()).decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, msgspec.json.decode(line.removeprefix("data: "))))
    return found


async def test_the_stream_sends_what_is_new(house: House) -> None:
    url = f"{house.url}/api/v1/ioc/stream"
    async with house.session.get(url, headers=IOC) as answer:
        assert answer.content_type == "text/event-stream"
        first = await events(answer, 3)
        assert {name for name, _ in first} == {"live", "hot_spots"}
        before = first[0][1]["position"]
        await house.city.happen(40)
        await catch_up(house.core.pool, lambda: house.city.now)
        async with asyncio.timeout(20):
            while (await events(answer, 1))[0][1].get("position", before) == before:
                pass


async def test_an_outage_is_told_in_the_stream(house: House) -> None:
    async with house.session.get(f"{house.url}/api/v1/ioc/stream", headers=IOC) as answer:
        await events(answer, 1)
        house.core.pool.terminate()
        async with asyncio.timeout(20):
            while (found := (await events(answer, 1))[0])[0] != "unavailable":
                pass
        assert found[1] == {"error_id": "unavailable"}


# ── the report ───────────────────────────────────────────────────────────────────────────────────
async def test_the_report_is_one_page_that_loads_nothing(house: House) -> None:
    month = house.city.now.strftime("%Y-%m")
    status, body, answer = await house.ask(R.SUPERVISOR, f"/api/v1/figures/report?month={month}")
    page = body.decode()
    assert status == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in page
    assert "http://www.w3.org/2000/svg" in page
    assert not [word for word in ("src=", "@import", "url(", "href=") if word in page]
    assert (await house.ask(R.SUPERVISOR, "/api/v1/figures/report?month=october"))[0] == 400
