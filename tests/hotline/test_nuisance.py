"""Malicious nuisance: contained and never lost, danger passes, marks are reversible, evidence is whole."""

from __future__ import annotations

import asyncio
import io
import itertools
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import asyncpg
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from agent_ui.nuisance_api import routes
from agent_ui.staff import Staff, StaffRole
from channels.message import Inbound, Receipt
from channels.problem import problems
from hotline import commands as c
from hotline.appeal import UNTRIAGED, Appeal, Attachment, Category, Citizen, Evidence, Triage
from hotline.containment import Containment, NuisanceDesk, as_contact
from hotline.core import new_code
from hotline.errors import Forbidden, InvalidInput, NotFound, RateLimited, RuleViolation, Unauthenticated
from hotline.events import SYSTEM, Receive, TicketEvent
from hotline.evidence import bundle
from hotline.ids import TicketNumber
from hotline.intake import Intake
from hotline.nuisance import Outcome, Rates, Recent, contained, judge, sender_of
from hotline.store.database import open_pool
from hotline.store.nuisance import NuisanceStore
from hotline.store.recordings import RecordingStore
from hotline.store.sealing import blind
from hotline.store.tickets import TicketStore
from hotline.store.uploads import Uploads
from hotline.terms import Channel, Priority, Service, State, Verdict
from tests.cities import NOW, RULES, STREET_LIGHT

WANG = Staff(name="wang", display_name="王芳", role=StaffRole.SUPERVISOR)
LI = Staff(name="li", display_name="李敏", role=StaffRole.AGENT)
PHONE = "+8613800138000"
OTHER = "+8613900139000"
FIRE = msgspec.structs.replace(
    STREET_LIGHT, verdict=Verdict.EMERGENCY, services=(Service.FIRE,),
    evidence=(Evidence(rule="fire", text="着火"),),
)
_keys = itertools.count()


def triaged(texts: Sequence[str]) -> list[Triage]:
    return [FIRE if "着火" in text else STREET_LIGHT for text in texts]


# ── the rule ─────────────────────────────────────────────────────────────────────────────────────
@given(
    st.sampled_from(Verdict), st.integers(0, 30), st.sampled_from(["", "DG1"]),
    st.none() | st.sampled_from([Outcome.CONTAINED, Outcome.FOLDED, Outcome.REFUSED]),
)
def test_danger_passes_and_a_repeat_gets_what_it_got(
    verdict: Verdict, messages: int, number: str, before: Outcome | None
) -> None:
    triage = msgspec.structs.replace(STREET_LIGHT, verdict=verdict)
    outcome = judge(triage, Recent(messages=messages, number=number, before=before), Rates())
    if verdict is not Verdict.NON_EMERGENCY:
        assert outcome is Outcome.PASSED
    elif before is not None:
        assert outcome is before
    else:
        expected = Outcome.CONTAINED if messages < 2 or (messages < 10 and not number) else Outcome.FOLDED
        assert outcome is (Outcome.REFUSED if messages >= 10 else expected)


def test_what_triage_could_not_judge_passes() -> None:
    assert judge(UNTRIAGED, Recent(messages=99), Rates()) is Outcome.PASSED


def test_a_contained_message_waits_for_a_person_at_the_end_of_the_line() -> None:
    held = contained(msgspec.structs.replace(STREET_LIGHT, priority=Priority.P2))
    assert (held.priority, held.needs_person, held.evidence[-1].rule) == (Priority.P3, True, "nuisance")


@pytest.mark.parametrize(("channel", "told", "learnt", "sender"), [
    (Channel.CALL, Citizen(phone=OTHER, key=PHONE), Citizen(), PHONE),
    (Channel.CALL, Citizen(phone=PHONE, key=PHONE), Citizen(phone=OTHER), PHONE),
    (Channel.CALL, Citizen(phone=OTHER), Citizen(), OTHER),
    (Channel.WECHAT, Citizen(key="openid-of-li"), Citizen(phone=OTHER), "openid-of-li"),
    (Channel.WEB, Citizen(phone=PHONE, key=PHONE), Citizen(phone=OTHER), OTHER),
    (Channel.WEB, Citizen(key="chat:5f"), Citizen(phone=PHONE), PHONE),
    (Channel.PORTAL, Citizen(phone=PHONE, key="portal:7"), Citizen(), PHONE),
    (Channel.CALL, Citizen(), Citizen(), ""),
])
def test_who_gives_the_number_of_somebody_else_gets_nobody_marked(
    channel: Channel, told: Citizen, learnt: Citizen, sender: str
) -> None:
    receipt = Receive(
        number=TicketNumber("DG1"), channel=channel, appeal=Appeal(text="骂人", citizen=told), triage=STREET_LIGHT
    )
    assert sender_of([
        TicketEvent(version=n, at=NOW, actor=SYSTEM, state=State.RECEIVED, fact=fact)
        for n, fact in enumerate((receipt, c.Correct(citizen=learnt)), 1)
    ]) == sender


@pytest.mark.parametrize(("given", "kept"), [
    ("138-0013-8000", PHONE), ("0769-22223333", "+8676922223333"), ("openid-of-li", "openid-of-li"),
])
def test_contacts_are_known_whatever_their_form(given: str, kept: str) -> None:
    assert as_contact(given) == kept


# ── a house ──────────────────────────────────────────────────────────────────────────────────────
class House:
    def __init__(self, pool: asyncpg.Pool, home: Path) -> None:
        self.now, self.pool = NOW, pool
        self.rows = NuisanceStore(pool)
        self.files = Uploads(pool, files=home)
        self.tapes = RecordingStore(pool, files=home / "recordings", days=730)
        self.containment = Containment(self.rows, clock=lambda: self.now)
        self.desk = NuisanceDesk(
            self.rows, self.containment, clock=lambda: self.now,
            bundle=partial(bundle, path_of=self.files.path_of, tape_of=self.tapes.path_of),
        )
        self.store = TicketStore(pool, prefix="DG")
        self.intake = Intake(
            store=self.store, triage=triaged, rules=lambda: RULES, clock=lambda: self.now, new_code=new_code,
            containment=self.containment,
        )

    async def send(
        self, text: str = "路灯不亮", *, phone: str = PHONE, key: str = "", name: str = "",
        files: tuple[Attachment, ...] = (), category: Category | None = None,
    ) -> Receipt:
        self.now += timedelta(seconds=1)
        appeal = Appeal(text=text, citizen=Citizen(phone=phone, key=phone, name=name), attachments=files)
        return await self.intake.submit(Inbound(
            channel=Channel.APP, external_id=key or f"k{next(_keys)}", appeal=appeal, received_at=self.now,
            category=category,
        ))

    async def call(self, *, phone: str = PHONE, answered: bool = True, direction: str = "in") -> str:
        """Let somebody call; an agent takes it and writes no ticket."""
        self.now += timedelta(minutes=1)
        id_ = f"call-{next(_keys)}"
        await self.pool.execute(
            "INSERT INTO calls (id, direction, caller, started_at, answered_at, ended_at) "
            "VALUES ($1, $2, $3, $4, $5, $4)",
            id_, direction, blind(phone), self.now, self.now if answered else None,
        )
        return id_

    async def marked(self) -> None:
        for n in range(3):
            await self.send(f"骂人{n}")
        await self.desk.mark(WANG, "13800138000", "一天来电辱骂多次")

    async def tickets(self) -> int:
        return int(await self.pool.fetchval("SELECT count(*) FROM tickets"))


@asynccontextmanager
async def house(dsn: str, home: Path) -> AsyncIterator[House]:
    async with await open_pool(dsn, size=4) as pool:
        opened = House(pool, home)
        async with opened.intake:
            yield opened


async def test_contained_then_joined_then_refused_and_nothing_is_lost(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        assert (await home.send()).status == State.PENDING_SIGN, "nobody is contained without a mark"
        await home.marked()
        before = await home.tickets()
        receipts = [await home.send(f"又来了{n}") for n in range(10)]
        assert {receipt.status for receipt in receipts[:2]} == {State.RECEIVED}, "not dispatched by itself"
        assert await home.tickets() == before + 2
        assert {receipt.number for receipt in receipts[2:]} == {receipts[1].number}, "the rest joined the last one"
        with pytest.raises(RateLimited) as caught:
            await home.send("第十一条")
        assert "110" in caught.value.detail
        kept = await home.pool.fetch("SELECT text, outcome FROM nuisance_contacts ORDER BY id")
        assert [row["outcome"] for row in kept] == ["contained"] * 2 + ["folded"] * 8 + ["refused"]
        assert kept[-1]["text"] == "第十一条"
        ticket = (await home.store.read(receipts[0].number)).ticket
        assert (ticket.priority, ticket.triage.needs_person) == (Priority.P3, True)
        home.now += timedelta(hours=1, seconds=1)
        assert (await home.send("一小时后")).status == State.RECEIVED


async def test_the_category_that_a_marked_contact_chooses_sends_nothing_on(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        lamp = Category(l1="03", l2="路灯")
        assert (await home.send(category=lamp)).status == State.PENDING_SIGN, "what others choose from the list does"
        await home.marked()
        receipt = await home.send(category=lamp)
        ticket = (await home.store.read(receipt.number)).ticket
        assert (receipt.status, ticket.triage.needs_person, ticket.priority) == (State.RECEIVED, True, Priority.P3)


async def test_an_emergency_passes_however_often_somebody_called(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        for n in range(12):
            try:
                await home.send(f"骂人{n}")
            except RateLimited:
                assert n >= 10
        receipt = await home.send("我家着火了,快来人")
        assert (receipt.status, receipt.verdict) == (State.HANDED_OFF, Verdict.EMERGENCY)
        assert await home.pool.fetchval("SELECT count(*) FROM incidents") == 1


async def test_others_are_not_touched(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        both = await asyncio.gather(home.send(phone=OTHER), home.send(), home.send(phone=""))
        assert [receipt.status for receipt in both] == [State.PENDING_SIGN, State.RECEIVED, State.PENDING_SIGN]


async def test_a_repeated_delivery_gets_the_first_answer_and_counts_once(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        first = await home.send("又来了", key="same")
        again = [await home.send("又来了", key="same") for _ in range(15)]
        assert {receipt.number for receipt in again} == {first.number}
        assert all(receipt.repeat for receipt in again)
        assert await home.pool.fetchval("SELECT count(*) FROM nuisance_contacts") == 1


async def test_if_the_evidence_cannot_be_kept_the_message_passes(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        await home.pool.execute("ALTER TABLE nuisance_contacts RENAME TO gone")
        assert (await home.send()).status == State.PENDING_SIGN


# ── marking ──────────────────────────────────────────────────────────────────────────────────────
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
