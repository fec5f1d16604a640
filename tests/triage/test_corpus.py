"""The labelled texts: reading, the tenth kept aside, variety; and that the shipped ones are sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hotline.city import load_city
from hotline.errors import InvalidInput
from hotline.terms import Kind, Verdict
from triage.corpus import read_corpus, variety

LINE = {"text": "路灯坏了", "l1": "03", "l2": "路灯", "kind": "complaint", "verdict": "non_emergency"}
SHIPPED = Path("triage/data/appeals")


def test_lines_become_examples_and_repeats_count_once(tmp_path: Path) -> None:
    lines = [json.dumps(LINE, ensure_ascii=False), json.dumps({**LINE, "text": "灯又坏了", "towns": ["南城"]})]
    (tmp_path / "03_city.jsonl").write_text("\n".join([*lines, lines[0]]), "utf-8")
    first, second = read_corpus(tmp_path)
    assert (first.label, first.kind, first.source, second.towns) == ("03路灯", Kind.COMPLAINT, "03_city", ("南城",))


@pytest.mark.parametrize("wrong", [{"kind": "dream"}, {"services": ["999"]}, {"text": None}, {"verdict": "maybe"}])
def test_a_wrong_line_is_named(tmp_path: Path, wrong: dict[str, object]) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(LINE) + "\n" + json.dumps({**LINE, **wrong}), "utf-8")
    with pytest.raises(InvalidInput, match=r"a\.jsonl:2"):
        read_corpus(tmp_path)


def test_no_texts_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        read_corpus(tmp_path)


def test_variety_counts_repeats() -> None:
    same = "工地半夜还在打桩吵得睡不着觉"
    assert variety([same, same + "了"])["near_duplicates"] == 0.5
    assert variety(["工地半夜打桩", "医保怎么报销"]) == {"distinct_4grams": 1.0, "near_duplicates": 0.0}


def test_the_shipped_texts_are_sound() -> None:
    examples = read_corpus(SHIPPED)
    city = load_city(Path("cities/441900"))
    labels = {label.l1 + label.l2 for label in city.categories}
    for example in examples:
        assert example.label in labels
        assert set(example.towns) <= set(city.directory.units)
        assert bool(example.services) <= (example.verdict is not Verdict.NON_EMERGENCY)
    apart = sum(example.apart for example in examples) / len(examples)
    assert 0.08 < apart < 0.12
    assert variety([example.text for example in examples])["near_duplicates"] < 0.01
