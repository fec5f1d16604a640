"""The departments' side over a real database: asking, opinions, files, replies, returns, acts that count once."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from hotline import commands as c
from hotline.alarms import EXTENSION_ASKED
from hotline.appeal import Attachment
from hotline.deadlines import working_minutes_between
from hotline.errors import Forbidden, IllegalTransition, InvalidInput, KeyReused, NotFound, RuleViolation
from hotline.ports import Once
from hotline.service import Service
from hotline.store.proposals import ProposalStore
from hotline.terms import Kind, State
from tests.cities import NOW, POLICY, RULES
from tests.departments.house import AGENT, HELP, LEAD, SUPERVISOR, House


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
    assert event.fact.attachments == (msgspec.structs.replace(kept, name="evil_html.png"),)  # type: ignore[union-attr]
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
