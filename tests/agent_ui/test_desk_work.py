"""An agent's work over a real socket: lists, events, commands, calls taken down, searches."""

from __future__ import annotations

import msgspec

from agent_ui import protocol as p
from agent_ui.presence import PresenceState
from channels.appeal_codec import AppealBody
from hotline import commands as c
from hotline.appeal import Citizen
from hotline.store.indexer import index_all
from hotline.summary import Summary
from hotline.terms import Kind, State
from hotline.ticket import Ticket
from tests.agent_ui.stack import Stack, rows


async def test_a_command_is_answered_and_everyone_concerned_hears_of_it(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang", "centre")
        unit = await stack.desk("wang", "department:城管局")
        receipt = await stack.appeal("公园里有怪味")
        await agent.until(lambda _: any(e.type == "receive" for e in agent.events))
        snapshot = await agent.ask(p.TakeSnapshot, topic="centre")
        assert [row.number for row in rows(snapshot)] == [receipt.number]
        assert snapshot.seq >= agent.events[0].seq
        done = await agent.ask(p.RunCommand, number=receipt.number, command=c.Accept(), expected_version=1)
        assert (done.state, done.version) == ("pending_dispatch", 2)
        await agent.ask(p.RunCommand, number=receipt.number, command=c.Dispatch(lead="城管局"))
        await agent.until(lambda _: [e.type for e in agent.events] == ["receive", "accept", "dispatch"])
        await unit.until(lambda _: [e.type for e in unit.events] == ["dispatch"])
        last = unit.events[0]
        assert (last.number, last.actor) == (receipt.number, "agent:zhang")
        assert msgspec.json.decode(last.summary, type=Summary).state == "pending_sign"
        listed = rows(await unit.ask(p.TakeSnapshot, topic="department:城管局"))
        assert [row.number for row in listed] == [receipt.number]
        assert rows(await agent.ask(p.TakeSnapshot, topic="centre")) == []


async def test_refusals_have_an_id_and_say_what_to_mend(stack: Stack) -> None:
    async with stack.gateway():
        agent, unit = await stack.desk("zhang"), await stack.desk("wang")
        number = (await stack.appeal("公园里有怪味")).number
        wrong = [
            (agent, {"number": number, "command": c.Sign()}, "forbidden"),
            (agent, {"number": number, "command": c.Dispatch(lead="城管局")}, "illegal_transition"),
            (agent, {"number": number, "command": c.Accept(), "expected_version": 9}, "version_conflict"),
            (agent, {"number": "DG0", "command": c.Accept()}, "not_found"),
            (agent, {"number": number, "command": c.Claim(agent="zhao")}, "forbidden"),
            (agent, {"number": number, "command": c.HandOff(services=())}, "rule_violation"),
            (unit, {"number": number, "command": c.AddNote(text="x")}, "forbidden"),
        ]
        for desk, fields, error_id in wrong:
            answer = await desk.ask(p.RunCommand, **fields)
            assert (type(answer), answer.error_id) == (p.Error, error_id)
            assert answer.detail
        for desk, topic in ((agent, "tickets"), (unit, "centre"), (unit, "department:水务局")):
            assert (await desk.ask(p.TakeSnapshot, topic=topic)).error_id == "forbidden"
            await desk.send(p.Follow(topics=(topic,)))
            await desk.until(lambda frames: isinstance(frames[-1], p.Error) and frames[-1].id is None)
        assert (await unit.ask(p.Open, number=number)).error_id == "forbidden"
        assert (await unit.ask(p.SetPresence, state=PresenceState.AVAILABLE)).error_id == "forbidden"
        assert (await (await stack.desk("root")).ask(p.Open, number=number)).error_id == "forbidden"
        assert (await agent.ask(p.TakeSnapshot, topic="centre", cursor="../..")).error_id == "invalid_input"


async def test_pages_neither_skip_nor_repeat(stack: Stack) -> None:
    async with stack.gateway():
        numbers = [(await stack.appeal(f"第{n}件事")).number for n in range(7)]
        lights = [(await stack.appeal()).number for _ in range(5)]
        supervisor, cursor = await stack.desk("li"), ""
        for topic, expected in (("tickets", numbers + lights), ("department:城管局", lights), ("centre", numbers)):
            seen: list[str] = []
            while True:
                page = await supervisor.ask(p.TakeSnapshot, topic=topic, limit=3, cursor=cursor)
                seen += [row.number for row in rows(page)]
                await stack.appeal("又一件")  # comes above the first page, never into a later one
                if not (cursor := page.next):
                    break
            assert seen == expected[::-1]
            await stack.pool.execute("DELETE FROM tickets WHERE summary::jsonb ->> 'title' = '' AND number <> ALL ($1)",
                                     numbers + lights)
        narrowed = await supervisor.ask(p.TakeSnapshot, topic="tickets", states=(State.PENDING_SIGN,))
        assert [row.number for row in rows(narrowed)] == lights[::-1]


async def test_open_masks_by_default_and_records_a_full_view(stack: Stack) -> None:
    citizen = Citizen(name="陈小明", phone="+8613800138000", key="+8613800138000")
    async with stack.gateway():
        number = (await stack.appeal("体育路路灯不亮,电话13800138000", citizen=citizen)).number
        secret = (await stack.appeal("路灯不亮", citizen=citizen, confidential=True)).number
        agent, unit = await stack.desk("zhang"), await stack.desk("wang")
        for desk in (agent, unit):
            opened = (await desk.ask(p.Open, number=number)).opened
            assert opened.masked
            assert b"13800138000" not in bytes(opened.ticket) + b"".join(map(bytes, opened.events))
        assert "sign" in opened.commands
        assert "dispatch" not in opened.commands
        opened = (await agent.ask(p.Open, number=number, reason="回访核实地址")).opened
        ticket = msgspec.json.decode(opened.ticket, type=Ticket)
        assert (opened.masked, ticket.appeal.citizen.name) == (False, "陈小明")
        assert "理由:回访核实地址" in bytes(opened.events[-1]).decode()
        since = (await agent.ask(p.Open, number=number, since_version=3)).opened
        assert len(since.events) == ticket.version - 3
        hidden = (await unit.ask(p.Open, number=secret, reason="联系诉求人")).opened
        assert hidden.masked
        assert b"13800138000" not in bytes(hidden.ticket)


async def test_an_appeal_by_phone_is_taken_once_and_its_caller_found(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang", "centre")
        body = AppealBody(text="楼道里有怪味", name="陈小明", phone="138 0013 8000")
        first = await agent.ask(p.PhoneAppeal, call="call-1", appeal=body)
        again = await agent.ask(p.PhoneAppeal, call="call-1", appeal=body)
        assert first.receipt == again.receipt
        beside = AppealBody(text="还有楼下的垃圾没有人清")
        second = await agent.ask(p.PhoneAppeal, call="call-1", part=2, appeal=beside)
        assert second.number != first.number
        assert (await agent.ask(p.PhoneAppeal, call="call-1", part=2, appeal=beside)).number == second.number
        numbers = [first.number, second.number]
        await agent.until(lambda _: [e.number for e in agent.events if e.type == "receive"] == numbers)
        for phone in ("13800138000", "+86 138-0013-8000", "008613800138000"):
            found = await agent.ask(p.Search, phone=phone)
            assert [row.number for row in rows(found)] == [first.number]
        await index_all(stack.pool)  # words become searchable a moment after the ticket
        assert [row.number for row in rows(await agent.ask(p.Search, text="怪味 楼道"))] == [first.number]
        assert [row.number for row in rows(await agent.ask(p.Search, number=first.number))] == [first.number]
        assert rows(await agent.ask(p.Search, text="不存在的事")) == []
        for nothing in ({}, {"text": "!!"}, {"text": "  "}):
            assert (await agent.ask(p.Search, **nothing)).error_id == "invalid_input"
        unit = await stack.desk("wang")
        assert rows(await unit.ask(p.Search, phone="13800138000")) == []
        assert (await unit.ask(p.PhoneAppeal, call="call-2", appeal=body)).error_id == "forbidden"


async def test_everybody_who_has_a_call_writes_tickets_of_their_own(stack: Stack) -> None:
    async with stack.gateway():
        first, second = await stack.desk("zhang"), await stack.desk("zhao")
        forms = [(first, "form-of-zhang-1"), (first, "form-of-zhang-2"), (second, "form-of-zhao-1")]
        told = {key: AppealBody(text=f"第{n}件事") for n, key in enumerate(forms)}
        made = {key: await key[0].ask(p.PhoneAppeal, call="call-1", form=key[1], appeal=told[key]) for key in forms}
        assert len({answer.number for answer in made.values()}) == 3
        for (desk, form), body in told.items():
            again = await desk.ask(p.PhoneAppeal, call="call-1", form=form, appeal=body)
            assert again.receipt == made[desk, form].receipt


async def test_a_department_cannot_find_out_who_reports(stack: Stack) -> None:
    citizen = Citizen(name="陈小明", phone="+8613800138000", key="+8613800138000")
    text = "我是陈小明,电话13800138000,体育路路灯不亮"
    async with stack.gateway():
        plain = (await stack.appeal(text, citizen=citizen)).number
        secret = (await stack.appeal(text, citizen=citizen, confidential=True)).number
        report = (await stack.appeal(text, citizen=citizen, kind=Kind.REPORT)).number
        agent, unit = await stack.desk("zhang"), await stack.desk("wang")
        await index_all(stack.pool)
        found = {row.number for row in rows(await agent.ask(p.Search, phone="13800138000"))}
        assert found == {plain, secret, report}
        assert [row.number for row in rows(await unit.ask(p.Search, phone="13800138000"))] == [plain]
        assert [row.number for row in rows(await unit.ask(p.Search, phone="13800138000", text="路灯"))] == [plain]
        assert (await unit.ask(p.Search, text="13800138000")).error_id == "invalid_input"
        assert len(rows(await unit.ask(p.Search, text="路灯"))) == 3
        opened = (await unit.ask(p.Open, number=secret)).opened
        assert "小明" not in (bytes(opened.ticket) + b"".join(map(bytes, opened.events))).decode()


async def test_tickets_are_merged_by_the_id_that_open_tells(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang")
        first, second = [(await stack.appeal("公园里有怪味")).number for _ in range(2)]
        parent = (await agent.ask(p.Open, number=first)).opened.id
        done = await agent.ask(p.RunCommand, number=second, command=c.Merge(parent=parent))
        assert done.state == "merged"


async def test_unfollowed_topics_are_silent(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang", "centre", "emergency")
        await agent.send(p.Unfollow(topics=("centre",)))
        await agent.settle()
        watcher = await stack.desk("zhao", "centre")
        await stack.appeal("公园里有怪味")
        await watcher.until(lambda _: watcher.events)
        await agent.settle()
        assert agent.events == []
