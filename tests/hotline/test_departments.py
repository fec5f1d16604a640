"""The departments' side over a real database: asking, opinions, files, replies, returns; merged tickets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from channels.message import Inbound, Receipt
from hotline import commands as c
from hotline.appeal import Appeal, Attachment, Category, Citizen, Triage
from hotline.deadlines import working_minutes_between
from hotline.errors import Forbidden, IllegalTransition, InvalidInput, KeyReused, NotFound, RuleViolation
from hotline.events import Actor, Role
from hotline.families import Families
from hotline.intake import Intake
from hotline.ports import Once
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.proposals import ProposalStore
from hotline.store.relatives import RelativesStore, link_all
from hotline.store.sealing import open_document
from hotline.store.tickets import TicketStore
from hotline.store.uploads import Uploads
from hotline.terms import Channel, Kind, Rating, State
from hotline.ticket import EXTENSION_ASKED
from tests.cities import NOW, POLICY, RULES
from tests.hotline.test_intake import inbound, triage

AGENT, SUPERVISOR = Actor(Role.AGENT, "li"), Actor(Role.SUPERVISOR, "wang")
LEAD, HELP = Actor(Role.DEPARTMENT, "城管局"), Actor(Role.DEPARTMENT, "水务局")


class House:
    """A service over a database, with a clock that can be moved."""

    def __init__(self, pool: asyncpg.Pool, files: Path) -> None:
        self.pool, self.moment = pool, NOW
        self.store, self.files = TicketStore(pool, prefix="DG"), Uploads(pool, files=files)
        self.intake = Intake(
            store=self.store, triage=triage, rules=lambda: RULES, clock=self.now, new_code=lambda: "123456"
        )
        self.service = Service(
            store=self.store, intake=self.intake, rules=lambda: RULES, clock=self.now, files=self.files
        )

    def now(self) -> datetime:
        return self.moment

    async def appeal(
        self, text: str = "体育路路灯不亮", *, channel: Channel = Channel.WECHAT, **citizen: Any
    ) -> Receipt:
        who = Citizen(**citizen) if citizen else Citizen()
        return await self.intake.submit(inbound(text, channel=channel, appeal=Appeal(text=text, citizen=who)))

    async def act(self, number: str, *steps: tuple[Actor, c.Command]) -> Any:
        for actor, command in steps:
            found = await self.service.act(number, command, actor=actor)
        return found

    async def id_of(self, number: str) -> Any:
        return (await self.store.read(number)).id

    async def messages(self) -> list[dict[str, Any]]:
        found = await self.pool.fetch("SELECT key, message FROM outbox ORDER BY created_at, key")
        return [msgspec.json.decode(open_document(text, context=f"message {key}")) for key, text in found]


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with await open_pool(database) as pool:
        found = House(pool, tmp_path)
        async with found.intake:
            yield found


# ── asking the citizen ───────────────────────────────────────────────────────────────────────────
async def test_a_department_asks_and_the_pause_is_credited_in_working_time(house: House) -> None:
    receipt = await house.appeal(key="openid-1")
    before = await house.act(receipt.number, (LEAD, c.Sign()), (LEAD, c.AskInfo(question="哪一盏?")))
    assert (before.state, before.clocks.paused_at) == (State.NEED_INFO, NOW)
    assert any("哪一盏?" in message["text"] for message in await house.messages())
    house.moment = NOW + timedelta(days=3)  # over a weekend
    await house.service.supplement(receipt.number, receipt.code, "东边第二盏", (), "k1")
    after = (await house.store.read(receipt.number)).ticket
    assert (after.state, after.lead, after.clocks.paused_at) == (State.HANDLING, "城管局", None)
    paused = working_minutes_between(NOW, house.moment, POLICY.calendar)
    for name in ("completion_due", "contact_due", "ceiling_due"):
        due, was = getattr(after.clocks, name), getattr(before.clocks, name)
        assert working_minutes_between(was, due, POLICY.calendar) == paused, name
    types = [event.type for event in await house.store.history(await house.id_of(receipt.number))]
    assert types[-2:] == ["ask_info", "resume"]


async def test_the_answer_leads_back_to_who_asked(house: House) -> None:
    mine, theirs = await house.appeal("咨询社保"), await house.appeal()
    await house.act(mine.number, (AGENT, c.AskInfo(question="?")))
    with pytest.raises(RuleViolation, match="supply_info"):
        await house.act(mine.number, (AGENT, c.Resume(text="x")))
    await house.act(theirs.number, (LEAD, c.Sign()), (LEAD, c.AskInfo(question="?")))
    with pytest.raises(RuleViolation, match="resume"):
        await house.act(theirs.number, (AGENT, c.SupplyInfo(text="x")))
    assert (await house.act(theirs.number, (LEAD, c.Resume()))).state is State.HANDLING
    with pytest.raises(RuleViolation, match="what the citizen is to add"):
        await house.act(theirs.number, (LEAD, c.AskInfo(question=" ")))


# ── opinions, files, replies ─────────────────────────────────────────────────────────────────────
async def test_opinions_are_kept_by_unit_until_the_next_dispatch(house: House) -> None:
    receipt = await house.appeal("体育路没有水")
    lead, helper = HELP, LEAD  # 供水: 水务局 leads, 城管局 assists
    await house.act(receipt.number, (AGENT, c.Accept()), (AGENT, c.Dispatch(lead="水务局", assisting=("城管局",))))
    after = await house.act(
        receipt.number, (helper, c.GiveOpinion(text="先断电")), (helper, c.GiveOpinion(text="已断电")),
    )
    assert [(one.unit, one.text) for one in after.opinions] == [("城管局", "已断电")]
    beyond = [(lead, c.GiveOpinion(text="x")), (helper, c.Sign()), (helper, c.Reply(internal="", public=""))]
    for actor, command in beyond:
        with pytest.raises(Forbidden):
            await house.act(receipt.number, (actor, command))
    with pytest.raises(RuleViolation, match="needs a text"):
        await house.act(receipt.number, (helper, c.GiveOpinion(text=" ")))


async def test_only_what_was_uploaded_can_be_attached(house: House) -> None:
    receipt = await house.appeal()
    kept = Attachment(key="a" * 64, name="现场.png", media_type="image/png", size=3)
    await house.files.keep_attachment(kept, b"png", NOW)
    claimed = msgspec.structs.replace(kept, name="../../evil.html", media_type="text/html")
    await house.act(receipt.number, (LEAD, c.Attach(attachments=(claimed,))))
    [event] = [e for e in await house.store.history(await house.id_of(receipt.number)) if e.type == "attach"]
    assert event.fact.attachments == (kept,)  # type: ignore[union-attr]
    with pytest.raises(NotFound, match="upload it first"):
        await house.act(receipt.number, (LEAD, c.Attach(attachments=(Attachment("b" * 64, "x", "image/png", 1),))))
    with pytest.raises(RuleViolation, match="at least one file"):
        await house.act(receipt.number, (LEAD, c.Attach(attachments=())))
    blind = Service(store=house.store, intake=house.intake, rules=lambda: RULES, clock=house.now)
    with pytest.raises(InvalidInput):
        await blind.act(receipt.number, c.Attach(attachments=(kept,)), actor=LEAD)


async def test_a_public_reply_with_personal_data_is_refused_and_what_looks_like_it_flagged(house: House) -> None:
    receipt = await house.appeal(name="王小明", phone="+8613812345678")
    await house.act(receipt.number, (LEAD, c.Sign()))
    with pytest.raises(RuleViolation, match="诉求人姓名王") as caught:
        await house.act(receipt.number, (LEAD, c.Reply(internal="x", public="王小明您好,13812345678")))
    assert caught.value.error_id == "personal_data"
    assert "13812345678" not in caught.value.detail
    forged = c.Reply(internal="王小明 13812345678", public="粤S12345已拖离", flags=())
    after = await house.act(receipt.number, (LEAD, forged))
    assert after.reply_flags == ("车牌粤S1…45",)
    assert (await house.act(receipt.number, (AGENT, c.RejectReply(reason="去掉车牌")),
                            (LEAD, c.Reply(internal="x", public="车辆已拖离")))).reply_flags == ()


async def test_an_extension_that_was_asked_for_stands_before_the_supervisor(house: House) -> None:
    receipt = await house.appeal()
    ask = c.RequestExtension(days=2, reason="需开挖")
    assert (await house.act(receipt.number, (LEAD, c.Sign()), (LEAD, ask))).alarms == {EXTENSION_ASKED}
    assert not (await house.act(receipt.number, (SUPERVISOR, c.RefuseExtension(reason="不必")))).alarms


# ── returns ──────────────────────────────────────────────────────────────────────────────────────
RETURN = c.RequestReturn(legal_basis="排水条例第五条", suggested="水务局")


async def test_the_whole_way_of_returns_ends_in_a_ruling_and_teaches_the_directory(house: House) -> None:
    receipt = await house.appeal()
    await house.act(receipt.number, (LEAD, RETURN), (AGENT, c.ApproveReturn()))
    [one] = await ProposalStore(house.pool).proposals()
    assert (one.l1, one.l2, one.kind, one.from_unit, one.to_unit) == ("03", "路灯", Kind.COMPLAINT, "城管局", "水务局")
    assert (one.count, one.returned, one.ruled, one.examples) == (1, 1, 0, (receipt.number,))
    await house.act(receipt.number, (AGENT, c.Dispatch(lead="水务局")))
    back = c.RequestReturn(legal_basis="城管条例", suggested="城管局")
    await house.act(receipt.number, (HELP, back))
    with pytest.raises(RuleViolation, match="arbitration"):
        await house.act(receipt.number, (AGENT, c.ApproveReturn()))
    with pytest.raises(Forbidden):
        await house.act(receipt.number, (AGENT, c.Arbitrate()), (AGENT, c.Rule(lead="城管局")))
    ruled = await house.act(receipt.number, (SUPERVISOR, c.Rule(lead="城管局", reason="目录第3条")))
    assert (ruled.state, ruled.lead, ruled.return_locked) == (State.PENDING_SIGN, "城管局", True)
    with pytest.raises(RuleViolation, match="no further return"):
        await house.act(receipt.number, (LEAD, RETURN))
    assert {(p.from_unit, p.to_unit, p.ruled) for p in await ProposalStore(house.pool).proposals()} == {
        ("城管局", "水务局", 0), ("水务局", "城管局", 1),
    }


async def test_examples_gather_in_one_proposal_until_it_is_settled(house: House) -> None:
    numbers = [(await house.appeal()).number for _ in range(3)]
    for number in numbers[:2]:
        await house.act(number, (LEAD, RETURN), (AGENT, c.ApproveReturn()))
    book = ProposalStore(house.pool)
    [one] = await book.proposals()
    assert (one.count, set(one.examples), one.legal_basis) == (2, set(numbers[:2]), "排水条例第五条")
    await book.dismiss(one.id, by="owner", note="城管局职责不变", now=NOW)
    for id_ in (one.id, 10**9):
        with pytest.raises(NotFound):
            await book.dismiss(id_, by="owner", note="", now=NOW)
    await house.act(numbers[2], (LEAD, RETURN), (AGENT, c.ApproveReturn()))
    [fresh], settled = await book.proposals(), await book.proposal(one.id)
    assert (fresh.count, settled.count, settled.decided_by, settled.note) == (1, 2, "owner", "城管局职责不变")


async def test_a_return_outside_its_window_is_refused(house: House) -> None:
    receipt = await house.appeal()
    house.moment = NOW + timedelta(days=4)
    with pytest.raises(RuleViolation, match="window"):
        await house.act(receipt.number, (LEAD, RETURN))


# ── merged tickets ───────────────────────────────────────────────────────────────────────────────
@asynccontextmanager
async def family(house: House, children: int = 2) -> AsyncIterator[tuple[Receipt, list[Receipt]]]:
    parent = await house.appeal(key="openid-p", name="张三丰")
    kids = [await house.appeal(key=f"openid-{n}") for n in range(children)]
    for kid in kids:
        await house.act(kid.number, (AGENT, c.Merge(parent=await house.id_of(parent.number))))
    yield parent, kids


async def test_every_citizen_of_a_family_is_told_once_of_each_step(house: House) -> None:
    async with family(house) as (parent, kids):
        await house.act(
            parent.number, (LEAD, c.Sign()), (LEAD, c.Reply(internal="x", public="已修好")), (AGENT, c.AcceptReply()),
        )
        told = await house.messages()
        for kid, to in zip(kids, ("openid-0", "openid-1"), strict=True):
            texts = [message["text"] for message in told if message["to"] == to]
            steps = ("合并办理,进展", "已签收", "办理结果:已修好")
            assert sorted(step for text in texts for step in steps if step in text) == sorted(steps)
            assert all(kid.number in text for text in texts)
            assert all(message["number"] == kid.number for message in told if message["to"] == to)
        assert len({message["key"] for message in told}) == len(told)


async def test_the_progress_of_a_merged_ticket_is_that_of_the_matter(house: House) -> None:
    async with family(house, 1) as (parent, [kid]):
        await house.act(
            parent.number, (LEAD, c.Sign()), (AGENT, c.AddMessage(text="张三丰您好", inbound=False)),
            (LEAD, c.Reply(internal="x", public="已修好")), (AGENT, c.AcceptReply()),
        )
        progress = await house.service.progress(kid.number, kid.code)
        assert (progress.number, progress.status, progress.department) == (kid.number, State.MERGED, "城管局")
        assert progress.public_reply == "已修好"
        titles = [step.title for step in progress.steps]
        assert {"已收到", "已并单", "已派单", "已签收", "已办理", "办理结果已审核"} <= set(titles)
        assert "工作人员回复" not in titles
        await house.service.rate(kid.number, kid.code, Rating.SATISFIED, True, "")
        rated = (await house.store.read(kid.number)).ticket
        assert (rated.rating, rated.state) == (Rating.SATISFIED, State.MERGED)


async def test_what_a_merged_citizen_adds_comes_to_the_matter_and_no_code_leaks(house: House) -> None:
    async with family(house, 1) as (parent, [kid]):
        receipt = await house.service.supplement(kid.number, kid.code, "还有一盏", (), "k")
        assert (receipt.number, receipt.code) == (kid.number, kid.code)
        event = (await house.store.history(await house.id_of(parent.number)))[-1]
        assert event.fact.text == f"[并单{kid.number}] 还有一盏"  # type: ignore[union-attr]


async def test_what_a_merged_citizen_says_does_not_answer_a_question_to_another(house: House) -> None:
    async with family(house, 1) as (parent, [kid]):
        await house.act(parent.number, (LEAD, c.Sign()), (LEAD, c.AskInfo(question="您家几楼?")))
        await house.service.supplement(kid.number, kid.code, "快一点", (), "k")
        assert (await house.store.read(parent.number)).ticket.state is State.NEED_INFO


async def test_a_merged_citizens_conversation_goes_on_in_the_matter(house: House) -> None:
    """Neither another ticket comes of it, nor does anybody learn the parent's code."""
    def said(text: str) -> Inbound:
        return inbound(text, channel=Channel.WECHAT, conversation="openid-9", received_at=house.moment,
                       appeal=Appeal(text=text, citizen=Citizen(key="openid-9")))

    parent, kid = await house.appeal(key="openid-p"), await house.intake.submit(said("体育路路灯不亮"))
    await house.pool.execute("UPDATE tickets SET code = '999999' WHERE number = $1", parent.number)
    await house.act(kid.number, (AGENT, c.Merge(parent=await house.id_of(parent.number))))
    for text in ("还没修好", "快一点"):
        more = await house.intake.submit(said(text))
        assert (more.number, more.code, more.continued) == (kid.number, kid.code, True)
    facts = [event.fact for event in await house.store.history(await house.id_of(parent.number))][-2:]
    assert [fact.text for fact in facts] == [f"[并单{kid.number}] 还没修好", f"[并单{kid.number}] 快一点"]  # type: ignore[union-attr]
    await house.act(kid.number, (AGENT, c.Unmerge()))
    assert (await house.intake.submit(said("是另一盏"))).number == kid.number
    assert (await house.store.history(await house.id_of(kid.number)))[-1].type == "add_message"
    await house.act(kid.number, (AGENT, c.Merge(parent=await house.id_of(parent.number))))
    await house.act(parent.number, (AGENT, c.Withdraw()))
    assert (await house.intake.submit(said("又坏了"))).number != kid.number


async def test_a_merged_ticket_can_be_withdrawn_and_leaves_its_parent(house: House) -> None:
    async with family(house) as (parent, [kid, other]):
        for _ in range(2):
            await house.service.withdraw(kid.number, kid.code, "已自行解决")
        assert (await house.store.read(kid.number)).ticket.state is State.WITHDRAWN
        assert (await house.store.read(parent.number)).ticket.children == (other.number,)


@pytest.mark.parametrize("end", [c.Withdraw(), c.Reject(reason=c.RejectReason.NO_REPLY)], ids=c.tag_of)
async def test_children_of_a_parent_that_ends_unanswered_are_heard_alone(house: House, end: c.Command) -> None:
    async with family(house) as (parent, kids):
        if isinstance(end, c.Reject):
            await house.act(parent.number, (LEAD, c.Sign()), (LEAD, c.AskInfo(question="?")))
        await house.act(parent.number, (AGENT, end))
        queued = await house.pool.fetchval("SELECT payload FROM pgqueuer WHERE entrypoint = 'free_children'")
        await house.pool.execute("DELETE FROM pgqueuer WHERE entrypoint = 'free_children'")
        await RelativesStore(house.pool).restore_jobs()  # a job that was lost altogether comes again
        assert await house.pool.fetchval("SELECT payload FROM pgqueuer WHERE entrypoint = 'free_children'") == queued
        job = Families(children=RelativesStore(house.pool), service=house.service)
        for _ in range(2):  # a job may run twice
            await job.free(queued.decode())
        for kid in kids:
            found = (await house.store.read(kid.number)).ticket
            assert (found.state, found.parent) == (State.RECEIVED, None)
        assert (await house.store.read(parent.number)).ticket.children == ()


async def test_unmerging_is_told_and_a_ticket_without_parent_cannot_be(house: House) -> None:
    async with family(house, 1) as (parent, [kid]):
        freed = await house.act(kid.number, (AGENT, c.Unmerge(reason="不是一件事")))
        assert freed.state is State.RECEIVED
        assert any("恢复单独办理" in one["text"] for one in await house.messages() if one["to"] == "openid-0")
        with pytest.raises(IllegalTransition, match="not merged"):
            await house.act(kid.number, (AGENT, c.Unmerge()))
        with pytest.raises(NotFound):
            await house.act(kid.number, (AGENT, c.Merge(parent=10**9)))  # type: ignore[arg-type]
        with pytest.raises(Forbidden):
            await house.act(kid.number, (LEAD, c.Merge(parent=await house.id_of(parent.number))))
        assert (await house.store.read(parent.number)).ticket.children == ()


# ── repeats of one citizen ───────────────────────────────────────────────────────────────────────
async def test_repeats_of_a_citizen_are_linked_and_a_department_sees_its_own_only(house: House) -> None:
    first, other = await house.appeal(phone="+8613800138000"), await house.appeal(phone="+8613800138001")
    house.moment += timedelta(hours=1)
    second, third = await house.appeal(phone="+8613800138000"), await house.appeal("咨询社保", phone="+8613800138000")
    await link_all(house.pool)
    await link_all(house.pool)  # nothing is linked twice
    relatives = RelativesStore(house.pool)

    async def related(number: str, department: str = "") -> list[str]:
        rows = (await relatives(await house.id_of(number), department=department)).related
        return sorted(msgspec.json.decode(row)["number"] for row in rows)

    assert await related(second.number) == sorted([first.number, third.number])
    assert await related(second.number, "城管局") == [first.number]
    assert await related(other.number) == []
    same = await house.pool.fetch("SELECT same_matter FROM ticket_repeats WHERE ticket_id = $1",
                                  await house.id_of(second.number))
    assert [row["same_matter"] for row in same] == [True]
    assert Triage(category=Category(l1="", l2="")).kind is Kind.OTHER


async def test_a_report_tells_a_department_of_no_other_ticket_of_its_citizen(house: House) -> None:
    first = await house.appeal(phone="+8613800138000")
    second = await house.appeal(phone="+8613800138000")
    await house.act(first.number, (AGENT, c.Correct(kind=Kind.REPORT)))
    await link_all(house.pool)
    for number in (first.number, second.number):
        found = await RelativesStore(house.pool)(await house.id_of(number), department="城管局")
        assert found.related == ()


# ── acts that count once ─────────────────────────────────────────────────────────────────────────
async def test_an_act_under_a_key_counts_once(house: House) -> None:
    receipt = await house.appeal()
    once = Once(unit="城管局", key="k1", content_hash=b"a" * 16)
    first = await house.service.act_once(receipt.number, c.Sign(), actor=LEAD, once=once)
    again = await house.service.act_once(receipt.number, c.Sign(), actor=LEAD, once=once)
    assert (first.repeat, again.repeat) == (False, True)
    assert (first.version, first.state) == (again.version, again.state) == (4, "handling")
    other = Once(unit="城管局", key="k1", content_hash=b"b" * 16)
    with pytest.raises(KeyReused):
        await house.service.act_once(receipt.number, c.RecordContact(), actor=LEAD, once=other)
    refused = Once(unit="城管局", key="k2", content_hash=b"c" * 16)
    with pytest.raises(IllegalTransition):
        await house.service.act_once(receipt.number, c.Sign(), actor=LEAD, once=refused)
    done = await house.service.act_once(receipt.number, c.RecordContact(), actor=LEAD, once=refused)
    assert not done.repeat  # a refusal keeps nothing
