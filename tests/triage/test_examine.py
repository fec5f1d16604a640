"""`eval` on small sets: every part tells its protocol, counts what has no counterpart, and says what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from hotline.appeal import Category, Evidence, Triage
from hotline.city import load_city
from hotline.errors import InvalidInput
from hotline.terms import Service, Verdict
from triage.corpus import read_corpus
from triage.examine import alarms, cold_start, kept_aside, pipeline_figure
from triage.learner import cross_validated
from triage.real import LABELLED, NOWHERE, ORDINARY, class_of, mapping, mapping_lines, read_real

CITY = load_city(Path("cities/441900"))
ANSWERS = {"路": Category("03", "路灯", 0.9), "工": Category("01", "欠薪", 0.8), "犬": Category("05", "养犬", 0.7)}


def judge(texts: Sequence[str]) -> list[Triage]:
    """Judge by one character: 火 alarms."""
    return [
        Triage(
            category=next((answer for word, answer in ANSWERS.items() if word in text), None),
            alternatives=(ANSWERS["路"],) if "犬" in text else (),
            verdict=Verdict.EMERGENCY if "火" in text else Verdict.NON_EMERGENCY,
            services=(Service.FIRE,) if "火" in text else (),
            evidence=(Evidence("rule:fire", "火", 0, 1),) if "火" in text else (),
        )
        for text in texts
    ]


def write_lines(path: Path, rows: Sequence[dict[str, object]]) -> None:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")


@pytest.fixture
def real(tmp_path: Path) -> Path:
    labelled = [("路灯", "城乡建设"), ("工资", "劳动和社会保障"), ("犬", "城乡建设"), ("火", "环境保护")]
    write_lines(
        tmp_path / LABELLED,
        [
            {"title": "", "text": text, "label": label, "dup_group": number}
            for number, (text, label) in enumerate(labelled)
        ],
    )
    write_lines(tmp_path / ORDINARY, [{"title": "火", "text": "路", "id": 7}, {"text": "路"}])
    return tmp_path


def test_the_mapping_covers_every_category_and_names_no_other() -> None:
    classes = mapping()
    labels = {(label.l1, label.l2) for label in CITY.categories}
    assert {key for key in classes if key[1] != "*"} <= labels
    assert {l1 for l1, _ in labels} == {l1 for l1, l2 in classes if l2 == "*"}
    assert class_of(Category("03", "路灯", 1.0), classes) == "城乡建设"
    assert class_of(Category("06", "公交", 1.0), classes) == "城乡建设"
    assert class_of(Category("20", "表扬", 1.0), classes) == NOWHERE
    assert class_of(None, classes) == NOWHERE
    assert len(mapping_lines(classes, ["城乡建设"])) == 2


def test_cold_start_counts_what_has_no_counterpart(real: Path) -> None:
    told: list[str] = []
    bar, of_seven = cold_start(judge, real, told.append)
    assert "counted as wrong: 2 of 4" in "".join(told)
    assert "交通运输" not in "".join(told).partition("←")[0]
    assert bar.value == pytest.approx((1 + 0 + 2 / 3) / 3)
    assert not bar.cleared
    assert of_seven.value == pytest.approx((1 + 0 + 1) / 3)
    assert not of_seven.barred


def test_each_alarm_is_listed(real: Path) -> None:
    told: list[str] = []
    bars = alarms(judge, real, told.append)
    lines = [line for line in told if "rule:fire" in line]
    assert [line.split()[0] for line in lines] == [f"{LABELLED}:4", f"{ORDINARY}:1"]
    assert [bar.value for bar in bars if bar.barred] == [0.25, 0.5]


@pytest.mark.parametrize("part", [cold_start, alarms])
def test_missing_data_are_told_not_invented(part: object, tmp_path: Path) -> None:
    told: list[str] = []
    assert part(judge, tmp_path / "none", told.append) == []  # type: ignore[operator]
    assert "is not there" in "".join(told)
    assert pipeline_figure(tmp_path / "none", told.append) == []


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / LABELLED).write_text('{"text": "a"}\n{"text": 3}\n', "utf-8")
    with pytest.raises(InvalidInput, match=f"{LABELLED}:2"):
        read_real(tmp_path / LABELLED)


def test_the_tenth_kept_aside_is_what_is_measured(tmp_path: Path) -> None:
    rows = [
        {"text": f"路灯{n}不亮", "l1": "03", "l2": "路灯", "kind": "complaint", "verdict": "non_emergency"}
        for n in range(80)
    ]
    fires = [{**row, "text": f"第{n}次着火", "verdict": "emergency", "services": ["119"]} for n, row in enumerate(rows)]
    calm = [{**row, "text": f"灭火器{n}过期" + "了" * length} for n, row in enumerate(rows) for length in (0, 20)]
    rows += fires + calm
    write_lines(tmp_path / "a.jsonl", rows)
    asked: list[str] = []

    def watched(texts: Sequence[str]) -> list[Triage]:
        asked.extend(texts)
        return judge(texts)

    told: list[str] = []
    bars = kept_aside(watched, tmp_path, CITY, told.append)
    assert asked == [example.text for example in read_corpus(tmp_path) if example.apart]
    figures = {bar.name: bar.value for bar in bars}
    assert figures["emergencies found"] == 1.0
    short = [text for text in asked if len(text) <= 20 and "着火" not in text]
    share = sum("火" in text for text in short) / len(short)
    assert figures["no emergency, up to 20 characters, raised at all"] == pytest.approx(share, abs=1e-4)
    assert 0 < figures["expected calibration error of the second level"] < 0.2
    assert "stated" in "".join(told)


def test_a_fold_never_sees_its_group() -> None:
    """The label of a group is drawn by lot: whoever could see the group would be right, nobody else can."""
    texts = [f"{'灯水路'[g % 3]}坏了{g}号{'甲乙丙丁'[c]}" for g in range(30) for c in range(4)]
    groups = [g for g in range(30) for _ in range(4)]
    labels = ["左" if (g * 7919) % 13 < 6 else "右" for g in groups]
    said = cross_validated(texts, labels, groups)
    assert set(said) <= {"左", "右"}
    assert sum(a == b for a, b in zip(said, labels, strict=True)) / len(labels) < 0.75


def test_what_can_be_learnt_is_learnt() -> None:
    texts = [f"{word}{tail}" for word in ("路灯不亮", "停水两天", "工资没发") for tail in "甲乙丙丁戊己庚辛壬癸"]
    labels = [label for label in ("灯", "水", "薪") for _ in range(10)]
    assert cross_validated(texts, labels, list(range(30))) == labels
