"""The spool: what was promised is submitted until it is in, and told once."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from channels.message import Inbound, Receipt
from hotline.appeal import Appeal, Citizen
from hotline.durable import write_durably
from hotline.errors import HotlineError, IllegalTransition, KeyReused, Overloaded, RateLimited, Unavailable
from hotline.ids import TicketNumber
from hotline.spool import Spool
from tests.hotline.test_intake import inbound

RECEIPT = Receipt(
    number="DG1", code="000000", status="received", verdict="non_emergency", category="", department="",  # type: ignore[arg-type]
    expected_by=None,
)


class Hotline:
    """Takes submissions, or fails as told."""

    def __init__(self, *outcomes: HotlineError | None) -> None:
        self.outcomes, self.taken, self.told = list(outcomes), list[Inbound](), list[str]()

    async def submit(self, message: Inbound) -> Receipt:
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        self.taken.append(message)
        return RECEIPT

    async def tell(self, message: Inbound, receipt: Receipt) -> None:
        self.told.append(message.external_id)


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Broken(Hotline):
    """Takes everything but the delivery `bad`."""

    bad = "bad"
    fault: HotlineError = Unavailable("a fault of ours")

    async def submit(self, message: Inbound) -> Receipt:
        if message.external_id == self.bad:
            self.outcomes = [self.fault]
        return await super().submit(message)


def spool(folder: Path, hotline: Hotline, clock: Time | None = None) -> Spool:
    return Spool(folder, write=write_durably, submit=hotline.submit, tell=hotline.tell, clock=clock or Time())


def put(kept: Spool, key: str, age: int = 0) -> None:
    """Put a delivery that has waited for `age` seconds."""
    before = set(kept.waiting())
    kept.put(inbound(key=key))
    for path in set(kept.waiting()) - before:
        os.utime(path, (1_000_000 - age, 1_000_000 - age))


async def test_what_is_put_is_submitted_told_and_gone(tmp_path: Path) -> None:
    hotline, message = Hotline(), inbound("路灯不亮")
    kept = spool(tmp_path / "spool", hotline)
    assert kept.waiting() == []
    kept.put(message)
    kept.put(message)
    await kept.drain()
    assert (hotline.taken, hotline.told, kept.waiting()) == ([message], [message.external_id], [])


async def test_words_for_a_ticket_that_has_ended_meanwhile_are_a_matter_of_their_own(tmp_path: Path) -> None:
    hotline = Hotline(IllegalTransition("the ticket is finished"))
    told = msgspec.structs.replace(
        inbound("又坏了"), continues=TicketNumber("DG20261120100000001"),
        appeal=Appeal(text="又坏了", citizen=Citizen(key="openid")),
    )
    kept = spool(tmp_path, hotline)
    kept.put(told)
    await kept.drain()
    assert [(one.continues, one.conversation, one.appeal) for one in hotline.taken] == [(None, "openid", told.appeal)]
    assert kept.waiting() == []


async def test_it_waits_while_the_database_is_away_and_survives_a_restart(tmp_path: Path) -> None:
    hotline, message = Hotline(Unavailable("away"), None), inbound()
    spool(tmp_path, hotline).put(message)
    await spool(tmp_path, hotline).drain()
    assert hotline.taken == []
    await spool(tmp_path, hotline).drain()
    assert hotline.taken == [message]


async def test_one_delivery_that_never_gets_through_holds_up_no_other(tmp_path: Path) -> None:
    hotline, clock = Broken(), Time()
    kept = spool(tmp_path, hotline, clock)
    put(kept, "bad", age=60)
    put(kept, "good")
    await kept.drain()
    assert hotline.told == ["good"]
    for round_ in range(40):
        clock.now += 10
        put(kept, f"later-{round_}")
        await kept.drain()
    assert len(hotline.told) == 41
    assert kept.count() == (0, 1)
    assert [path.suffix for path in tmp_path.iterdir()] == [".stuck"]
    hotline.bad = ""
    await kept.drain()
    assert "bad" not in hotline.told, "what was set aside is tried every hour"
    clock.now += 3600
    await kept.drain()
    assert (hotline.told[-1], kept.count()) == ("bad", (0, 0))


async def test_an_answer_that_cannot_be_written_holds_up_no_other(tmp_path: Path) -> None:
    hotline, clock = Hotline(), Time()
    faults, tell = ["bad"], hotline.tell

    async def telling(message: Inbound, receipt: Receipt) -> None:
        if message.external_id in faults:
            raise KeyError("a fault of ours")
        await tell(message, receipt)

    hotline.tell = telling  # type: ignore[method-assign]
    kept = spool(tmp_path, hotline, clock)
    put(kept, "bad", age=60)
    put(kept, "good")
    await kept.drain()
    assert (hotline.told, kept.count()) == (["good"], (1, 0))
    faults.clear()
    clock.now += 10
    await kept.drain()
    assert (hotline.told, kept.count()) == (["good", "bad"], (0, 0))


async def test_a_hotline_that_is_full_sets_nothing_aside(tmp_path: Path) -> None:
    hotline, clock = Broken(), Time()
    hotline.fault = Overloaded("full", retry_after=2)
    kept = spool(tmp_path, hotline, clock)
    put(kept, "bad", age=60)
    for round_ in range(40):
        clock.now += 10
        put(kept, f"later-{round_}")
        await kept.drain()
    assert (len(hotline.told), kept.count()) == (40, (1, 0))


async def test_what_fails_while_nothing_else_gets_through_is_never_set_aside(tmp_path: Path) -> None:
    hotline, clock = Broken(), Time()
    kept = spool(tmp_path, hotline, clock)
    put(kept, "bad")
    for _ in range(100):
        clock.now += 10
        await kept.drain()
    assert kept.count() == (1, 0)
    hotline.bad = ""
    await kept.drain()
    assert (hotline.told, kept.count()) == ([], (1, 0)), "its pause is not over"
    clock.now += 10
    await kept.drain()
    assert (hotline.told, kept.count()) == (["bad"], (0, 0))


async def test_while_the_core_is_away_only_a_few_are_tried(tmp_path: Path) -> None:
    hotline, clock = Hotline(*[Unavailable("away")] * 100), Time()
    kept = spool(tmp_path, hotline, clock)
    for number in range(20):
        put(kept, str(number), age=number)
    await kept.drain()
    assert len(hotline.outcomes) == 97
    hotline.outcomes = []
    for _ in range(2):
        await kept.drain()
        clock.now += 1
    assert kept.waiting() == []


async def test_a_file_that_another_process_takes_meanwhile_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = spool(tmp_path, Hotline())
    kept.put(inbound())
    there = kept.waiting()
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [*there, tmp_path / "gone.json"])
    assert kept.waiting() == there


async def test_what_containment_refuses_is_kept_as_evidence_and_not_here(tmp_path: Path) -> None:
    kept = spool(tmp_path, hotline := Hotline(RateLimited("one too many")))
    kept.put(inbound())
    await kept.drain()
    assert (kept.count(), hotline.taken, hotline.told) == ((0, 0), [], [])


async def test_what_is_refused_or_damaged_is_set_aside_not_lost(tmp_path: Path) -> None:
    hotline = Hotline(KeyReused("other content"))
    kept = spool(tmp_path, hotline)
    kept.put(inbound())
    await kept.drain()
    for name, damaged in enumerate((b'{"channel":', b'{"channel":"\xff"}', b'{"appeal":' * 100_000)):
        (tmp_path / f"{name}.json").write_bytes(damaged)
    await kept.drain()
    assert kept.waiting() == []
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".refused", *[".unreadable"] * 3]
    assert kept.count() == (0, 4)
