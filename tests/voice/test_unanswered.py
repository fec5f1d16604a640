"""An emergency desk that does not pick up: supervisors are told, and it stays with the call. The PBX is in memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hotline.store.call_floor import CallDeskStore
from hotline.store.database import open_pool
from hotline.store.queues import QueueStore
from hotline.store.telephone import TelephoneStore
from hotline.telephone import Telephone
from routing import call_words as m
from routing.call_wait import GREETING
from routing.calls import Role
from tests.voice.test_catching_up import Exchange

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


async def test_supervisors_are_told_of_a_silent_desk_and_the_call_keeps_it(database: str) -> None:
    async with await open_pool(database, size=3) as pool:
        pbx = Exchange()
        telephone = Telephone(pbx=pbx, store=TelephoneStore(pool), books=pbx, clock=lambda: NOW)

        def channel(role: Role) -> str:
            return next(leg.channel for leg in telephone.calls["c1"].legs if leg.role is role)

        for event in (m.Entered("c1", "13800138000", "12345"), m.Played("c1", GREETING), m.Assigned("wang", "x")):
            await telephone.happen("c1", event)
        await telephone.happen("c1", m.Up(channel(Role.AGENT)))
        await telephone.happen("c1", m.Conference("110", "outside:110"))
        for _ in range(2):
            await telephone.happen("c1", m.RungOut(channel(Role.PARTY)))
        told = await pool.fetch("SELECT doc FROM presence_events WHERE topic = 'alarms' ORDER BY position")
        assert [json.loads(row["doc"])["unanswered"] for row in told] == [["110"], ["110", "110"]]
        assert all("13800138000" not in row["doc"] and "card" not in json.loads(row["doc"]) for row in told)
        [row] = (await CallDeskStore(pool, QueueStore(pool)).floor(NOW)).calls
        assert row.unanswered == ("110", "110")
        await telephone.happen("c1", m.Gone("c1"))
        assert await pool.fetchval("SELECT unanswered FROM calls WHERE ended_at IS NOT NULL") == ["110", "110"]
