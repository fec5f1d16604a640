"""Who a citizen is, learnt after the receipt: sealed like the receipt's, found, told and erased by it."""

from __future__ import annotations

import asyncpg
import msgspec
import pytest

from agent_ui.protocol import Open, RunCommand, Search
from channels.appeal_codec import tidied
from channels.message import Receipt
from hotline import commands as c
from hotline.appeal import Appeal, Citizen, Place
from hotline.errors import InvalidInput, RuleViolation
from hotline.events import Actor, Receive, Role, TicketEvent
from hotline.ids import TicketNumber
from hotline.particulars import appeal_after
from hotline.service import Service
from hotline.store.call_cards import CallCards
from hotline.store.channels import ChannelStore
from hotline.store.chats import ChatStore
from hotline.store.console import ConsoleStore
from hotline.store.export import ExportStore
from hotline.store.persons import PersonStore
from hotline.store.relatives import RelativesStore, link_all
from hotline.store.tickets import TicketStore
from hotline.terms import Channel, State
from hotline.ticket import replay
from tests.cities import NOW, RULES, STREET_LIGHT
from tests.hotline.test_intake import inbound
from tests.privacy.house import ZHANG, intake, opened
from tests.privacy.test_at_rest import SESSION, whole
from tests.privacy.test_chats import a_chat
from tests.privacy.test_looks import LI, UNIT, Desk
from tests.privacy.test_persons import WHO, finish

AGENT, LEAD = Actor(Role.AGENT, "li"), Actor(Role.DEPARTMENT, "城管局")
SECRET = ("张三丰", "东莞某某电子厂", "441900199001011234")
TOLD = c.Correct(citizen=Citizen(name=SECRET[0], phone="138 0013 8000", company=SECRET[1], id_document=SECRET[2]))


async def act(pool: asyncpg.Pool, number: str, *commands: c.Command, actor: Actor = AGENT) -> None:
    store = TicketStore(pool, prefix="DG")
    async with intake(pool, store=store) as taking:
        service = Service(store=store, intake=taking, rules=lambda: RULES, clock=lambda: NOW)
        for command in commands:
            await service.act(number, command, actor=actor)


async def found(pool: asyncpg.Pool, phone: str = ZHANG.phone) -> int:
    return len((await ConsoleStore(pool).search(Search(id=1, phone=phone))).rows)


async def nobodys(pool: asyncpg.Pool, key: str = "a") -> Receipt:
    return (await opened(pool, [key], citizen=Citizen()))[0]


async def test_a_citizen_learnt_later_is_found_sealed_and_erased_by_the_phone(pool: asyncpg.Pool) -> None:
    receipt = await nobodys(pool)
    assert await found(pool) == 0
    await act(pool, receipt.number, TOLD, c.AddNote(text="张三丰说 13800138000 可以打"))
    ticket = (await TicketStore(pool, prefix="DG").read(receipt.number)).ticket
    assert (ticket.appeal.citizen.name, ticket.appeal.citizen.phone) == ("张三丰", ZHANG.phone)
    assert await found(pool) == 1
    card = await CallCards(pool).card("13800138000", full=True)
    assert (card.name, len(card.open)) == ("张三丰", 1)
    dump = await whole(pool)
    assert [secret for secret in (*SECRET, "13800138000", "138 0013 8000") if secret in dump] == []
    await finish(pool, receipt.number)
    erased = await PersonStore(pool).erase(ZHANG.phone, **WHO)
    assert erased.erased == (receipt.number,)
    assert (await TicketStore(pool, prefix="DG").read(receipt.number)).ticket.appeal.citizen == Citizen()
    await act(pool, receipt.number, c.AddNote(text="x"))
    assert await found(pool) == 0, "what happens to it later leads to nobody"


async def test_a_number_that_was_noted_wrong_leads_nowhere_once_it_is_right(pool: asyncpg.Pool) -> None:
    [receipt] = await opened(pool, ["a"])
    await act(pool, receipt.number, c.Correct(citizen=Citizen(phone="13911112222")))
    assert (await found(pool), await found(pool, "+8613911112222")) == (0, 1)
    assert (await TicketStore(pool, prefix="DG").read(receipt.number)).ticket.appeal.citizen.name == ZHANG.name


async def test_who_tells_their_phone_in_a_chat_stays_in_it(pool: asyncpg.Pool) -> None:
    number = await a_chat(pool, days=0, id="m0")
    waiting = await ChatStore(pool).chats()
    assert [one.number for one in waiting] == [number]
    await act(pool, number, TOLD)
    assert [one.number for one in await ChatStore(pool).chats()] == [number]
    assert await found(pool) == 1
    await finish(pool, number)
    await PersonStore(pool).erase(ZHANG.phone, **WHO)
    assert await ChannelStore(pool).chat_since({SESSION: 0}) == [], "the chat is emptied with its ticket"


async def test_whose_ticket_is_merged_is_told_on_the_phone_that_was_learnt(pool: asyncpg.Pool) -> None:
    parent, child = await nobodys(pool, "p"), await nobodys(pool, "k")
    await act(pool, child.number, TOLD)
    id_ = await pool.fetchval("SELECT id FROM tickets WHERE number = $1", parent.number)
    await act(pool, child.number, c.Merge(parent=id_))
    await pool.execute("DELETE FROM outbox")
    await act(pool, parent.number, c.Sign(), actor=LEAD)
    told = await pool.fetch("SELECT key FROM outbox WHERE channel = 'call' AND key LIKE $1", f"family-{child.number}%")
    assert len(told) == 1


async def test_a_department_learns_nothing_of_who_must_not_be_known(pool: asyncpg.Pool) -> None:
    [receipt] = await opened(pool, ["a"], citizen=Citizen(), confidential=True)
    desk = Desk(pool)
    await desk.ask(LI, RunCommand(id=1, number=receipt.number, command=TOLD))
    shown = (await desk.ask(UNIT, Open(id=1, number=receipt.number, reason="联系"))).opened
    text = b"".join(map(bytes, (shown.ticket, *shown.events))).decode()
    assert not any(trace in text for trace in ("138", "8000", "张", "东莞某", "4419"))
    masked = (await desk.ask(LI, Open(id=1, number=receipt.number))).opened
    text = b"".join(map(bytes, (masked.ticket, *masked.events))).decode()
    assert all(shown in text for shown in ("138****8000", "441900********1234", "东*"))
    assert not any(secret in text for secret in (*SECRET, "13800138000"))


async def test_a_name_that_was_put_right_is_hidden_like_the_right_one(pool: asyncpg.Pool) -> None:
    told = Appeal(text="我是张三丰,不是张山峰", citizen=Citizen(name="张山峰"))
    async with intake(pool) as taking:
        number = (await taking.submit(inbound(key="a", appeal=told))).number
    await act(pool, number, TOLD)
    for since in (0, 2):
        shown = (await Desk(pool).ask(LI, Open(id=1, number=number, since_version=since))).opened
        text = b"".join(map(bytes, (shown.ticket, *shown.events))).decode()
        assert "我是张*,不是张*" in text
        assert not any(name in text for name in ("张三丰", "张山峰"))


async def test_another_citizen_is_not_put_over_hidden_merged_ones(pool: asyncpg.Pool) -> None:
    parent, child = await opened(pool, ["p", "k"], confidential=True)
    id_ = await pool.fetchval("SELECT id FROM tickets WHERE number = $1", parent.number)
    await act(pool, child.number, c.Merge(parent=id_))
    for number in (parent.number, child.number):
        with pytest.raises(RuleViolation, match="unmerge"):
            await act(pool, number, TOLD)


async def test_what_is_learnt_of_the_matter_stands_in_the_ticket(pool: asyncpg.Pool) -> None:
    receipt = await nobodys(pool)
    await act(
        pool, receipt.number, c.Correct(happened_at=" 昨晚 十点 ", about="某物业"), c.Correct(about=""),
        c.Correct(place=Place(town="南城", grid="南城03-12")),
    )
    ticket = (await TicketStore(pool, prefix="DG").read(receipt.number)).ticket
    assert (ticket.appeal.happened_at, ticket.appeal.about, ticket.appeal.place.grid) == ("昨晚 十点", "", "南城03-12")


async def test_the_export_tells_when_and_in_which_grid_but_not_whom_it_concerns(pool: asyncpg.Pool) -> None:
    told = Appeal(text="噪声", happened_at="昨晚,13800138000", about="王老五", place=Place(grid="南城03-12"))
    async with intake(pool) as taking:
        await taking.submit(inbound(key="a", appeal=told))
        await taking.submit(inbound(key="b", appeal=msgspec.structs.replace(told, confidential=True)))
    rows, _ = await ExportStore(pool).page(0, 50)
    shown = {(row.happened_at, row.grid) for row in rows if row.type == "receive"}
    assert shown == {("昨晚,138****8000", "南城03-12"), ("", "")}
    assert "王老五" not in str(rows)


@pytest.mark.parametrize("learnt_first", [False, True], ids=["of the later one", "of the earlier one"])
async def test_a_citizen_learnt_later_is_linked_with_their_other_tickets(
    pool: asyncpg.Pool, learnt_first: bool
) -> None:
    if learnt_first:
        unknown, [known] = await nobodys(pool, "b"), await opened(pool, ["a"])
    else:
        [known], unknown = await opened(pool, ["a"]), await nobodys(pool, "b")
    id_ = await pool.fetchval("SELECT id FROM tickets WHERE number = $1", unknown.number)
    await link_all(pool)
    assert (await RelativesStore(pool)(id_)).related == ()
    await act(pool, unknown.number, TOLD)
    await link_all(pool)
    [related] = (await RelativesStore(pool)(id_)).related
    assert known.number in bytes(related).decode()
    later, earlier = await pool.fetchrow("SELECT ticket_id, earlier_id FROM ticket_repeats") or (0, 0)
    assert earlier < later


@pytest.mark.parametrize("place", [Place(address="鸿福路8号,138****8000"), Place(town="南城", grid="南城*")])
def test_a_masked_place_is_refused(place: Place) -> None:
    with pytest.raises(InvalidInput, match="masked"):
        tidied(c.Correct(place=place))


@pytest.mark.parametrize(("told", "after", "town"), [
    (Place(grid="南城03-12"), Place(village="胜和", address="鸿福路", lat=23.0, lon=113.7, grid="南城03-12"), "南城"),
    (Place(town="莞城"), Place(town="莞城", village="胜和", address="鸿福路", lat=23.0, lon=113.7), "莞城"),
    (Place(town="莞城", village="胜和", address="旧路", lat=23.5, lon=113.7),
     Place(town="莞城", village="胜和", address="旧路", lat=23.5, lon=113.7), "莞城"),
])
def test_a_correction_of_a_place_leaves_what_it_does_not_name(told: Place, after: Place, town: str) -> None:
    known = Appeal(text="x", place=Place(village="胜和", address="鸿福路", lat=23.0, lon=113.7))
    found = msgspec.structs.replace(STREET_LIGHT, towns=("南城",))
    receipt = Receive(number=TicketNumber("DG1"), channel=Channel.WEB, appeal=known, triage=found)
    facts = (receipt, c.Correct(place=told))
    ticket = replay(
        TicketEvent(version=n, at=NOW, actor=AGENT, state=State.RECEIVED, fact=fact) for n, fact in enumerate(facts, 1)
    )
    assert (ticket.appeal.place, ticket.town) == (after, town)


@pytest.mark.parametrize("citizen", [
    Citizen(key="openid"), Citizen(phone="138****8000"), Citizen(name="张**"), Citizen(phone="12"),
    Citizen(name="张" * 201),
])
def test_what_cannot_be_meant_is_refused(citizen: Citizen) -> None:
    with pytest.raises(InvalidInput):
        tidied(c.Correct(citizen=citizen))


@pytest.mark.parametrize(("channel", "key", "after"), [
    (Channel.CALL, ZHANG.phone, "+8613911112222"), (Channel.WEB, ZHANG.phone, "+8613911112222"),
    (Channel.APP, ZHANG.phone, ZHANG.phone), (Channel.WECHAT, "openid", "openid"), (Channel.WEB, "", ""),
])
def test_a_channel_goes_on_to_know_them(channel: Channel, key: str, after: str) -> None:
    appeal = Appeal(text="x", citizen=Citizen(name="张三丰", phone=ZHANG.phone, key=key))
    told = appeal_after(appeal, c.Correct(citizen=Citizen(phone="+8613911112222")), channel)
    assert told.citizen == Citizen(name="张三丰", phone="+8613911112222", key=after)
