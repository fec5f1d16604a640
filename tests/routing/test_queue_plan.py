"""Queues as data, what waiting callers are told, the floor, and why calls of ours reached nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import InvalidInput
from hotline.terms import TryResult
from routing.announcements import announcement, expected_wait, number
from routing.call_causes import result_of
from routing.call_floor import floor_of
from routing.call_news import AgentRow, CallRow
from routing.calls import Direction, Phase
from routing.prompts import PROMPTS
from routing.queue_file import AgentPhone, CentreFile, read_file, write_file
from routing.queue_plan import FIRST, Centre, Queue, checked, reception_of, settings_of, spoken_in
from routing.queueing import Medium, Rung

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CITY = Centre(
    queues={
        "general": Queue(title="综合", steps=(Rung(0, "general", 3), Rung(30, "general")), languages={"yue": "yue"}),
        "enterprise": Queue(title="企业", lines=("88881234",), steps=(Rung(0, "enterprise"), Rung(60, "general")),
                            head_start=30, most=50),
        "yue": Queue(steps=(Rung(0, "yue"),)),
    },
    menu={"1": "zh", "2": "yue"},
)
names = st.text(st.characters(codec="utf-8", exclude_characters="~", exclude_categories=("Cs", "Cc")), min_size=1,
                max_size=12)
levels = st.integers(1, 5)


@given(
    queues=st.dictionaries(names, st.tuples(names, st.lists(st.tuples(st.floats(1, 900), names, levels), max_size=3),
                                            st.integers(0, 500)), min_size=1, max_size=4),
    agents=st.dictionaries(names, st.tuples(names, st.dictionaries(names, levels, max_size=3)), max_size=3),
)
def test_a_file_gives_back_what_was_written(queues: dict, agents: dict) -> None:  # type: ignore[type-arg]
    centre = Centre(
        queues={
            name: Queue(title=title, steps=(Rung(0, title), *(Rung(*step) for step in sorted(steps))), most=most)
            for name, (title, steps, most) in queues.items()
        },
        default=min(queues),
    )
    file = CentreFile(centre=centre, agents={
        name: AgentPhone(endpoint=endpoint, skills=skills) for name, (endpoint, skills) in agents.items()
    })
    assert read_file(write_file(file)) == file


@pytest.mark.parametrize(("text", "told"), [
    ("", "queues"), ("queues = 3", "queues"), ("[queues.general]\nsteps = []", "first is after 0"),
    ("[queues.general]\nsteps = [{after = 5, skill = 'a'}]", "first is after 0"),
    ("[queues.general]\nsteps = [{after = 0, skill = 'a', level = 6}]", "level is 1"),
    ("default = 'x'\n[queues.general]\nsteps = [{after = 0, skill = 'a'}]", "there is no queue 'x'"),
    ("menu = {1 = 'zh'}\n[queues.general]\nsteps = [{after = 0, skill = 'a'}]", "two to four keys"),
    ("[queues.general]\nsteps = [{after = 0, skill = 'a'}]\nlanguages = {en = 'no'}", "there is no queue 'no'"),
    ("chat_cost = 9\n[queues.general]\nsteps = [{after = 0, skill = 'a'}]", "capacity"),
    ("call_cost = 0\nchat_cost = 0\n[queues.general]\nsteps = [{after = 0, skill = 'a'}]", "call_cost be above 0"),
    ("chat_queue = 'x'\n[queues.general]\nsteps = [{after = 0, skill = 'a'}]", "chat_queue: there is no queue 'x'"),
    ("last_agent_wait = nan\n[queues.general]\nsteps = [{after = 0, skill = 'a'}]", "last_agent_wait: must be"),
    ("[queues.general]\nhead_start = inf\nsteps = [{after = 0, skill = 'a'}]", "general.head_start: must be a number"),
    (f"capacity = {'9' * 5000}", "cannot be read"), ("menu = " + "[" * 5000, "cannot be read"),
    ("[queues.general]\nstepz = 1", "stepz"), ("[queues.general", "cannot be read"),
    ("[queues.general]\nsteps = [{after = 0, skill = 'a'}]\n[agents.wang]\nendpoint = 'x'\nskills = {a = 9}", "skills"),
])
def test_a_wrong_file_is_refused_with_what_to_mend(text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_file(text)
    assert told in refused.value.detail


def test_lines_lead_to_queues_and_ranks_are_head_starts() -> None:
    checked(CITY)
    assert reception_of(CITY, "88881234").queue == "enterprise"
    assert reception_of(CITY, "12345").queue == reception_of(CITY, "").queue == "general"
    assert reception_of(CITY, "88881234").head_start == 30
    assert reception_of(CITY, "88881234", repeat=True).head_start == 90
    assert reception_of(CITY, "12345", repeat=True, marked=True).head_start < 0
    assert (spoken_in(CITY, "general", "yue"), spoken_in(CITY, "general", "en")) == ("yue", "general")
    settings = settings_of(CITY)
    assert settings.cost == {Medium.CALL: 6, Medium.CHAT: 2}
    assert settings_of(FIRST).queues.keys() == {"general"}


# ── announcements ────────────────────────────────────────────────────────────────────────────────
def spell(value: int, language: str) -> str:
    return "".join(PROMPTS[language or "zh"][name] for name in number(value, language=language))


@pytest.mark.parametrize(("value", "text"), [
    (0, "零"), (7, "七"), (10, "十"), (15, "十五"), (20, "二十"), (23, "二十三"), (100, "一百"), (105, "一百零五"),
    (110, "一百一十"), (999, "九百九十九"),
])
def test_numbers_are_read_as_chinese_does(value: int, text: str) -> None:
    assert spell(value, "zh") == text


@pytest.mark.parametrize("language", ["zh", "yue", "en"])
def test_every_announcement_has_its_sounds(language: str) -> None:
    for place in [*range(1, 130), 500, 999, 5000]:
        for wait in (0.0, 59.0, 61.0, 600.0, 1800.0, 1801.0, float("inf")):
            for sound in announcement(place, wait, language=language):
                assert PROMPTS[language][sound]


def test_numbers_of_a_language_differ_from_each_other() -> None:
    for language in ("zh", "en"):
        assert len({number(value, language=language) for value in range(1000)}) == 1000
    for value in (-1, 1000):
        with pytest.raises(ValueError):
            number(value)


def test_the_wait_falls_with_the_place_and_with_agents() -> None:
    assert expected_wait(3, agents=6, handling=240) == 120
    assert expected_wait(1, agents=0, handling=240) == float("inf")
    assert announcement(1, 30) == ("hotline-next", "hotline-soon", "hotline-keep")
    assert announcement(1, 30, keep=False) == ("hotline-next", "hotline-soon")
    assert announcement(3, 121) == (
        "hotline-position", "hotline-n2", "hotline-callers", "hotline-wait", "hotline-n3", "hotline-minutes",
        "hotline-keep",
    )


# ── floor and causes ─────────────────────────────────────────────────────────────────────────────
def call(phase: Phase, *, queue: str = "general", minutes: int = 0, direction: Direction = Direction.IN) -> CallRow:
    return CallRow(call="c", caller="138****0000", phase=phase, queue=queue, direction=direction,
                   arrived=NOW - timedelta(minutes=minutes))


def agent(state: str, **skills: int) -> AgentRow:
    return AgentRow(staff="a", state=state, since=NOW, skills=skills)


def test_the_floor_counts_each_queue() -> None:
    floor = floor_of(
        CITY,
        [call(Phase.WAITING, minutes=2), call(Phase.RINGING, minutes=5), call(Phase.TALKING), call(Phase.GREETING),
         call(Phase.TALKING, queue="", direction=Direction.OUT),
         call(Phase.WAITING, minutes=1, direction=Direction.OUT)],  # handed to the skill group
        [agent("available", general=5), agent("talking", general=1), agent("not_ready", general=1),
         agent("available", yue=1)],
        now=NOW,
    )
    general, enterprise, yue = floor.queues
    assert (general.waiting, general.oldest, general.talking) == (3, NOW - timedelta(minutes=5), 1)
    assert (general.available, general.present) == (1, 2)
    assert (enterprise.waiting, enterprise.oldest, enterprise.available) == (0, None, 1)
    assert (yue.available, yue.present) == (1, 1)


@pytest.mark.parametrize(("cause", "result"), [
    (0, None), (19, TryResult.NO_ANSWER), (16, TryResult.NO_ANSWER), (17, TryResult.BUSY), (1, TryResult.WRONG_NUMBER),
    (20, TryResult.OFF), (21, TryResult.REFUSED), (34, None), (38, None), (127, None),
])
def test_causes_become_results_and_faults_of_the_lines_none(cause: int, result: TryResult | None) -> None:
    assert result_of(cause) is result
