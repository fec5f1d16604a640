"""A department at a console: it signs, replies and is told, as the centre merges and reviews, over real WebSockets."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from agent_ui import protocol as p
from hotline import commands as c
from hotline.appeal import Citizen
from hotline.store.relatives import link_all
from tests.agent_ui.stack import Desk, Stack


async def opened(desk: Desk, number: str) -> p.Opened:
    answer = await desk.ask(p.Open, number=number)
    assert isinstance(answer, p.Ok), answer
    assert answer.opened is not None
    return answer.opened


async def run(desk: Desk, number: str, command: c.Command) -> p.Ok | p.Error:
    answer: p.Ok | p.Error = await desk.ask(p.RunCommand, number=number, command=command)
    return answer


async def test_a_department_handles_a_ticket_and_the_centre_reviews_it(stack: Stack) -> None:
    async with stack.gateway():
        unit, centre = await stack.desk("wang", "department:城管局"), await stack.desk("zhang", "centre")
        receipt = await stack.appeal(citizen=Citizen(name="王小明", phone="+8613812345678"))
        await unit.until(lambda _: [event for event in unit.events if event.type == "dispatch"])
        offered = {*(await opened(unit, receipt.number)).commands}
        assert {"add_note", "attach", "record_contact", "request_return", "sign"} <= offered
        assert not {"reply", "request_extension", "resume", "give_opinion", "approve_return", "accept"} & offered
        for command, state in (
            (c.Sign(), "handling"), (c.RecordContact(note="已电话联系"), "handling"),
            (c.AskInfo(question="哪一盏?"), "need_info"), (c.Resume(), "handling"),
        ):
            answer = await run(unit, receipt.number, command)
            assert isinstance(answer, p.Ok), answer
            assert answer.state == state
        refused = await run(unit, receipt.number, c.Reply(internal="x", public="王小明您好"))
        assert isinstance(refused, p.Error)
        assert (refused.error_id, "小明" in refused.detail) == ("personal_data", False)
        replied = await run(unit, receipt.number, c.Reply(internal="换灯泡", public="路灯已修好"))
        assert isinstance(replied, p.Ok)
        await centre.until(lambda _: [event for event in centre.events if event.type == "reply"])
        assert isinstance(await run(centre, receipt.number, c.AcceptReply()), p.Ok)
        assert isinstance(await run(unit, receipt.number, c.AcceptReply()), p.Error)


async def test_an_opened_ticket_tells_the_clock_that_runs_and_none_once_it_is_answered(stack: Stack) -> None:
    async with stack.gateway():
        centre = await stack.desk("zhang")
        receipt = await stack.appeal("想问一件说不清的事")
        waits = await opened(centre, receipt.number)
        ceiling = msgspec.json.decode(waits.ticket)["clocks"]["ceiling_due"]
        assert waits.due == msgspec.convert(ceiling, datetime)
        assert isinstance(await run(centre, receipt.number, c.Answer(text="已告知")), p.Ok)
        answered = await opened(centre, receipt.number)
        assert msgspec.json.decode(answered.ticket)["clocks"]["ceiling_due"] == ceiling, "it is over, and stays written"
        assert answered.due is None


async def test_an_assisting_department_is_offered_its_part_only(stack: Stack) -> None:
    async with stack.gateway():
        unit, centre = await stack.desk("wang"), await stack.desk("zhang")
        receipt = await stack.appeal("体育路没有水")
        for command in (c.Accept(), c.Dispatch(lead="水务局", assisting=("城管局",))):
            assert isinstance(await run(centre, receipt.number, command), p.Ok)
        assert {*(await opened(unit, receipt.number)).commands} == {"add_note", "attach", "give_opinion"}
        assert isinstance(await run(unit, receipt.number, c.GiveOpinion(text="已配合")), p.Ok)
        ticket = msgspec.json.decode((await opened(unit, receipt.number)).ticket)
        assert ticket["opinions"] == [{"unit": "城管局", "text": "已配合"}]


async def test_tickets_are_merged_by_number_and_each_refusal_is_told(stack: Stack) -> None:
    async with stack.gateway():
        centre = await stack.desk("zhang", "centre")
        parent = await stack.appeal()
        kids = [await stack.appeal() for _ in range(2)]
        done = await stack.appeal("咨询社保")
        assert isinstance(await run(centre, done.number, c.Answer(text="好")), p.Ok)
        numbers = (kids[0].number, kids[1].number, done.number, parent.number, "DG1", kids[0].number)
        answer = await centre.ask(p.MergeTickets, into=parent.number, numbers=numbers)
        assert isinstance(answer, p.Ok), answer
        assert {one.number: one.error_id for one in answer.merged or ()} == {
            kids[0].number: "", kids[1].number: "", done.number: "illegal_transition", parent.number: "rule_violation",
            "DG1": "not_found",
        }
        shown = await opened(centre, parent.number)
        assert sorted(msgspec.json.decode(row)["number"] for row in shown.children) == sorted(k.number for k in kids)
        assert msgspec.json.decode(shown.ticket)["children"] == [kid.number for kid in kids]
        kid = await opened(centre, kids[0].number)
        assert (kid.parent, "unmerge" in kid.commands) == (parent.number, True)
        unit = await stack.desk("wang")
        refused = await unit.ask(p.MergeTickets, into=parent.number, numbers=(kids[0].number,))
        assert refused.error_id == "forbidden"
        unknown = await centre.ask(p.MergeTickets, into="DG2", numbers=(kids[0].number,))
        assert unknown.error_id == "not_found"


async def test_repeats_of_a_citizen_stand_beside_the_ticket(stack: Stack) -> None:
    async with stack.gateway():
        centre = await stack.desk("zhang")
        citizen = Citizen(phone="+8613812345678")
        first, second = await stack.appeal(citizen=citizen), await stack.appeal("又坏了", citizen=citizen)
        await link_all(stack.pool)
        for one, other in ((first, second), (second, first)):
            related = (await opened(centre, one.number)).related
            assert [msgspec.json.decode(row)["number"] for row in related] == [other.number]


@pytest.mark.parametrize("frame", [
    b'{"type":"merge","id":1,"into":"DG1","numbers":[]}', b'{"type":"merge","id":1,"into":"","numbers":["DG1"]}',
    b'{"type":"merge","id":1,"numbers":["DG1"]}',
    msgspec.json.encode({"type": "merge", "id": 1, "into": "DG1", "numbers": ["DG1"] * (p.MAX_MERGED + 1)}),
])
def test_malformed_merges_are_mistakes_of_the_console(frame: bytes) -> None:
    with pytest.raises(p.InvalidInput):
        p.decode(frame)
