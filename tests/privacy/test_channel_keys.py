"""Whose phone was learnt is found by it, and what their channel knows them by still leads to their tickets."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

from channels.message import Inbound, Receipt
from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.events import Actor, Role
from hotline.service import Service
from hotline.terms import Channel
from tests.cities import RULES
from tests.hotline.nuisance_house import WANG, House, house

OPENID, AGENT = "openid-of-li", Actor(Role.AGENT, "li")
_ids = itertools.count()


async def says(home: House, key: str = OPENID, channel: Channel = Channel.WECHAT) -> Receipt:
    home.now += timedelta(seconds=1)
    appeal = Appeal(text=f"骂人{home.now}", citizen=Citizen(key=key))
    return await home.intake.submit(Inbound(
        channel=channel, external_id=f"w{next(_ids)}", appeal=appeal, received_at=home.now,
    ))


async def learns(home: House, number: str, phone: str) -> None:
    service = Service(store=home.store, intake=home.intake, rules=lambda: RULES, clock=lambda: home.now)
    await service.act(number, c.Correct(citizen=Citizen(phone=phone)), actor=AGENT)


async def test_who_is_marked_by_an_open_id_stays_contained_when_their_phone_is_learnt(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        told = [await says(home) for _ in range(3)]
        for receipt in told:
            await learns(home, receipt.number, "+8613800138000")
        since = home.now - timedelta(days=1)
        assert (await home.rows.count(OPENID, since), await home.rows.count("+8613800138000", since)) == (3, 3)
        await home.desk.mark(WANG, OPENID, "辱骂多次")
        before = await home.tickets()
        contained = [await says(home) for _ in range(2)]
        for receipt in contained:
            await learns(home, receipt.number, "+8613800138000")
        assert (await says(home)).number == contained[1].number, "it joins the open ticket"
        assert await home.tickets() == before + 2
        case = await home.rows.case(OPENID, since)
        assert set(case.tickets) == {receipt.number for receipt in (*told, *contained)}
        assert len(case.contacts) == 6


async def test_a_chat_without_a_phone_is_marked_and_its_tickets_are_the_evidence(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        told = [await says(home, "chat:abc", Channel.WEB) for _ in range(3)]
        await home.desk.mark(WANG, "", "辱骂多次", number=told[0].number)
        await says(home, "chat:abc", Channel.WEB)
        case = await home.rows.case("chat:abc", home.now - timedelta(days=1))
        assert len(case.tickets) == 4
        assert [one.outcome for one in case.contacts].count("") == 3, "the fourth came under the mark"
