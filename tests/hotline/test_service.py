"""What people may do with tickets: citizens by number and code, staff by role, over a real database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.message import Receipt
from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.errors import (
    Forbidden,
    IllegalTransition,
    InvalidInput,
    NotFound,
    VersionConflict,
)
from hotline.events import SYSTEM, Actor, Role
from hotline.ids import TicketNumber
from hotline.service import PERMITTED, Service
from hotline.store.database import open_pool
from hotline.store.tickets import TicketStore
from hotline.terms import Rating, RejectReason, State
from hotline.terms import Service as Emergency
from tests.cities import NOW, RULES
from tests.hotline.test_decide import SIDE_EXAMPLES
from tests.hotline.test_intake import all_rows, inbound, intake_over
from tests.hotline.test_lifecycle import EXAMPLES

AGENT, SUPERVISOR = Actor(Role.AGENT, "li"), Actor(Role.SUPERVISOR, "wang")
LEAD, OTHER = Actor(Role.DEPARTMENT, "城管局"), Actor(Role.DEPARTMENT, "水务局")


@asynccontextmanager
async def house(dsn: str) -> AsyncIterator[tuple[Service, Receipt]]:
    """A service and one ticket that is dispatched to 城管局."""
    async with intake_over(dsn) as intake, await open_pool(dsn) as pool:
        store = TicketStore(pool, prefix="DG")
        service = Service(store=store, intake=intake, rules=lambda: RULES, clock=lambda: NOW)
        yield service, await intake.submit(inbound())


async def test_the_way_of_a_ticket_to_its_end(database: str) -> None:
    async with house(database) as (service, receipt):
        number, code = receipt.number, receipt.code
        for actor, command in [
            (LEAD, c.Sign()), (LEAD, c.RecordContact()), (LEAD, c.Reply(internal="换灯泡", public="路灯已修好")),
            (AGENT, c.AcceptReply()), (AGENT, c.SettleFollowUp(rating=Rating.SATISFIED, solved=True)),
        ]:
            ticket = await service.act(number, command, actor=actor)
        assert (ticket.state, ticket.rating, ticket.solved) == (State.CLOSED, Rating.SATISFIED, True)
        progress = await service.progress(number, code)
        assert progress.public_reply == "路灯已修好"
        assert [step.title for step in progress.steps] == [
            "已收到", "已受理", "已派单", "已签收", "已联系", "已办理", "办理结果已审核", "已办结",
        ]


async def test_the_reply_is_shown_only_when_the_centre_has_accepted_it(database: str) -> None:
    async with house(database) as (service, receipt):
        await service.act(receipt.number, c.Sign(), actor=LEAD)
        await service.act(receipt.number, c.Reply(internal="x", public="未经审核"), actor=LEAD)
        assert (await service.progress(receipt.number, receipt.code)).public_reply == ""


async def test_a_reply_that_was_refused_is_not_shown_when_110_ends_the_matter(database: str) -> None:
    async with house(database) as (service, receipt):
        for actor, command in [
            (LEAD, c.Sign()), (LEAD, c.Reply(internal="x", public="未经审核")), (AGENT, c.RejectReply(reason="不实")),
            (AGENT, c.HandOff(services=(Emergency.POLICE,))), (AGENT, c.Close(note="110已处置")),
        ]:
            await service.act(receipt.number, command, actor=actor)
        progress = await service.progress(receipt.number, receipt.code)
        assert (progress.status, progress.public_reply) == (State.CLOSED, "")


@pytest.mark.parametrize(("reason", "alarms", "events"), [
    (RejectReason.NUISANCE, {"nuisance_lead"}, [("reject", AGENT), ("raise_alarm", SYSTEM)]),
    (RejectReason.INDECENCY, set(), [("reject", AGENT)]),
])
async def test_a_nuisance_lead_waits_for_a_supervisor(
    database: str, reason: RejectReason, alarms: set[str], events: list[tuple[str, Actor]]
) -> None:
    async with house(database) as (service, _), await open_pool(database) as pool, intake_over(database) as intake:
        store = TicketStore(pool, prefix="DG")
        receipt = await intake.submit(inbound(key="nuisance", appeal=Appeal(text="咨询落户")))
        ticket = await service.act(receipt.number, c.Reject(reason=reason), actor=AGENT)
        assert (ticket.state, ticket.alarms) == (State.REJECTED, alarms)
        history = await store.history((await store.read(receipt.number)).id)
        assert [(event.type, event.actor) for event in history[1:]] == events
        for alarm in alarms:
            await service.act(receipt.number, c.ClearAlarm(alarm=alarm), actor=SUPERVISOR)
        assert not (await store.read(receipt.number)).ticket.alarms


async def test_progress_names_nobody_whatever_staff_wrote(database: str) -> None:
    citizen = Citizen(name="王小明", phone="+8613812345678")
    async with house(database) as (service, _), intake_over(database) as intake:
        receipt = await intake.submit(inbound(key="named", appeal=Appeal(text="咨询落户", citizen=citizen)))
        for command in (
            c.AddMessage(text="王小明您好,会打13812345678", inbound=False),
            c.Answer(text="王小明(13812345678)反映的路灯已修好"),
        ):
            await service.act(receipt.number, command, actor=AGENT)
        progress = await service.progress(receipt.number, receipt.code)
    assert progress.public_reply == "王*(138****5678)反映的路灯已修好"
    assert not any("小明" in step.text or "13812345678" in step.text for step in progress.steps)


@pytest.mark.parametrize(("actor", "step", "sent"), [
    (AGENT, ("工作人员回复", "请在家"), 1), (SUPERVISOR, ("工作人员回复", "请在家"), 1), (SYSTEM, ("已补充", ""), 0),
])
async def test_what_staff_write_goes_to_the_citizen_however_it_is_marked(
    database: str, actor: Actor, step: tuple[str, str], sent: int
) -> None:
    async with house(database) as (service, _), intake_over(database) as intake:
        appeal = Appeal(text="咨询", citizen=Citizen(phone="+8613812345678"))
        receipt = await intake.submit(inbound(key="p", appeal=appeal))
        before = len(await all_rows(database, "SELECT 1 FROM outbox"))
        await service.act(receipt.number, c.AddMessage(text="请在家"), actor=actor)
        last = (await service.progress(receipt.number, receipt.code)).steps[-1]
        assert (last.title, last.text) == step
        assert len(await all_rows(database, "SELECT 1 FROM outbox")) - before == sent


async def test_a_wrong_code_and_an_unknown_number_look_the_same(database: str) -> None:
    async with house(database) as (service, receipt):
        wrong = "000000" if receipt.code != "000000" else "111111"
        said = set()
        for number, code in [
            (receipt.number, wrong), (receipt.number, ""), (TicketNumber("DG20261120300000000"), receipt.code),
            (TicketNumber("nonsense"), "x"), (receipt.number, "六"),
        ]:
            with pytest.raises(NotFound) as caught:
                await service.progress(number, code)
            said.add(caught.value.detail)
        assert len(said) == 1


async def test_what_citizens_may_do(database: str) -> None:
    async with house(database) as (service, receipt):
        number, code = receipt.number, receipt.code
        with pytest.raises(IllegalTransition, match="no answer"):
            await service.rate(number, code, Rating.SATISFIED, None, "")
        more = await service.supplement(number, code, "还有一盏也不亮", (), "k1")
        assert (await service.supplement(number, code, "还有一盏也不亮", (), "k1")).repeat
        assert (more.number, more.continued) == (number, True)
        with pytest.raises(InvalidInput):
            await service.supplement(number, code, "  ", (), "k2")
        await service.withdraw(number, code, "已自行解决")
        await service.withdraw(number, code, "已自行解决")
        with pytest.raises(IllegalTransition, match="finished"):
            await service.supplement(number, code, "x", (), "k3")
        late = await service.supplement(number, code, "还有一盏也不亮", (), "k1")
        assert (late.number, late.repeat) == (number, True), "its first answer was lost: it was taken all the same"
        types = [row["type"] for row in await all_rows(database, "SELECT type FROM ticket_events ORDER BY position")]
        assert types == ["receive", "accept", "dispatch", "add_message", "withdraw"]


@pytest.mark.parametrize(
    ("role", "command"), list(itertools.product(Role, [*EXAMPLES.values(), *SIDE_EXAMPLES.values()])),
    ids=lambda one: one.value if isinstance(one, Role) else c.tag_of(type(one)),
)
def test_the_grid_of_permissions(role: Role, command: c.Command) -> None:
    """Every command is either permitted to a role or refused by name; nobody gets it by omission."""
    from hotline.permissions import check_permitted
    from tests.hotline.test_decide import ticket

    permitted = role is Role.SYSTEM or type(command) in PERMITTED.get(role, frozenset())
    acting = Actor(role, "城管局")
    theirs = ticket(lead="城管局")
    if isinstance(command, c.GiveOpinion):  # assisting departments have one
        theirs = ticket(lead="水务局", assisting=("城管局",))
    if permitted:
        check_permitted(acting, command, theirs)
    else:
        with pytest.raises(Forbidden, match=c.tag_of(type(command))):
            check_permitted(acting, command, theirs)


def test_every_command_can_be_given_by_somebody() -> None:
    system_only = {c.RaiseAlarm, c.ShowLight, c.Adopt, c.Disown}
    given = {command for commands in PERMITTED.values() for command in commands}
    assert {*EXAMPLES, *SIDE_EXAMPLES} - given == system_only


async def test_a_department_acts_on_its_own_tickets_only(database: str) -> None:
    async with house(database) as (service, receipt):
        with pytest.raises(Forbidden, match="not led by"):
            await service.act(receipt.number, c.Sign(), actor=OTHER)
        with pytest.raises(Forbidden):
            await service.act(receipt.number, c.AddNote(text="x"), actor=OTHER)


async def test_an_assisting_department_may_add_notes(database: str) -> None:
    async with house(database) as (service, receipt):
        request = c.RequestReturn(legal_basis="派单目录", suggested="水务局")
        await service.act(receipt.number, request, actor=LEAD)
        await service.act(receipt.number, c.ApproveReturn(), actor=SUPERVISOR)
        await service.act(receipt.number, c.Dispatch(lead="水务局", assisting=("城管局",)), actor=AGENT)
        await service.act(receipt.number, c.AddNote(text="已配合"), actor=LEAD)
        with pytest.raises(Forbidden):
            await service.act(receipt.number, c.Sign(), actor=LEAD)


@pytest.mark.parametrize(
    "command",
    [c.Dispatch(lead="无此局"), c.Dispatch(lead="城管局", assisting=("无此局",)), c.Rule(lead="无此局"),
     c.Redispatch(lead="无此局"), c.RequestReturn(legal_basis="x", suggested="无此局")],
    ids=c.tag_of,
)
async def test_a_unit_must_be_in_the_directory(database: str, command: c.Command) -> None:
    async with house(database) as (service, receipt):
        with pytest.raises(InvalidInput, match="无此局"):
            await service.act(receipt.number, command, actor=SYSTEM)


async def test_two_people_never_overwrite_each_other(database: str) -> None:
    async with house(database) as (service, receipt):
        version = (await service.act(receipt.number, c.AddNote(text="0"), actor=AGENT)).version
        attempts = [
            service.act(receipt.number, c.Correct(title=f"标题{n}"), actor=AGENT, expected_version=version)
            for n in range(10)
        ]
        results = await asyncio.gather(*attempts, return_exceptions=True)
        assert sum(isinstance(result, VersionConflict) for result in results) == 9
        blind = [service.act(receipt.number, c.AddNote(text=f"{n}"), actor=AGENT) for n in range(10)]
        versions = sorted(ticket.version for ticket in await asyncio.gather(*blind))
        assert versions == list(range(version + 2, version + 12))


async def test_a_refused_command_writes_nothing(database: str) -> None:
    async with house(database) as (service, receipt):
        refused: list[tuple[Actor, c.Command]] = [
            (LEAD, c.Reply(internal="x", public="y")), (SUPERVISOR, c.GrantExtension()),
            (AGENT, c.Supervise(reason="x")),
        ]
        for actor, command in refused:
            with pytest.raises((Forbidden, IllegalTransition)):
                await service.act(receipt.number, command, actor=actor)
        assert [row["version"] for row in await all_rows(database, "SELECT version FROM tickets")] == [3]
        assert len(await all_rows(database, "SELECT 1 FROM ticket_events")) == 3
