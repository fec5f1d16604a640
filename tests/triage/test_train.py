"""Training on a small made-up corpus: the same files each time, a model that loads, figures that are told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import structlog
from structlog.testing import capture_logs

from hotline.__main__ import main, parser
from hotline.city import City, load_city
from hotline.errors import InvalidInput
from hotline.terms import Kind, Verdict
from tests.triage.small import TAILS, write_corpus
from triage import pipeline
from triage.card import DANGER
from triage.fit import calibration_curve, calibration_error, fit, make_space, matrix, read_cues, temperature
from triage.linear import PREVIOUS, load_linear
from triage.pipeline import Pipeline
from triage.thresholds import least_confidence
from triage.train import train


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(Path("cities/441900"))


@pytest.fixture(scope="module")
def trained(corpus: Path, city: City, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    out = tmp_path_factory.mktemp("model")
    return out, train(corpus, out, city, progress=False)


def test_the_same_texts_give_the_same_files(
    corpus: Path, city: City, trained: tuple[Path, dict[str, float]], tmp_path: Path
) -> None:
    train(corpus, tmp_path, city, progress=False)
    for name in ("linear.json", "linear.safetensors", "README.md"):
        assert (tmp_path / name).read_bytes() == (trained[0] / name).read_bytes()


def test_what_was_learnt_generalises_and_cues_carry_over(city: City, trained: tuple[Path, dict[str, float]]) -> None:
    pipeline = Pipeline.load(city, trained[0])
    lamp, wages = pipeline(["路灯又不亮，请处理", "血汗钱一直要不到，包工头人跑了"])
    assert lamp.category is not None
    assert wages.category is not None
    assert (lamp.category.l2, wages.category.l2) == ("路灯", "欠薪")
    assert lamp.verdict is not Verdict.EMERGENCY


def test_the_card_tells_the_figures(trained: tuple[Path, dict[str, float]]) -> None:
    out, figures = trained
    card = (out / "README.md").read_text("utf-8")
    assert {"l1_accuracy", "l2_ece", "dispatch_coverage", "emergency_recall", "near_duplicates"} <= set(figures)
    assert all(str(value) in card for value in figures.values())


def test_unknown_labels_are_refused(city: City, tmp_path: Path) -> None:
    line = {"text": "甲", "l1": "01", "l2": "没有", "kind": "other", "verdict": "unclear"}
    (tmp_path / "a.jsonl").write_text(json.dumps(line), "utf-8")
    with pytest.raises(InvalidInput, match="没有"):
        train(tmp_path, tmp_path, city, progress=False)


def test_the_command_keeps_the_model_that_was_there(
    corpus: Path, city: City, trained: tuple[Path, dict[str, float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    shutil.copytree(trained[0], models)
    shutil.copyfile("models/encoder.json", models / "encoder.json")
    monkeypatch.setenv("HOTLINE_MODEL_DIR", str(models))
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path / "var"))
    had = load_linear(models).card.version
    more = tmp_path / "more"
    more.mkdir()
    write_corpus(more, TAILS[:6])
    assert main(["train", "--data", str(more)]) == 0
    assert load_linear(models).card.version != had
    assert load_linear(models).card.heads[1].labels == (*Kind, DANGER), "danger is told apart, and after every kind"
    assert load_linear(models / PREVIOUS).card.version == had
    assert (models / PREVIOUS / "encoder.json").exists()
    assert not (models / "encoder.json").exists(), "it does not fit"


def test_texts_of_categories_that_the_city_lacks_teach_the_rest(
    city: City, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "log", structlog.get_logger())  # one that no test before has bound
    renamed = [
        msgspec.structs.replace(one, l2="讨薪") if one.l2 == "欠薪" else one for one in city.categories
    ]
    other = msgspec.structs.replace(city, categories=tuple(renamed))
    figures = train(corpus, tmp_path, other, progress=False)
    assert figures["l2_accuracy"] > 0.8, "of the texts that bear a category of the city"
    assert "01讨薪" in load_linear(tmp_path).card.heads[0].labels
    with capture_logs() as told:
        own = Pipeline.load(other, tmp_path)
        wages, lamp = own(["血汗钱一直要不到，包工头人跑了", "路灯又不亮，请处理"])
        assert told == own.strange_labels == []
        assert Pipeline.load(city, tmp_path).strange_labels == ["01欠薪", "01讨薪"]
    assert [(one["event"], one["labels"]) for one in told] == [("model_of_other_categories", "01欠薪、01讨薪")]
    assert lamp.category is not None
    assert lamp.category.l2 == "路灯"
    assert wages.category is not None
    assert wages.category.l2 != "欠薪"


def test_the_least_confidence_keeps_the_precision() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([True, True, True, False, True])
    assert least_confidence(confidence, right, 1.0) == 0.7
    assert least_confidence(confidence, right, 0.8) == 0.5
    assert least_confidence(confidence, ~right, 0.95) == 1.0


def test_a_few_lucky_answers_are_not_enough_to_be_sure() -> None:
    confidence = np.linspace(1, 0, 1000)
    right = np.arange(1000) < 700
    assert least_confidence(confidence, right, 0.95) < least_confidence(confidence, right, 0.95, surely=1.645) < 0.35
    assert least_confidence(confidence[:20], right[:20], 0.95, surely=1.645) == 1.0


def test_temperature_and_calibration() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 400)
    scores = np.eye(3)[truth] + rng.normal(0, 0.8, (400, 3))
    assert 0.5 < temperature(scores, truth) < 20
    sure = np.full(100, 0.95)
    assert calibration_error(sure, np.arange(100) < 95) == pytest.approx(0)
    assert calibration_error(sure, np.arange(100) < 45) == pytest.approx(0.5)
    curve = calibration_curve(rng.random(500), rng.random(500) < 0.5)
    assert [found for _, found in curve] == sorted(found for _, found in curve)


def test_absent_classes_never_win() -> None:
    texts = ["路灯不亮", "停水两天", "路灯坏了", "停水三天"]
    space = make_space(texts)
    features = matrix(space, texts)
    fitted = fit(features, np.array(["a", "b", "a", "b"]), ["a", "b", "never"], strength=1.0, balanced=False)
    scores = features @ fitted.weights + fitted.bias
    assert scores.argmax(axis=1).tolist() == [0, 1, 0, 1]


def test_cues_are_words_of_one_to_four_characters_for_known_labels(city: City) -> None:
    labels = {label.l1 + label.l2 for label in city.categories}
    cues = read_cues()
    assert set(cues) == labels
    assert all(1 <= len(word) <= 4 for words in cues.values() for word in words)


@pytest.mark.parametrize("command", ["train", "retrain"])
@pytest.mark.parametrize(("given", "meant"), [("0.98", 0.98), ("0.5", 0.5), ("1", None), ("95", None), ("很高", None)])
def test_the_precision_is_a_share_that_texts_can_prove(command: str, given: str, meant: float | None) -> None:
    arguments = [command, "--precision", given]
    if meant is None:
        with pytest.raises(SystemExit):
            parser().parse_args(arguments)
    else:
        assert parser().parse_args(arguments).precision == meant
