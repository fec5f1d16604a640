"""The directory's owner over HTTP: who may read, who may change, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent_ui.directory_api import routes
from agent_ui.staff import Staff, StaffRole
from channels.problem import problems
from hotline.errors import Unauthenticated
from routing.directory_file import CSV_TYPE, XLSX_TYPE, read, write_csv, write_xlsx
from tests.routing.test_directory_office import BASE
from tests.store.test_directories import NEXT_YEAR, TODAY, House, house, propose

Client = TestClient[web.Request, web.Application]
VERSIONS = "/api/v1/directory/versions"


async def known(request: web.Request) -> Staff:
    role = request.headers.get("X-Role")
    if role is None:
        raise Unauthenticated("log in first")
    return Staff(name=f"a-{role}", display_name=role, role=StaffRole(role))


@pytest.fixture
async def home(database: str) -> AsyncIterator[House]:
    async with house(database) as opened:
        yield opened


@pytest.fixture
async def client(home: House) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[problems])
    app.add_routes(routes(home.desk, known=known))
    async with AsyncExitStack() as exits:
        yield await exits.enter_async_context(TestClient(TestServer(app), headers={"X-Role": "supervisor"}))


CHANGED = write_csv(BASE).replace("路灯,,,城管局".encode(), "路灯,,,水务局".encode())


async def put(client: Client, name: str = "v2", data: bytes = CHANGED, **query: str) -> tuple[int, dict[str, object]]:
    query = {"effective_from": str(NEXT_YEAR), "note": "调整", **query}
    answer = await client.put(f"{VERSIONS}/{name}", params=query, data=data)
    return answer.status, await answer.json()


async def test_the_way_of_a_version(client: Client) -> None:
    status, made = await put(client, dry_run="true")
    assert (status, made["dry_run"], len(await (await client.get(VERSIONS)).json())) == (200, True, 1)
    status, made = await put(client)
    assert (status, made["version"], made["effective_from"]) == (201, "v2", "2027-01-01")
    [change] = made["changes"]  # type: ignore[misc]
    assert (change["before"], change["after"]) == ({"lead": "城管局"}, {"lead": "水务局"})
    listed = await (await client.get(VERSIONS)).json()
    assert [(row["version"], row["author"], row["parent"]) for row in listed] == [
        ("v1", "", ""), ("v2", "a-supervisor", "v1")]
    assert len(await (await client.get("/api/v1/directory/diff", params={"old": "v1", "new": "v2"})).json()) == 1
    assert len(await (await client.get("/api/v1/directory/history", params={"l1": "03"})).json()) == 1
    assert (await client.delete(f"{VERSIONS}/v2")).status == 204
    assert (await client.delete(f"{VERSIONS}/v2")).status == 409


@pytest.mark.parametrize(("form", "kind"), [("csv", CSV_TYPE), ("xlsx", XLSX_TYPE)])
async def test_export_and_import_again(client: Client, form: str, kind: str) -> None:
    answer = await client.get(f"{VERSIONS}/current", params={"format": form})
    assert (answer.status, answer.content_type) == (200, kind)
    assert f'filename="directory-v1.{form}"' in answer.headers["Content-Disposition"]
    data = await answer.read()
    assert len(read(data).rules) == 2
    status, problem = await put(client, data=data)
    assert (status, problem["error_id"]) == (400, "no_change")


async def test_a_version_as_json(client: Client) -> None:
    body = await (await client.get(f"{VERSIONS}/v1")).json()
    assert body["rules"][0]["lead"] == "城管局"
    assert {unit["name"] for unit in body["units"]} == {"城管局", "水务局", "南城"}
    assert (await client.get(f"{VERSIONS}/v1", params={"format": "pdf"})).status == 400
    assert (await client.get(f"{VERSIONS}/v7")).status == 404


async def test_proposals_are_adopted(client: Client, home: House) -> None:
    number = await propose(home.pool)
    assert [one["id"] for one in await (await client.get("/api/v1/directory/proposals")).json()] == [number]
    body = {"proposals": [number], "version": "v2", "effective_from": str(TODAY), "scope": "category"}
    answer = await client.post("/api/v1/directory/adoptions", json=body)
    assert (answer.status, len((await answer.json())["changes"])) == (201, 1)
    assert home.directories.in_force().version == "v2"
    for wrong in ({"proposals": []}, {"scope": "town"}, {"effective_from": "soon"}, {"unknown": 1}):
        assert (await client.post("/api/v1/directory/adoptions", json=body | wrong)).status == 400


CHANGING = {StaffRole.SUPERVISOR, StaffRole.SYSTEM_ADMIN}


@pytest.mark.parametrize("role", [role for role in StaffRole if role not in CHANGING])
async def test_who_may_not_change_it_reads_it(client: Client, role: StaffRole) -> None:
    mine = {"X-Role": role.value}
    assert (await client.get(VERSIONS, headers=mine)).status == 200
    for method, path in (("PUT", f"{VERSIONS}/v2"), ("DELETE", f"{VERSIONS}/v1"),
                         ("POST", "/api/v1/directory/adoptions")):
        assert (await client.request(method, path, headers=mine)).status == 403


@pytest.mark.parametrize(("query", "data"), [
    ({"effective_from": "tomorrow"}, CHANGED), ({"effective_from": "2020-01-01"}, CHANGED), ({}, b"no csv"),
    ({}, write_xlsx(BASE)[:400]), ({}, CHANGED.replace("水务局".encode(), "没有局".encode())),
])
async def test_what_is_wrong_with_an_import_is_told(client: Client, query: dict[str, str], data: bytes) -> None:
    status, problem = await put(client, data=data, **query)
    assert status == 400
    assert problem["detail"]
