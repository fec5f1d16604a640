"""A short run of tests/chaos.py, and proof that its counting notices what it looks for."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

from tests.chaos import Watcher, chaos, counted
from tests.faults.run import faults
from tests.hotline.test_intake import inbound, intake_over
from tests.load import Ledger
from tests.processes import House
from tests.talkers import Visitor


async def test_nothing_is_lost_or_doubled_when_the_service_is_killed() -> None:
    found = await chaos(kills=3, citizens=12, consoles=2, seed=7, quiet=True)
    assert {kind: count for kind, count in found.items() if count} == {}


async def test_nothing_is_lost_or_doubled_by_the_faults_that_differ_most() -> None:
    only = ["service restarted", "database failed over", "disk full", "clock ahead"]
    found = await faults(minutes=0, citizens=1, consoles=2, seed=3, only=only, quiet=True)
    assert {kind: count for kind, count in found.items() if count} == {}


async def test_the_counting_notices() -> None:
    async with House(durable=False) as house:
        async with intake_over(house.dsn) as intake:
            kept = await intake.submit(inbound(key="kept"))
            urgent = await intake.submit(inbound("厂房着火了", key="urgent"))
        ledger, watcher = Ledger(), Watcher(house)
        ledger.sent |= {"kept", "urgent", "lost"}
        ledger.acknowledge("kept", kept.number)
        ledger.acknowledge("urgent", urgent.number)
        watcher.start, watcher.seqs = 0, []
        clean = await counted(house, ledger, [])
        assert {kind for kind, count in clean.items() if count} == {
            "emergencies missing at the desk", "incidents unsettled",
        }
        line = json.dumps({"key": f"{urgent.number}-2"})
        await asyncio.to_thread((house.home / "desk.jsonl").write_text, f"{line}\n{line}\n" + '{"key":"unknown"}\n')
        ledger.acknowledge("lost", "DG1")
        ledger.acknowledge("kept", "DG2")
        ledger.sent.discard("urgent")
        ledger.conversations |= {"kept": "chat-1", "urgent": "chat-1"}
        wrong = await counted(house, ledger, [watcher])
        assert {kind: count for kind, count in wrong.items() if count} == {
            "acknowledged but not there": 1, "answered with two numbers": 1, "never sent": 1,
            "emergencies twice at the desk": 1, "unknown at the hotline": 1, "incidents unsettled": 1,
            "consoles with a gap, a repeat or disorder": 1, "appeals with two tickets": 1,
        }


def test_a_broken_chat_and_a_silent_way_are_noticed() -> None:
    ledger, visitor = Ledger(), Visitor(None)  # type: ignore[arg-type] - it connects to nothing
    assert not visitor.broken()
    for seqs, own, broken in (([1, 2, 3], ["a", "b"], False), ([1, 3], [], True), ([1, 1], [], True), ([2], [], True),
                              ([1, 2], ["a", "a"], True)):
        visitor.seqs, visitor.own = seqs, Counter(own)
        assert visitor.broken() is broken
    ledger.acknowledge("chat-1-0", "DG1")
    assert (ledger.silent("chat"), ledger.silent("chat", "call")) == (0, 1)
