"""What became of a transfer from 110 is told to the desk: by a job, over real HTTP, once, whatever the desk does."""

from __future__ import annotations

import msgspec
import pytest

from channels.police_codec import Outcome, decode_transfer
from hotline import commands as c
from hotline.errors import RuleViolation
from hotline.events import Actor, Role
from hotline.handoff import Later
from hotline.messages import Messages
from hotline.senders import OutcomeSender
from hotline.terms import Channel, State
from tests.cities import NOW
from tests.hotline.test_handoff import World, world
from tests.hotline.test_intake import inbound, intake_over

INCIDENT = "4419002026112100017"


async def answered(w: World, incident: str = INCIDENT) -> tuple[str, list[str]]:
    """Return the number of a transfer that was answered, and the keys of what is owed to the desk since."""
    body = msgspec.json.encode({"incident": incident, "matter": "社保", "text": "咨询社保"})
    async with intake_over(w.dsn) as intake:
        receipt = await intake.submit(decode_transfer(body, key="k1", now=NOW))
    await w.service.act(receipt.number, c.Answer(text="社保每月十五日前缴"), actor=Actor(Role.AGENT, "li"))
    rows = await w.pool.fetch("SELECT key FROM outbox ORDER BY created_at, key")  # type: ignore[attr-defined]
    return receipt.number, [row["key"] for row in rows]


def outcomes(w: World) -> OutcomeSender:
    return OutcomeSender(w.hand_offs._desk, read=w.store.read, read_id=w.store.read_id, clock=w.now)  # type: ignore[arg-type]


def messages(w: World) -> Messages:
    assert w.hand_offs._desk is not None
    return Messages(rows=w.rows, senders={Channel.POLICE: outcomes(w)}, service=w.service, clock=w.now)


@pytest.mark.parametrize("fault", ["none", "slow", "twice", "down", "error"])
async def test_the_desk_has_the_outcome_once_whatever_it_did_at_first(database: str, fault: str) -> None:
    async with world(database, fault) as w:
        number, keys = await answered(w)
        assert keys
        for key in keys:
            try:
                await messages(w).send(key)
            except Later:
                assert fault in ("twice", "down", "error")
        w.desk.fault = "none"
        for key in keys * 2:  # a job may run again
            await messages(w).send(key)
        assert set(w.desk.outcomes) == set(keys)
        [told] = [one for one in w.desk.outcomes.values() if "每月十五日" in one.outcome]
        assert told == Outcome(
            incident=INCIDENT, number=number, status=State.ANSWERED, department="", outcome=told.outcome,
            at=NOW.replace(microsecond=0),
        )


async def test_a_transfer_by_key_only_gets_its_outcome_under_that_key(database: str) -> None:
    async with world(database) as w:
        number, keys = await answered(w, incident="")
        for key in keys:
            await messages(w).send(key)
        [told] = [one for one in w.desk.outcomes.values() if "每月十五日" in one.outcome]
        assert (told.number, told.incident, told.key) == (number, "", "k1")


async def test_of_a_merged_transfer_the_desk_hears_how_the_matter_stands(database: str) -> None:
    """It stood as `merged`, at no department, for ever: the desk could not end its own case by it."""
    async with world(database) as w:
        async with intake_over(w.dsn) as intake:
            body = msgspec.json.encode({"incident": INCIDENT, "matter": "路灯", "text": "路灯不亮"})
            number = (await intake.submit(decode_transfer(body, key="k1", now=NOW))).number
            parent = (await w.store.read((await intake.submit(inbound())).number))
        await w.service.act(number, c.Merge(parent=parent.id), actor=Actor(Role.AGENT, "li"))
        await w.service.act(parent.ticket.number, c.Sign(), actor=Actor(Role.DEPARTMENT, "城管局"))
        for row in await w.pool.fetch("SELECT key FROM outbox WHERE channel = 'police'"):  # type: ignore[attr-defined]
            await messages(w).send(row["key"])
        [told] = [one for one in w.desk.outcomes.values() if "签收" in one.outcome]
        assert (told.number, told.status, told.department) == (number, State.HANDLING, "城管局")


async def test_an_outcome_without_a_ticket_is_no_outcome(database: str) -> None:
    async with world(database) as w:
        _, [key, *_] = await answered(w)
        begun = await w.rows.begin_send(key)
        assert begun is not None
        with pytest.raises(RuleViolation):
            await outcomes(w).send(msgspec.structs.replace(begun[0], number=None))
        assert w.desk.outcomes == {}
