"""A small year in every test run: invariants, figures, and the same log in a database checked by `hotline.store`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from hotline import commands as c
from hotline.city import load_city
from hotline.clocks import Clocks
from hotline.decide import decide
from hotline.events import TicketEvent
from hotline.store.database import open_pool
from hotline.store.tally_rebuild import check as check_figures
from hotline.store.tally_rebuild import rebuild
from hotline.store.tickets import TicketStore
from hotline.supervision import Supervision
from hotline.terms import State
from hotline.ticket import Ticket, replay
from tests.hotline.test_timers import MONDAY, POLICY, dispatched
from tests.year.__main__ import AS_OF, main
from tests.year.books import Books
from tests.year.database import Log
from tests.year.invariants import Broken, check
from tests.year.world import World

CITY = load_city(Path("cities/441900"))


def lived(tickets: int, seed: int) -> tuple[World, Books, dict[int, Sequence[TicketEvent]]]:
    books, lives = Books(AS_OF), dict[int, Sequence[TicketEvent]]()

    def done(id_: int, events: Sequence[TicketEvent]) -> None:
        books.add(events)
        lives[id_] = events

    world = World(CITY, tickets=tickets, seed=seed, done=done, arrived=lambda: None)
    world.run()
    return world, books, lives


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_invariant_holds_and_the_figures_are_what_a_recount_finds(seed: int) -> None:
    world, books, lives = lived(500, seed)
    assert books.differences() == []
    assert len(lives) == world.tickets > 400
    assert all(events[-1].state is State.ARCHIVED for events in lives.values())
    assert sum(books.recounted.values()) > 1000, "there is something to compare"


def test_the_same_seed_lives_the_same_year() -> None:
    first, _, lives = lived(120, 9)
    second, _, again = lived(120, 9)
    assert (first.facts, lives) == (second.facts, again)


def test_a_year_has_every_kind_of_event() -> None:
    world, _, _ = lived(3000, 4)
    played = {
        "accept", "answer", "hand_off", "reject", "merge", "adopt", "ask_info", "supply_info", "resume", "withdraw",
        "dispatch", "sign", "request_return", "approve_return", "reply", "accept_reply", "reject_reply",
        "settle_follow_up", "dispute_follow_up", "redispatch", "close", "reopen", "archive", "urge", "correct",
        "reassess", "record_contact", "record_arrival", "rate", "request_extension", "grant_extension", "supervise",
        "show_light", "record_try", "acknowledge_incident", "raise_alarm", "clear_alarm", "give_opinion",
    }
    assert played <= set(world.facts)


async def test_the_log_of_a_year_in_a_database(database: str) -> None:
    log, lives = Log(), lived(300, 6)[2]
    for id_, events in lives.items():
        log.add(id_, events)
    assert await log.write(database) == sum(len(events) for events in lives.values())
    async with await open_pool(database) as pool:
        store = TicketStore(pool, prefix="DG")
        for id_ in list(lives)[:40]:
            ticket = replay(lives[id_])
            assert (await store.read(ticket.number)).ticket == ticket
        await rebuild(pool, lambda: datetime(2028, 1, 1, tzinfo=UTC))
        verdict = await check_figures(pool)
        assert (verdict.differences, verdict.tickets) == ((), len(lives))
        assert verdict.lines > 1000


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tickets", "60", "--seed", "8"]) == 0
    assert "kept and recounted: equal" in capsys.readouterr().out


# ── the checks themselves can fail ───────────────────────────────────────────────────────────────
def broken(before: Ticket, command: c.Command, **changes: object) -> str:
    """Return what the check says of a decision that was tampered with."""
    ticket, event = decide(before, command, now=MONDAY, policy=POLICY)
    told = changes.pop("told", ("something",))
    after = msgspec.structs.replace(ticket, **changes)
    event = msgspec.structs.replace(event, state=after.state)
    with pytest.raises(Broken) as caught:
        check(before, after, event, told, 0)  # type: ignore[arg-type]
    return str(caught.value).partition(":")[0]


def test_each_invariant_notices_when_it_is_broken() -> None:
    start = dispatched()
    assert broken(start, c.Sign(), state=State.CLOSED) == "no state outside the table"
    assert broken(start, c.Sign(), lead="") == "one lead department"
    assert broken(start, c.Sign(), assisting=("城管局",)) == "who leads does not assist"
    assert broken(start, c.Sign(), version=9) == "events without gaps"
    assert broken(start, c.Sign(), supervision=Supervision.LEVEL_2) == "supervision climbs one by one and never falls"
    assert broken(start, c.Sign(), told=()) == "every citizen is told"
    early = msgspec.structs.replace(start.clocks, completion_due=datetime(2026, 3, 1, tzinfo=UTC))
    assert broken(start, c.Sign(), clocks=early) == "clocks never negative"
    late = msgspec.structs.replace(start.clocks, completion_due=datetime(2026, 9, 1, tzinfo=UTC))
    assert broken(start, c.Sign(), clocks=late) == "the ceiling is a hard limit"
    paused = msgspec.structs.replace(start.clocks, paused_at=MONDAY)
    assert broken(start, c.Sign(), clocks=paused) == "a pause ends with the question"
    assert broken(start, c.Withdraw(), clocks=Clocks()) == "what waits for time has a timer"
