"""Who may use what, asked of the house as it is wired: every route × every role, and the administrators apart."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import get_args

import aiohttp
import pytest
from aiohttp import web

from agent_ui import protocol as p
from agent_ui import requests
from agent_ui.access import REQUESTS, Door, check_request
from agent_ui.accounts import Accounts
from agent_ui.requests import Request
from agent_ui.routes import ROUTES, access_of
from agent_ui.staff import Staff, StaffRole
from hotline import roles
from hotline import web as house
from hotline.errors import Forbidden
from hotline.store.accounts import AccountStore
from hotline.web import SECURE_HEADERS
from tests.agent_ui.stack import PASSWORD, fast_passwords
from tests.test_wiring import FORGED, applications, core, routes_of

__all__ = ["applications"]
ADMINISTRATORS = [StaffRole.SYSTEM_ADMIN, StaffRole.SECURITY_ADMIN, StaffRole.AUDIT_ADMIN]
PEOPLE = [
    Staff(name=f"a-{role}", display_name=role, role=role, department="城管局" if role is StaffRole.DEPARTMENT else "")
    for role in StaffRole
]


def plain(path: str) -> str:
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)


@pytest.fixture
async def served(
    database: str, tmp_path: Path, applications: list[web.Application]
) -> AsyncIterator[tuple[str, set[tuple[str, str]], dict[StaffRole, str]]]:
    """The house with everything on: its address, its real routes, and a token of every role."""
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(core(database, tmp_path))
        await stack.enter_async_context(roles.intake_role(opened))
        accounts = Accounts(store=AccountStore(opened.pool), passwords=fast_passwords(), clock=opened.clock)
        tokens = {}
        for person in PEOPLE:
            await accounts.add_staff(person, PASSWORD)
            await opened.pool.execute("UPDATE staff SET totp_since = now() WHERE name = $1", person.name)
            tokens[person.role] = (await accounts.vouched(person.name)).token
        [app] = applications
        yield f"http://127.0.0.1:{opened.settings.http_port}", routes_of(app), tokens


async def test_every_route_says_who_may_use_it(served: tuple[str, set[tuple[str, str]], object]) -> None:
    _, routes, _ = served
    named = {f"{method} {path}" for method, path in routes}
    assert named - set(ROUTES) == set(), "say in agent_ui/routes.py who may use them"
    assert set(ROUTES) - named == set(), "in agent_ui/routes.py, but not there"


async def test_every_route_holds_every_role_to_it(
    served: tuple[str, set[tuple[str, str]], dict[StaffRole, str]],
) -> None:
    base, routes, tokens = served
    wrong = []
    # These end what the others need, or never end.
    left_out = {
        "POST /api/v1/logout",
        "DELETE /api/v1/account/sessions",
        "GET /api/v1/board/stream",
        "GET /api/v1/ioc/stream",
        "GET /chat",
        "GET /api/v1/sso/start",
        "GET /api/v1/sso/callback",
    }
    async with aiohttp.ClientSession() as session:
        for method, path in sorted(routes):
            access = ROUTES[f"{method} {path}"]
            if f"{method} {path}" in left_out or access.door in (Door.PUBLIC, Door.CREDENTIAL):
                continue
            url = base + re.sub(r"\{\w+\}", "x", path)
            for role, token in tokens.items():
                headers = {"Authorization": f"Bearer {token}"}
                async with session.request(method, url, headers=headers) as answer:
                    body = await answer.text()
                    refused = answer.status == 403 and f"the role {role} may not {method}" in body
                    if refused == (role in access.roles):
                        wrong.append(f"{role} {method} {path}: {answer.status} {body[:120]}")
                    if answer.status >= 500:
                        wrong.append(f"{role} {method} {path}: {answer.status}")
    assert wrong == []


async def test_every_answer_bears_the_security_headers(
    served: tuple[str, set[tuple[str, str]], dict[StaffRole, str]],
) -> None:
    base, routes, _ = served
    async with aiohttp.ClientSession() as session:
        for method, path in sorted(routes | {("GET", "/nowhere"), ("PATCH", "/")}):
            if path.endswith("/stream") or path == "/chat":
                continue
            url = base + re.sub(r"\{\w+\}", "x", path)
            given = {"params": FORGED, "data": b"<xml></xml>", "allow_redirects": False}
            async with session.request(method, url, **given) as answer:
                missing = [name for name, _ in SECURE_HEADERS if name not in answer.headers]
                assert missing == [], f"{method} {path}"
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe-eval" not in policy
                scripts = [part for part in policy.split(";") if part.strip().startswith("script-src")]
                assert "unsafe-inline" not in "".join(scripts)


def test_what_is_not_said_is_refused() -> None:
    with pytest.raises(Forbidden):
        access_of("GET", "/api/v1/new")


# ── the administrators apart ─────────────────────────────────────────────────────────────────────
def test_no_administrator_can_do_anothers_work() -> None:
    """What changes something is one administrator's alone; two may read the same."""
    for name, access in ROUTES.items():
        if access.door is Door.STAFF and not name.startswith("GET "):
            assert len(access.roles & {*ADMINISTRATORS}) <= 1, name


def test_no_administrator_sees_tickets_or_works_on_them() -> None:
    work = (
        "/tickets",
        "/console-ticket",
        "/calls",
        "/nuisance",
        "/knowledge",
        "/figures",
        "/board",
        "/hot-spots",
        "/staff/attachments",
    )
    told = {"GET /api/v1/figures/exclusions"}  # corrections of figures are read by the audit administrator
    for name, access in ROUTES.items():
        if access.door is Door.STAFF and any(f"/api/v1{part}" in name for part in work) and name not in told:
            assert not access.roles & {*ADMINISTRATORS}, name
    assert all(not allowed & {*ADMINISTRATORS} for allowed in REQUESTS.values())


def test_only_administrators_administer() -> None:
    for name, access in ROUTES.items():
        if "/people" in name or "/audit" in name:
            assert access.roles <= {*ADMINISTRATORS}, name


# ── the console ──────────────────────────────────────────────────────────────────────────────────
def test_every_console_request_says_who_may_ask() -> None:
    connection = {p.Hello, p.Follow, p.Unfollow, p.Ping}
    assert set(REQUESTS) == set(get_args(Request))
    assert set(REQUESTS) | connection == set(get_args(p.ConsoleFrame))
    assert requests.check_request is check_request


@pytest.mark.parametrize("kind", get_args(Request), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.role)
def test_console_requests_by_role(person: Staff, kind: type[p.Ask]) -> None:
    if person.role in REQUESTS[kind]:
        check_request(person, kind)
    else:
        with pytest.raises(Forbidden):
            check_request(person, kind)


@pytest.mark.parametrize(("route", "kind"), [
    ("POST /api/v1/calls/appeals", p.PhoneAppeal), ("GET /api/v1/hot-spots", p.ListHotSpots),
    ("GET /api/v1/terms", p.ReadTerms), ("GET /api/v1/knowledge/articles/{id}", p.ReadArticle),
    ("POST /api/v1/knowledge/suggestions", p.Consult),
])
def test_what_can_be_asked_in_two_ways_is_for_the_same_people(route: str, kind: type[p.Ask]) -> None:
    assert ROUTES[route].roles == REQUESTS[kind]


def test_the_gate_stands_in_the_application() -> None:
    assert "gate" in house.application.__kwdefaults__
