"""Where chats stand: who waits, how many are ahead, whom an agent has."""

from __future__ import annotations

import pytest

from channels.chat_codec import Say, inbound_of
from channels.views import ChatPhase
from hotline import commands as c
from hotline.events import Actor, Role
from hotline.service import Service
from hotline.store.channels import ChannelStore
from hotline.store.database import open_pool
from hotline.store.tickets import TicketStore
from tests.cities import RULES
from tests.hotline.test_intake import NOW, inbound, intake_over

SESSIONS = [f"session-{n}-{'x' * 32}" for n in range(4)]
AGENT = Actor(Role.AGENT, "zhang")


def said(session: str, text: str = "想问一下社保卡"):  # type: ignore[no-untyped-def]
    return inbound_of(session, Say(id="m1", text=text, person=True), (), now=NOW)


async def test_chats_wait_in_their_order_until_an_agent_takes_them(database: str) -> None:
    async with intake_over(database) as intake, await open_pool(database) as pool:
        store = ChannelStore(pool)
        service = Service(store=TicketStore(pool, prefix="DG"), intake=intake, rules=lambda: RULES, clock=lambda: NOW)
        numbers = [(await intake.submit(said(session))).number for session in SESSIONS[:3]]
        await intake.submit(inbound("这件不是聊天"))

        async def standing() -> dict[str, tuple[str, int]]:
            return {one.session: (one.phase, one.ahead) for one in await store.chat_standings(SESSIONS)}

        assert await standing() == {session: (ChatPhase.WAITING, n) for n, session in enumerate(SESSIONS[:3])}
        await service.act(numbers[0], c.Claim(agent="zhang"), actor=AGENT)
        assert await standing() == {
            SESSIONS[0]: (ChatPhase.WITH_AGENT, 0), SESSIONS[1]: (ChatPhase.WAITING, 0),
            SESSIONS[2]: (ChatPhase.WAITING, 1),
        }
        await service.act(numbers[1], c.Withdraw(), actor=AGENT)
        assert (await standing())[SESSIONS[1]] == (ChatPhase.OVER, 0)
        assert (await standing())[SESSIONS[2]] == (ChatPhase.WAITING, 0)
        merged = (await pool.fetchval("SELECT id FROM tickets WHERE number = $1", numbers[0]))
        await service.act(numbers[2], c.Merge(parent=merged), actor=AGENT)
        assert (await standing())[SESSIONS[2]] == (ChatPhase.WITH_AGENT, 0)


@pytest.mark.parametrize("text", ["体育路路灯不亮"])
async def test_what_a_unit_handles_waits_for_nobody(database: str, text: str) -> None:
    async with intake_over(database) as intake, await open_pool(database) as pool:
        delivery = inbound_of(SESSIONS[0], Say(id="m1", text=text), (), now=NOW)
        await intake.submit(delivery)
        [one] = await ChannelStore(pool).chat_standings(SESSIONS)
        assert (one.phase, one.ahead) == (ChatPhase.HANDLED, 0)
