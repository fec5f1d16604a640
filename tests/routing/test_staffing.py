"""Staffing: the formulas against tables and birth–death chains, the plan, the paper, the command."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.__main__ import main
from hotline.errors import InvalidInput
from hotline.store.staffing import history, slots_of
from routing.erlang import agents_needed, erlang_b, erlang_c, serve
from routing.staffing import Slot, Target, need, plan
from routing.staffing_file import page, read_slots, table


@pytest.mark.parametrize(("agents", "load", "blocked"), [(1, 1.0, 0.5), (5, 3.0, 0.11005), (10, 5.0, 0.018385)])
def test_erlang_b_as_in_the_tables(agents: int, load: float, blocked: float) -> None:
    assert erlang_b(agents, load) == pytest.approx(blocked, rel=1e-4)


def test_erlang_c_of_the_textbook() -> None:
    """100 calls in half an hour of 180 s, 14 agents: 17.4 % wait, 88.8 % within 20 s, 7.8 s on average."""
    assert erlang_c(14, 10) == pytest.approx(0.1741, abs=1e-4)
    found = serve(agents=14, rate=100 / 1800, handling=180, within=20)
    assert (found.level, found.wait, found.occupancy) == pytest.approx((0.8884, 7.836, 0.7143), rel=1e-3)


def chain(agents: int, rate: float, handling: float, patience: float) -> tuple[float, float]:
    """Abandonment and mean wait of M/M/n+M from its birth–death chain."""
    states = [1.0]
    for k in range(1, 3000):
        states.append(states[-1] * rate / (min(k, agents) / handling + max(0, k - agents) / patience))
    queue = sum((k - agents) * one for k, one in enumerate(states) if k > agents) / sum(states)
    return queue / patience / rate, queue / rate


@given(st.integers(1, 60), st.floats(0.2, 1.6), st.floats(30, 600), st.floats(20, 900))
def test_erlang_a_agrees_with_its_chain(agents: int, usage: float, handling: float, patience: float) -> None:
    rate = agents * usage / handling
    found = serve(agents=agents, rate=rate, handling=handling, within=15, patience=patience)
    abandoned, wait = chain(agents, rate, handling, patience)
    assert found.abandoned == pytest.approx(abandoned, rel=5e-3, abs=1e-5)
    assert found.wait == pytest.approx(wait, rel=5e-3, abs=1e-4)
    assert 0 <= found.level <= 1 - found.abandoned + 1e-9


@given(st.floats(0.001, 1.0), st.floats(30, 600), st.floats(0.5, 0.99), st.sampled_from([inf, 60.0, 300.0]))
def test_the_fewest_agents_are_enough_and_one_less_is_not(
    rate: float, handling: float, level: float, patience: float
) -> None:
    agents = agents_needed(rate=rate, handling=handling, within=15, level=level, patience=patience)
    assert serve(agents=agents, rate=rate, handling=handling, within=15, patience=patience).level >= level
    if agents > 1:
        fewer = serve(agents=agents - 1, rate=rate, handling=handling, within=15, patience=patience)
        assert fewer.level < level


def test_impatience_needs_fewer_and_rest_needs_more() -> None:
    slot = Slot(start="09:00", calls=300, handling=240)
    found = need(slot, Target(patience=120, occupancy=0.999))
    assert found.agents < found.patient
    assert need(slot, Target(occupancy=0.7)).agents > need(slot, Target(occupancy=0.95)).agents
    assert found.rostered >= found.agents / 0.7
    assert need(Slot(start="03:00", calls=0, handling=240), Target()).agents == 0


def test_an_impossible_question_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        agents_needed(rate=1, handling=100, within=15, level=1.0)
    with pytest.raises(ValueError, match="at least one agent"):
        serve(agents=0, rate=1, handling=100, within=15)


@pytest.mark.parametrize(("text", "hint"), [
    ("start,calls\n09:00,3", "line 1: the columns handling"), ("start,calls,handling\n09:00,x,3", "line 2"),
    ("start,calls,handling\n09:00,3,0", "line 2"), ("start,calls,handling\n", "no slots"), ("", "line 1"),
    ("start,calls,handling\n09:00,nan,3", "line 2"),
])
def test_a_wrong_csv_says_what_to_mend(text: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as error:
        read_slots(text)
    assert hint in error.value.detail


def test_the_page_shows_every_slot_and_escapes_what_it_shows() -> None:
    needs = plan(read_slots("start,calls,handling\n<b>,10,200\n09:30,0,200\n"), Target())
    shown = page(needs, Target(), title="坐席需求")
    assert shown.count("<rect") == 2
    assert "<b>" not in shown
    assert len(table(needs).splitlines()) == 3


def test_the_command_prints_the_plan_and_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, chart = tmp_path / "calls.csv", tmp_path / "staffing.html"
    data.write_text("start,calls,handling\n09:00,310,236\n09:30,290,241\n", encoding="utf-8")
    assert main(["staffing", "--data", str(data), "--patience", "120", "-o", str(chart)]) == 0
    assert capsys.readouterr().out.startswith("start,calls,handling,erlangs,agents")
    assert "<svg" in chart.read_text(encoding="utf-8")
    assert main(["staffing", "--data", str(tmp_path / "nothing.csv")]) == 2


async def test_history_is_the_mean_of_the_days_that_had_calls(database: str) -> None:
    connection = await asyncpg.connect(database)
    nine = datetime.now(UTC).replace(hour=1, minute=5, second=0, microsecond=0) - timedelta(days=3)  # 09:05 in the city
    calls = [(f"c{n}", nine + timedelta(days=n % 2, minutes=n % 20), 100 + 20 * (n % 2)) for n in range(40)]
    await connection.executemany(
        "INSERT INTO calls (id, direction, started_at, asked_at, answered_at, ended_at, wrap_up_seconds) "
        "VALUES ($1, 'in', $2, $2, $2, $2::timestamptz + make_interval(secs => $3), 30)", calls,
    )
    assert await slots_of(connection, weeks=4) == [Slot(start="09:00", calls=20.0, handling=140.0)]
    await connection.close()
    assert await history(database, weeks=4)
