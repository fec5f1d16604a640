"""Marks for malicious nuisance: reversible, audited, and they name nobody."""

from __future__ import annotations

import io
import zipfile
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent_ui.nuisance_api import routes
from agent_ui.staff import Staff
from channels.problem import problems
from hotline.errors import Forbidden, InvalidInput, NotFound, RuleViolation, Unauthenticated
from hotline.terms import State
from tests.hotline.nuisance_house import LI, PHONE, WANG, house


async def test_a_mark_is_reversible_ends_by_itself_and_is_audited(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home, house(database, tmp_path) as other:
        await home.marked()
        await other.containment.reload()
        assert other.containment.mark_of(PHONE) is not None, "another process knows it too"
        with pytest.raises(RuleViolation, match="already"):
            await home.desk.mark(WANG, PHONE, "再次")
        lifted = await home.desk.lift(WANG, PHONE, "核实为家属13900139000代拨")
        assert (lifted.lifted_by, home.containment.mark_of(PHONE)) == ("wang", None)
        assert (await home.send()).status == State.PENDING_SIGN
        with pytest.raises(NotFound):
            await home.desk.lift(WANG, PHONE, "再次")
        await home.desk.mark(WANG, PHONE, "又开始了", days=1)
        home.now += timedelta(days=1)
        assert home.containment.mark_of(PHONE) is None
        await home.desk.mark(WANG, PHONE, "期满后再犯", days=1)
        acts = await home.pool.fetch("SELECT act, actor, detail FROM nuisance_acts ORDER BY id")
        assert [row["act"] for row in acts] == ["marked", "lifted", "marked", "marked"]
        assert acts[1]["detail"] == "核实为家属139****9000代拨"
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await home.pool.execute("DELETE FROM nuisance_acts")


async def test_one_call_is_no_nuisance_and_only_supervisors_mark(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.send()
        with pytest.raises(RuleViolation, match="no repeated nuisance"):
            await home.desk.mark(WANG, PHONE, "第一次")
        for refused in (
            home.desk.mark(LI, PHONE, "x"), home.desk.lift(LI, PHONE, "x"), home.desk.evidence(LI, PHONE, "x"),
            home.desk.marks(LI),
        ):
            with pytest.raises(Forbidden):
                await refused
        for reason, days in (("", 1), ("x", 0), ("x", 91)):
            with pytest.raises(InvalidInput):
                await home.desk.mark(WANG, PHONE, reason, days=days)


async def test_over_http(database: str, tmp_path: Path) -> None:
    async def known(request: web.Request) -> Staff:
        if "X-Name" not in request.headers:
            raise Unauthenticated("log in first")
        return {"wang": WANG, "li": LI}[request.headers["X-Name"]]

    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(house(database, tmp_path))
        app = web.Application(middlewares=[problems])
        app.add_routes(routes(home.desk, known=known))
        client = await stack.enter_async_context(TestClient(TestServer(app)))
        for _ in range(3):
            await home.send()
        body, wang = {"contact": "13800138000", "reason": "辱骂"}, {"X-Name": "wang"}

        async def status(method: str, path: str, given: object = None, **headers: str) -> int:
            answer = await client.request(method, f"/api/v1/nuisance/{path}", json=given, headers=headers or wang)
            return answer.status

        assert await status("POST", "marks", body, **{"X-Name": "li"}) == 403
        assert await status("GET", "marks", **{"X-Other": "x"}) == 401
        assert [await status("POST", "marks", body | {"days": days}) for days in (0, 91, 7)] == [400, 400, 201]
        assert await status("POST", "marks", body) == 422
        answer = await client.post("/api/v1/nuisance/evidence", json=body, headers=wang)
        assert (answer.status, answer.content_type) == (200, "application/zip")
        assert zipfile.is_zipfile(io.BytesIO(await answer.read()))
        assert [await status("POST", "lifts", body), await status("POST", "lifts", body)] == [200, 404]
        number = (await home.send()).number
        for path, expected in (("marks/1", 200), ("marks/x", 404), ("marks/9", 404), (f"tickets/{number}", 200)):
            assert await status("GET", f"{path}/case") == expected
        assert await status("GET", f"tickets/{number}/case", **{"X-Name": "li"}) == 403
        by_id = [{"id": 1, "reason": "x"}, {"reason": "x"}, body | {"id": 1}, {"id": 0, "reason": "x"}]
        assert [await status("POST", "lifts", given) for given in by_id] == [404, 400, 400, 400]
        marks = await (await client.get("/api/v1/nuisance/marks", headers=wang)).json()
        assert [(mark["contact"], mark["lifted_by"]) for mark in marks] == [("+86138****8000", "wang")]


async def test_a_list_of_marks_names_nobody_and_a_mark_is_lifted_by_its_id(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        for phone in (PHONE, "openid-of-li"):
            for _ in range(3):
                await home.send(phone=phone)
            told = await home.desk.mark(WANG, phone, f"{phone}、13900139000 反复辱骂")
            assert told.contact == {PHONE: "+86138****8000"}.get(phone, "ope*")
        listed = await home.desk.marks(WANG)
        assert [(mark.contact, mark.reason) for mark in listed] == [
            ("ope*", "openid-of-li、139****9000 反复辱骂"), ("+86138****8000", "+86138****8000、139****9000 反复辱骂"),
        ]
        first = listed[1].id
        lifted = await home.desk.lift(WANG, "", "核实为家属代拨", id_=first)
        assert (lifted.id, lifted.contact, home.containment.mark_of(PHONE)) == (first, "+86138****8000", None)
        assert home.containment.mark_of("openid-of-li") is not None, "the other one stays"
        case, _ = await home.desk.evidence(WANG, PHONE, "移送公安")
        assert [act.act for act in case.acts] == ["marked", "lifted"], "kept under the contact"
        with pytest.raises(NotFound):
            await home.desk.lift(WANG, "", "再次", id_=first)
        for contact, id_ in (("", None), (PHONE, first)):
            with pytest.raises(InvalidInput):
                await home.desk.lift(WANG, contact, "x", id_=id_)
