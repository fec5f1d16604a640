"""The administrators' work over the whole house: people and roles, days off, queues, figures, models; audited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
import pytest

from agent_ui.accounts import Accounts
from agent_ui.staff import Staff, StaffRole
from hotline import roles
from hotline.core import Core
from hotline.deadlines import WorkCalendar
from hotline.policy import Policy
from hotline.store.accounts import AccountStore
from hotline.store.directories import DirectoryStore
from routing.directory import Unit, UnitKind
from routing.queue_plan import FIRST
from tests.agent_ui.stack import PASSWORD, fast_passwords
from tests.test_wiring import core

SYSTEM, SECURITY, SUPERVISOR = StaffRole.SYSTEM_ADMIN, StaffRole.SECURITY_ADMIN, StaffRole.SUPERVISOR
NEW = {"name": "li.na", "display_name": "李娜", "role": "agent"}
WHY = {"reason": "离职"}


class Office:
    """The house, and administrators who ask it."""

    def __init__(self, opened: Core, session: aiohttp.ClientSession, tokens: dict[str, str]) -> None:
        self.core, self.session, self.tokens = opened, session, tokens
        self.pool: asyncpg.Pool = opened.pool
        self.base = f"http://127.0.0.1:{opened.settings.http_port}/api/v1/"

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        async with self.session.request(method, self.base + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None) if answer.status != 204 else None

    async def log_in(self, name: str, password: str) -> tuple[int, Any]:
        async with self.session.post(self.base + "login", json={"name": name, "password": password}) as answer:
            return answer.status, await answer.json()

    async def acts(self) -> list[tuple[str, str, str]]:
        """Return who did what to whom, without what was only looked at."""
        known = "SELECT actor, act, subject FROM audit_records WHERE act NOT LIKE 'http.%' ORDER BY id"
        rows = await self.pool.fetch(known)
        return [(row["actor"], row["act"], row["subject"]) for row in rows]


@pytest.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(core(database, tmp_path))
        await stack.enter_async_context(roles.intake_role(opened))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        accounts = Accounts(store=AccountStore(opened.pool), passwords=fast_passwords(), clock=opened.clock)
        tokens = {}
        for role in StaffRole:
            if role is StaffRole.DEPARTMENT:
                continue
            await accounts.add_staff(Staff(name=role.value, display_name=role.value, role=role), PASSWORD)
            tokens[role.value] = (await accounts.vouched(role.value)).token
        yield Office(opened, session, tokens)


# ── people ───────────────────────────────────────────────────────────────────────────────────────
async def test_one_sets_up_and_another_lets_in(office: Office) -> None:
    status, person = await office.ask(SYSTEM, "POST", "people", NEW)
    assert (status, person["active"], person["wanted"], person["must_change"]) == (201, False, "agent", True)
    assert (await office.ask(SYSTEM, "PUT", "people/li.na/role", {"role": "agent"}))[0] == 403
    assert (await office.ask(SECURITY, "POST", "people", NEW))[0] == 403
    assert (await office.ask(SECURITY, "POST", "people/li.na/unlock", WHY))[1]["error_id"] == "rule_violation"
    assert (await office.ask(SECURITY, "PUT", "people/li.na/role", {"role": "agent"}))[0] == 200
    password = (await office.ask(SECURITY, "POST", "people/li.na/password"))[1]["password"]
    status, answer = await office.log_in("li.na", password)
    assert (status, answer["duties"]) == (200, ["password_change_needed", "second_factor_needed"])
    assert await office.acts() == [
        ("system_admin:system_admin", "person.propose", "li.na"),
        ("security_admin:security_admin", "person.grant", "li.na"),
        ("security_admin:security_admin", "person.reset_password", "li.na"),
        ("agent:li.na", "login", ""),
    ]


async def test_a_unit_of_an_imported_version_has_an_account(office: Office) -> None:
    unit, now = "低空经济局", office.core.clock()
    qu = {"name": "qu", "display_name": "曲", "role": "department", "department": unit}
    assert (await office.ask(SYSTEM, "POST", "people", qu))[0] == 400
    present = office.core.directories.in_force()
    units = {**present.units, unit: Unit(name=unit, kind=UnitKind.BUREAU)}
    await DirectoryStore(office.pool).seed(msgspec.structs.replace(present, version="new", units=units), now)
    await office.core.directories.reload()
    assert (await office.ask(SYSTEM, "POST", "people", qu))[0] == 201
    granted = {"role": "department", "department": unit}
    assert (await office.ask(SECURITY, "PUT", "people/qu/role", granted))[0] == 200


async def test_who_is_locked_is_out_at_once(office: Office) -> None:
    status, answer = await office.ask(SECURITY, "POST", "people/agent/lock", WHY)
    assert (status, answer["ended"]) == (200, 1)
    assert (await office.ask("agent", "GET", "session"))[0] == 401
    assert (await office.log_in("agent", PASSWORD))[0] == 401
    assert (await office.ask(SECURITY, "POST", "people/agent/lock", {"reason": ""}))[0] == 400
    assert (await office.ask(SECURITY, "POST", "people/agent/unlock", WHY))[0] == 200
    assert (await office.log_in("agent", PASSWORD))[0] == 200


async def test_sessions_of_others_are_seen_and_ended(office: Office) -> None:
    status, rows = await office.ask(SECURITY, "GET", "people/agent/sessions")
    assert (status, len(rows)) == (200, 1)
    assert (await office.ask(SECURITY, "DELETE", "people/agent/sessions"))[1] == {"ended": 1}
    assert (await office.ask("agent", "GET", "session"))[0] == 401
    assert (await office.ask(SECURITY, "GET", "people/agent/sessions"))[1] == []


async def test_a_role_that_changes_ends_the_sessions(office: Office) -> None:
    assert (await office.ask(SECURITY, "PUT", "people/agent/role", {"role": "supervisor"}))[1] == {"ended": 1}
    assert (await office.log_in("agent", PASSWORD))[1]["staff"]["role"] == "supervisor"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "role", {"role": "system_admin"}),
        ("POST", "lock", WHY),
        ("POST", "unlock", WHY),
        ("POST", "password", None),
        ("DELETE", "second-factor", None),
    ],
)
async def test_nobody_changes_their_own_rights(office: Office, method: str, path: str, body: Any) -> None:
    status, answer = await office.ask(SECURITY, method, f"people/security_admin/{path}", body)
    assert (status, answer["error_id"]) == (403, "forbidden")
    status, answer = await office.ask(SECURITY, method, f"people/nobody/{path}", body)
    assert (status, answer["error_id"]) == (404, "not_found")


async def test_the_last_security_administrator_stays(office: Office) -> None:
    await office.ask(SYSTEM, "POST", "people", NEW | {"name": "second", "role": "security_admin"})
    await office.ask(SECURITY, "PUT", "people/second/role", {"role": "security_admin"})
    second = Accounts(store=AccountStore(office.pool), passwords=fast_passwords(), clock=office.core.clock)
    office.tokens["second"] = (await second.vouched("second")).token
    assert (await office.ask("second", "POST", "people/security_admin/lock", WHY))[0] == 200
    for method, path, body in (("POST", "lock", WHY), ("PUT", "role", {"role": "agent"})):
        await office.pool.execute("UPDATE staff SET active = true WHERE name = 'security_admin'")
        office.tokens[SECURITY] = (await second.vouched("security_admin")).token
        await office.pool.execute("UPDATE staff SET role = 'agent' WHERE name = 'second'")
        await office.pool.execute("UPDATE staff SET role = 'security_admin', active = true WHERE name = 'second'")
        await office.pool.execute("UPDATE staff SET active = false WHERE name = 'second'")
        status, answer = await office.ask(SECURITY, method, "people/second/" + path, body)
        assert status == 200, answer  # not active, so not one of those that are needed
        await office.pool.execute("UPDATE staff SET role = 'security_admin', active = true WHERE name = 'second'")
        await office.pool.execute("UPDATE staff SET active = false WHERE name = 'security_admin'")
        office.tokens["second"] = (await second.vouched("second")).token
    # The last one cannot lock themselves, and nobody else may.
    assert (await office.ask("second", "POST", "people/second/lock", WHY))[0] == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": " x"},
        {"name": "x" * 65},
        {"role": "king"},
        {"role": "department"},
        {"role": "department", "department": "没有的局"},
        {"department": "城管局"},
        {"extra": 1},
        {"display_name": ""},
        {"name": "agent"},
    ],
)
async def test_people_are_set_up_with_care(office: Office, wrong: dict[str, Any]) -> None:
    assert (await office.ask(SYSTEM, "POST", "people", NEW | wrong))[0] == 400
    assert all(act != "person.propose" for _, act, _ in await office.acts())


async def test_people_are_found_by_words_role_and_page(office: Office) -> None:
    await office.ask(SYSTEM, "POST", "people", NEW)
    assert [one["name"] for one in (await office.ask(SYSTEM, "GET", "people?text=李"))[1]["people"]] == ["li.na"]
    assert [one["name"] for one in (await office.ask(SECURITY, "GET", "people?role=supervisor"))[1]["people"]] == [
        "supervisor"
    ]
    assert len((await office.ask(SYSTEM, "GET", "people"))[1]["people"]) == 6
    assert (await office.ask(SYSTEM, "GET", "people?offset=x"))[0] == 400
    text = str((await office.ask(SYSTEM, "GET", "people"))[1])
    assert "argon2" not in text
    assert (await office.ask(SYSTEM, "PUT", "people/li.na", {"display_name": "李娜娜"}))[0] == 204
    phone = {"endpoint": "PJSIP/101", "skills": {"general": 1, "enterprise": 3}}
    assert (await office.ask(SYSTEM, "PUT", "people/li.na/phone", phone))[0] == 204
    [person] = (await office.ask(SYSTEM, "GET", "people?text=li.na"))[1]["people"]
    assert (person["display_name"], person["endpoint"], person["skills"]) == ("李娜娜", "PJSIP/101", phone["skills"])
    assert (await office.ask(SYSTEM, "PUT", "people/nobody/phone", phone))[0] == 404
    assert (await office.ask(SYSTEM, "PUT", "people/li.na/phone", phone | {"skills": {"x": 9}}))[0] == 400
    assert [(act, subject) for _, act, subject in await office.acts()] == [
        ("person.propose", "li.na"),
        ("person.rename", "li.na"),
        ("person.phone", "li.na"),
    ]


async def test_a_lost_second_factor_is_taken_away(office: Office) -> None:
    await office.pool.execute("UPDATE staff SET totp_since = now(), totp_secret = 'x' WHERE name = 'agent'")
    assert (await office.ask(SECURITY, "DELETE", "people/agent/second-factor"))[0] == 204
    assert (await office.log_in("agent", PASSWORD))[0] == 200


# ── the set-up ───────────────────────────────────────────────────────────────────────────────────
async def test_days_off_are_set_and_count_at_once(office: Office) -> None:
    status, year = await office.ask(SYSTEM, "GET", "setup/calendar?year=2027")
    assert status == 200
    days = [{"day": "2027-02-08", "off": True, "name": "春节"}, {"day": "2027-02-14", "off": False, "name": "调休"}]
    status, year = await office.ask(SYSTEM, "PUT", "setup/calendar", {"year": 2027, "days": days})
    assert (status, year["own"]) == (200, days)
    from datetime import date

    await office.core.read_days()
    calendar = office.core.rules().policy.calendar
    assert not calendar.is_working_day(date(2027, 2, 8))
    assert calendar.is_working_day(date(2027, 2, 14))
    assert 2027 not in calendar.known  # two days are no whole year
    told = (await office.ask("agent", "GET", "setup/calendar?year=2027"))[1]
    assert {one["day"]: (one["off"], one["name"]) for one in told["days"]}["2027-02-14"] == (False, "调休")
    assert await office.pool.fetchval("SELECT revision FROM revisions WHERE name = 'calendar'") > 0
    assert ("system_admin:system_admin", "calendar.set", "2027") in await office.acts()
    await office.ask(SYSTEM, "PUT", "setup/calendar", {"year": 2027, "days": []})
    await office.core.read_days()
    assert office.core.rules().policy is office.core.city.policy


@pytest.mark.parametrize(
    "wrong",
    [
        {"year": 2027, "days": [{"day": "2028-01-01", "off": True}]},
        {"year": 1, "days": []},
        {"year": 2027},
        {"year": 2027, "days": [{"day": "2027-01-01", "off": True}] * 2},
        {"year": 2027, "days": [{"day": "x", "off": True}]},
    ],
)
async def test_wrong_days(office: Office, wrong: dict[str, Any]) -> None:
    assert (await office.ask(SYSTEM, "PUT", "setup/calendar", wrong))[0] == 400
    assert (await office.ask(SYSTEM, "GET", "setup/calendar?year=zwei"))[0] == 400


async def test_queues_are_put_in_force(office: Office) -> None:
    centre = msgspec.json.decode(msgspec.json.encode(FIRST))
    status, told = await office.ask(SYSTEM, "GET", "setup/queues")
    assert (status, told["centre"]["queues"]) == (200, centre["queues"])
    agents = {"agent": {"endpoint": "PJSIP/101", "skills": {"general": 1}}}
    changed = centre | {"last_agent_wait": 25.0}
    assert (await office.ask(SUPERVISOR, "PUT", "setup/queues", {"version": 0, "centre": changed}))[0] == 403
    wanted = {"version": told["version"], "centre": changed, "agents": agents}
    status, told = await office.ask(SYSTEM, "PUT", "setup/queues", wanted)
    assert (status, told["centre"]["last_agent_wait"], told["agents"]) == (200, 25.0, agents)
    strange = {**told, "agents": {"nobody": agents["agent"]}}
    assert (await office.ask(SYSTEM, "PUT", "setup/queues", strange))[0] == 400
    assert ("system_admin:system_admin", "queues.set", "") in await office.acts()
    status, refused = await office.ask(SYSTEM, "PUT", "setup/queues", wanted)  # seen before the change
    assert (status, refused["error_id"]) == (409, "version_conflict")


async def test_what_is_in_force_is_told(office: Office) -> None:
    categories = (await office.ask(SYSTEM, "GET", "setup/categories"))[1]
    assert len(categories) == len(office.core.city.categories)
    assert all(one["leads"] for one in categories if one["l1"] == "01")
    figures = (await office.ask(SUPERVISOR, "GET", "setup/thresholds"))[1]
    assert {"窗口", "灯", "紧急", "流量", "智能分类"} <= {one["group"] for one in figures}
    security = (await office.ask(SECURITY, "GET", "setup/security"))[1]
    assert {"name": "无操作退出", "value": "15分钟", "group": "会话", "source": "hotline.toml"} in security
    models = (await office.ask(SYSTEM, "GET", "setup/models"))[1]
    assert models["models"][0]["place"] == "present"
    assert "Model card" in models["models"][0]["card"]
    access = (await office.ask(SECURITY, "GET", "setup/access"))[1]
    assert {"what": "POST /api/v1/people", "door": "staff", "roles": ["system_admin"]} in access


def test_days_over_a_calendar() -> None:
    from datetime import date

    from hotline.days import unusual, with_days
    from tests.cities import POLICY

    base: Policy = msgspec.structs.replace(POLICY, calendar=WorkCalendar(holidays=frozenset({date(2027, 1, 1)})))
    assert with_days(base, {}) is base
    changed = with_days(base, {date(2027, 1, 1): False, date(2027, 1, 2): False, date(2027, 1, 4): True}).calendar
    assert dict(unusual(changed, 2027)) == {date(2027, 1, 2): False, date(2027, 1, 4): True}
    assert dict(unusual(base.calendar, 2027)) == {date(2027, 1, 1): True}


# ── the audit ────────────────────────────────────────────────────────────────────────────────────
async def test_the_audit_tells_what_everybody_did_and_that_it_was_read(office: Office) -> None:
    await office.log_in("agent", "wrong password")
    await office.log_in("agent", PASSWORD)
    await office.ask(SECURITY, "POST", "people/agent/lock", WHY)
    status, page = await office.ask("audit_admin", "GET", "audit")
    assert status == 200
    told = [(one["act"], one["result"]) for one in page["records"]]
    assert told[:4] == [("audit.read", "ok"), ("person.lock", "ok"), ("login", "ok"), ("login", "unauthenticated")]
    page = (await office.ask("audit_admin", "GET", "audit?act=login&result=unauthenticated"))[1]
    assert [one["actor"] for one in page["records"]] == ["staff:agent"]
    assert "wrong password" not in str(page)
    assert (await office.ask("audit_admin", "GET", "audit/commands"))[1]["records"] == []
    for wrong in (
        "audit?before=x",
        "audit?since=yesterday",
        "audit/commands?before=-1",
        "audit?since=2026-01-01T00:00:00",
    ):
        assert (await office.ask("audit_admin", "GET", wrong))[0] == 400
    await office.core.chain_audit()
    status, chain = await office.ask("audit_admin", "POST", "audit/chain")
    assert (status, chain["fault"]) == (200, "")
    assert chain["rows"] >= 5
    assert (await office.ask("audit_admin", "GET", "audit/chain"))[1]["links"] >= 1
