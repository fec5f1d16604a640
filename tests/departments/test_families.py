"""Merged tickets and repeats of one citizen over a real database: one matter, and nobody left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from channels.message import Inbound, Receipt
from channels.views import RequestFilter
from hotline import commands as c
from hotline.appeal import Appeal, Category, Citizen, Triage
from hotline.errors import Forbidden, IllegalTransition, NotFound
from hotline.events import SYSTEM
from hotline.families import Families
from hotline.store.channels import ChannelStore
from hotline.store.relatives import RelativesStore, link_all
from hotline.terms import Channel, Kind, Rating, State
from tests.departments.house import AGENT, LEAD, House
from tests.hotline.test_intake import inbound


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


async def test_what_became_of_a_merged_ticket_is_shown_also_once_it_is_archived(house: House) -> None:
    async with family(house, 1) as (parent, [kid]):
        await house.act(
            parent.number, (LEAD, c.Sign()), (LEAD, c.Reply(internal="x", public="已修好")), (AGENT, c.AcceptReply()),
            (AGENT, c.SettleFollowUp(solved=True)), (SYSTEM, c.Archive()),
        )
        await house.act(kid.number, (SYSTEM, c.Archive()))
        progress = await house.service.progress(kid.number, kid.code)
        assert (progress.status, progress.public_reply, progress.department) == (State.ARCHIVED, "已修好", "城管局")
        assert "已办结" in [step.title for step in progress.steps]
        assert len(set(progress.may)) == len(progress.may)
        found = await ChannelStore(house.pool).public(RequestFilter(numbers=(kid.number,)))
        assert [(one.closed, one.public_reply) for one in found] == [(True, "已修好")]


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
