"""Texts by strangers: read, never trained on, counted right."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.appeal import Category, Triage
from hotline.city import load_city
from hotline.errors import InvalidInput
from hotline.terms import Kind, Service, Verdict
from triage.corpus import read_corpus
from triage.strangers import Stranger, read_strangers, stranger_bars


def test_no_training_sees_a_stranger() -> None:
    trained = {example.text for example in read_corpus(Path("triage/data/appeals"))}
    texts = [one.text for one in read_strangers()]
    assert len(texts) >= 1_300
    assert len(set(texts)) == len(texts)
    assert not trained & set(texts)


def test_their_labels_are_those_of_the_city() -> None:
    city = load_city(Path("cities/441900"))
    labels = {category.l1 + category.l2 for category in city.categories}
    told = [one for one in read_strangers() if one.label]
    assert {one.label for one in told} | {one.other for one in told} - {""} <= labels
    assert {one.label for one in told} >= {label for label in labels if not label.endswith("其他")}
    assert {town for one in told for town in one.towns} <= set(city.directory.units)


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "路灯不亮"}\n{"label": 1}\n', "utf-8")
    with pytest.raises(InvalidInput, match=r"a\.jsonl:2"):
        read_strangers(tmp_path)


def test_figures_count_what_they_say() -> None:
    lamp, noise = Category("03", "路灯", 0.9), Category("04", "施工噪声", 0.1)
    texts = [
        Stranger("a", l1="03", l2="路灯", kind=Kind.COMPLAINT, towns=frozenset({"南城"}),
                 read=(Kind.COMPLAINT, Kind.ENQUIRY)),
        Stranger("b", l1="04", l2="施工噪声", other="03路灯", kind=Kind.COMPLAINT, read=(Kind.ENQUIRY,) * 2),
        Stranger("c", verdict=Verdict.EMERGENCY, services=frozenset({Service.FIRE, Service.AMBULANCE})),
        Stranger("d", verdict=Verdict.EMERGENCY, services=frozenset({Service.POLICE})),
        Stranger("e", verdict=Verdict.UNCLEAR),
        Stranger("f", verdict=Verdict.NON_EMERGENCY, hard=True),
        Stranger("g", verdict=Verdict.NON_EMERGENCY),
    ]
    answers = {
        "a": Triage(category=lamp, kind=Kind.COMPLAINT, towns=("南城",), alternatives=(noise,)),
        "b": Triage(category=lamp, kind=Kind.ENQUIRY, alternatives=(noise,)),
        "c": Triage(category=None, verdict=Verdict.EMERGENCY, services=(Service.FIRE,)),
        "d": Triage(category=None, verdict=Verdict.UNCLEAR, services=(Service.POLICE,)),
        "e": Triage(category=None), "f": Triage(category=None, verdict=Verdict.EMERGENCY),
        "g": Triage(category=None, verdict=Verdict.EMERGENCY),
    }
    found = stranger_bars(lambda asked: [answers[text] for text in asked], texts)
    assert [round(bar.value, 4) for bar in found] == [
        0.5, 0.5, 1.0, 1.0, 0.5, 1.0, 1.0,  # categories, kind, kind as most have it, towns
        0.5, 1.0, 0.6667, 1.0, 0.0, 1.0, 0.0,  # emergencies, services, hard negatives, calm ones, doubtful
    ]
