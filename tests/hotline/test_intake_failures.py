"""Intake where something fails: triage, routing, the database, too much at once. Nothing is lost, all are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import msgspec
import pytest

from channels.message import Receipt
from hotline.appeal import Appeal, Category, Place, Triage
from hotline.city import load_city
from hotline.config import Settings
from hotline.core import open_core
from hotline.errors import Overloaded, Unavailable
from hotline.intake import Limits
from hotline.terms import Kind, State
from tests.cities import RULES
from tests.hotline.test_intake import all_rows, inbound, intake_over, triage


async def test_when_triage_fails_the_ticket_is_committed_for_a_person(database: str) -> None:
    def broken(texts: Sequence[str], /) -> list[Triage]:
        raise RuntimeError("the model is gone")

    async with intake_over(database, triage_with=broken) as intake:
        receipt = await intake.submit(inbound())
    assert (receipt.status, receipt.department, receipt.verdict) == ("received", "", "unclear")
    [row] = await all_rows(database, "SELECT summary FROM tickets")
    assert msgspec.json.decode(row["summary"])["needs_person"] is True


async def test_when_routing_fails_a_person_decides_and_danger_still_goes_to_110(database: str) -> None:
    wish = Category(l1="12", l2="微心愿", confidence=1.0)
    broken = msgspec.structs.replace(
        RULES, directory=SimpleNamespace(version="none"), wish=wish,  # type: ignore[arg-type]
    )
    async with intake_over(database, rules=broken) as intake:
        plain, urgent, placed, wished, named = await asyncio.gather(*map(intake.submit, (
            inbound(), inbound("厂房着火了"),
            inbound(key="placed", appeal=Appeal(text="体育路路灯不亮", place=Place(town="南城"))),
            inbound(key="wished", appeal=Appeal(text="想要一个书包", kind=Kind.WISH)),
            msgspec.structs.replace(inbound(key="named"), category=Category(l1="03", l2="路灯", confidence=1.0)),
        )))
    for one in (placed, wished, named):
        assert (one.status, one.department) == ("received", "")
    assert (plain.status, plain.verdict, plain.department) == ("received", "non_emergency", "")
    assert urgent.verdict == "emergency"
    assert len(await all_rows(database, "SELECT 1 FROM incidents")) == 1
    summaries = [msgspec.json.decode(row["summary"]) for row in await all_rows(database, "SELECT summary FROM tickets")]
    by_hand = {one["number"] for one in summaries if one.get("needs_person")}
    assert by_hand == {one.number for one in (plain, placed, wished, named)}


@pytest.mark.parametrize(("wrong", "kept"), [
    ({"evidence": (None,)}, ["add_message", "reassess"]), ({"verdict": "graver still"}, ["add_message"]),
], ids=["no-words-for-it", "no-such-verdict"])
async def test_when_what_follows_from_a_message_fails_the_message_is_kept_and_the_danger_if_possible(
    database: str, wrong: dict[str, object], kept: list[str]
) -> None:
    def broken(texts: Sequence[str], /) -> list[Triage]:
        return [msgspec.structs.replace(one, **(wrong if one.evidence else {})) for one in triage(texts)]

    async with intake_over(database, triage_with=broken) as intake:
        first = await intake.submit(inbound())
        receipt = await intake.submit(inbound("现在着火了", continues=first.number))
    assert (receipt.number, receipt.continued) == (first.number, True)
    found = [row["type"] for row in await all_rows(database, "SELECT type FROM ticket_events ORDER BY position")]
    assert found[found.index("add_message"):] == kept
    assert receipt.verdict == ("emergency" if "reassess" in kept else first.verdict)


async def test_when_triage_is_late_the_ticket_is_committed_for_a_person(database: str) -> None:
    release = __import__("threading").Event()

    def stuck(texts: Sequence[str], /) -> list[Triage]:
        release.wait(30)
        return triage(texts)

    async with intake_over(database, triage_with=stuck, limits=Limits(triage_timeout=0.05)) as intake:
        receipt = await intake.submit(inbound())
        assert receipt.status == State.RECEIVED
        release.set()


@pytest.mark.parametrize(("verdict_within", "verdict"), [(0.02, "unclear"), (60.0, "non_emergency")])
async def test_triage_has_the_time_that_the_city_gives_a_verdict(
    database: str, tmp_path: Path, verdict_within: float, verdict: str
) -> None:
    def slow(texts: Sequence[str], /) -> list[Triage]:
        time.sleep(0.2)
        return triage(texts)

    city = load_city(Path("cities/441900"))
    city = msgspec.structs.replace(
        city, emergency=msgspec.structs.replace(city.emergency, verdict_within=verdict_within)
    )
    settings = Settings(data_dir=str(tmp_path))
    async with open_core(settings, triage=slow, city=city, dsn=database) as core, core.intake as intake:
        assert (await intake.submit(inbound())).verdict == verdict


async def test_an_endless_triage_is_interrupted_and_left_alone_for_a_while(database: str) -> None:
    calls = 0

    def endless(texts: Sequence[str], /) -> list[Triage]:
        nonlocal calls
        calls += 1
        while True:
            pass

    limits = Limits(triage_timeout=0.02, late_in_a_row=2)
    async with intake_over(database, triage_with=endless, limits=limits) as intake:
        receipts = [await intake.submit(inbound()) for _ in range(5)]
    assert {receipt.verdict for receipt in receipts} == {"unclear"}
    assert calls == 2  # then it rests


async def test_when_triage_returns_too_few_nobody_gets_another_ones(database: str) -> None:
    async with intake_over(database, triage_with=lambda texts: []) as intake:
        assert (await intake.submit(inbound())).status == State.RECEIVED


async def test_overload_is_refused_before_memory_grows(database: str) -> None:
    async with intake_over(database, limits=Limits(max_waiting=5, max_batch=1)) as intake:
        results = await asyncio.gather(*(intake.submit(inbound()) for _ in range(50)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, Overloaded)]
    taken = [result for result in results if isinstance(result, Receipt)]
    assert len(refused) + len(taken) == 50
    assert refused
    assert refused[0].retry_after >= 1
    assert len(await all_rows(database, "SELECT 1 FROM tickets")) == len(taken)


async def test_leaving_drains_what_waits(database: str) -> None:
    async with intake_over(database) as intake:
        waiting = [asyncio.create_task(intake.submit(inbound())) for _ in range(20)]
        await asyncio.sleep(0)
    assert len({(await task).number for task in waiting}) == 20


async def test_a_failed_write_is_told_and_nothing_is_half_done(database: str) -> None:
    async with intake_over(database) as intake:
        await all_rows(database, "ALTER TABLE ticket_events ADD CONSTRAINT broken CHECK (version < 1)")
        with pytest.raises(Unavailable):
            await intake.submit(inbound("厂房着火了", key="k"))
        for table in ("tickets", "inbox", "incidents", "pgqueuer"):
            assert await all_rows(database, f"SELECT 1 FROM {table}") == []
        await all_rows(database, "ALTER TABLE ticket_events DROP CONSTRAINT broken")
        assert not (await intake.submit(inbound("厂房着火了", key="k"))).repeat


async def test_a_message_that_the_database_refuses_hurts_no_other(database: str) -> None:
    await all_rows(database, "ALTER TABLE inbox ADD CONSTRAINT broken CHECK (external_id <> 'bad')")
    async with intake_over(database) as intake:
        keys = ["k1", "k2", "bad", "k3", "k4"]
        sent = [intake.submit(inbound("厂房着火了", key=key)) for key in keys]
        answers = dict(zip(keys, await asyncio.gather(*sent, return_exceptions=True), strict=True))
    assert isinstance(answers.pop("bad"), Unavailable)
    numbers = {answer.number for answer in answers.values() if isinstance(answer, Receipt) and not answer.repeat}
    assert len(numbers) == 4
    assert len(await all_rows(database, "SELECT 1 FROM incidents")) == 4


async def test_a_database_that_is_too_slow_for_a_batch_is_not_asked_again_for_each_of_it(database: str) -> None:
    limit = "EXECUTE format('ALTER DATABASE %I SET lock_timeout = 200', current_database())"
    await all_rows(database, f"DO $$ BEGIN {limit}; END $$")
    held = await asyncpg.connect(database)
    async with intake_over(database) as intake, held.transaction():
        await held.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        sent = [intake.submit(inbound()) for _ in range(10)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
    await held.close()
    assert len({id(answer) for answer in answers}) == 1, "one answer of the database, for all"
    assert isinstance(answers[0], Unavailable)
    assert "LockNotAvailable" in answers[0].detail


async def test_what_fails_while_the_last_batch_is_drained_is_answered_too(database: str) -> None:
    await all_rows(database, "ALTER TABLE inbox ADD CONSTRAINT broken CHECK (external_id <> 'bad')")
    async with intake_over(database) as intake:
        sent = [asyncio.create_task(intake.submit(inbound(key=key))) for key in ("bad", "good")]
        await asyncio.sleep(0)
    answers = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable, Receipt]
