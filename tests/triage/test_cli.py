"""JSON lines in and out: the shape others rely on, wrong lines, and the best guess where a person decides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from hotline.appeal import Category, Entity, Evidence, Triage
from hotline.city import load_city
from hotline.terms import Service, Verdict
from triage.cli import BATCH, run_triage

CITY = load_city(Path("cities/441900"))
UNSURE = Triage(
    category=Category("04", "施工噪声", 0.4),
    alternatives=(Category("03", "违建", 0.2),),
    needs_person=True,
    verdict=Verdict.EMERGENCY,
    services=(Service.FIRE,),
    towns=("南城",),
    entities=(Entity("time", "今晚", 0, 2),),
    evidence=(Evidence("rule:fire", "着火", 3, 5),),
)


def fixed(texts: Sequence[str]) -> list[Triage]:
    return [UNSURE if text else Triage(category=None, needs_person=True) for text in texts]


def run(*lines: str | bytes) -> tuple[int, list[dict[str, object]]]:
    out: list[str] = []
    code = run_triage(lines, out.append, city=CITY, pipeline=fixed)
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in out)
    return code, [json.loads(line) for line in out]


def test_the_shape() -> None:
    code, [answer] = run('{"text":"今晚 着火", "channel":"web", "more": 1}')
    assert code == 0
    assert answer == {
        "category": {"l1": "04", "l2": "施工噪声", "confidence": 0.4},
        "alternatives": [{"l1": "03", "l2": "违建", "confidence": 0.2}],
        "kind": "other", "verdict": "emergency", "services": ["119"], "towns": ["南城"],
        "department": "生态环境局", "assisting": [], "priority": "P3",
        "entities": [{"type": "time", "text": "今晚", "start": 0, "end": 2}],
        "needs_person": True,
        "evidence": [{"rule": "rule:fire", "text": "着火", "start": 3, "end": 5}],
        "title": "", "key_sentences": ["今晚 着火"], "model": "",
    }


def test_nothing_to_judge_still_answers() -> None:
    code, [answer] = run('{"text":""}')
    assert (code, answer["category"], answer["department"], answer["needs_person"]) == (0, None, "", True)


DEEP = '{"text": "a", "more": ' + "[" * 3000 + "]" * 3000 + "}"
WRONG = [
    DEEP, '{"text":"a", "verdict": "maybe"}', "not json", "[]", '{"channel":"web"}', '{"text":3}', "null",
    b'\xff\xfe{"text":"a"}', '{"text": "\\ud83d', '{"text": 3, "more": "\\ud83d"}',
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_line_is_answered_in_its_place(wrong: str | bytes) -> None:
    code, answers = run('{"text":"甲"}', wrong, '{"text":"乙"}')
    assert code == 1
    assert ["error" in answer for answer in answers] == [False, True, False]


def test_empty_lines_are_skipped_and_batches_keep_their_order() -> None:
    lines = [msgspec.json.encode({"text": "甲" if number % 2 else ""}) for number in range(BATCH + 7)]
    code, answers = run(b"\n", *lines)
    assert code == 0
    assert [answer["category"] is not None for answer in answers] == [bool(n % 2) for n in range(BATCH + 7)]


@pytest.mark.parametrize("line", [
    b'\xef\xbb\xbf{"text":"a"}', '\ufeff{"text":"a"}', '{"text":"a", "channel":3}',
    '{"text":"a", "channel":null, "verdict":null, "id":null}', r'{"text":"half of a sign \ud83d"}',
])
def test_what_harms_nobody_is_taken(line: str | bytes) -> None:
    assert run(line)[0] == 0


def test_spans_still_point_into_a_text_with_half_a_sign() -> None:
    text = "\ud83d三楼着火了快来救人"
    [found] = run(json.dumps({"text": text}))[1]
    assert found["verdict"] == "emergency"
    assert all(text[one["start"] : one["end"]] == one["text"] for one in found["evidence"])


@pytest.mark.parametrize("number", [7, "A7", 1.5])
def test_an_id_is_told_again(number: object) -> None:
    assert run(json.dumps({"id": number, "text": "甲"}))[1][0]["id"] == number


def reviewed(*lines: str) -> list[dict[str, object]]:
    out: list[str] = []
    run_triage(lines, out.append, city=CITY, pipeline=fixed, alarms=True)
    return [json.loads(line) for line in out]


def test_alarms_lists_only_what_alarms_with_its_evidence() -> None:
    assert reviewed('{"id": 3, "text": "今晚着火"}', '{"text": ""}') == [
        {
            "id": 3, "verdict": "emergency", "services": ["119"], "text": "今晚着火",
            "evidence": [{"rule": "rule:fire", "text": "着火", "start": 3, "end": 5}],
        }
    ]


def test_alarms_compares_with_the_verdict_that_a_line_gives() -> None:
    lines = [
        '{"text": "今晚着火", "verdict": "emergency"}', '{"text": "今晚着火", "verdict": "non_emergency"}',
        '{"text": "", "verdict": "emergency"}', '{"text": "", "verdict": "non_emergency"}',
        '{"text": "今晚着火", "verdict": "unclear"}',
    ]
    assert [(one["expected"], one["verdict"]) for one in reviewed(*lines)] == [
        ("non_emergency", "emergency"), ("emergency", "non_emergency"), ("unclear", "emergency"),
    ]
