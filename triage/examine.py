"""`python -m hotline eval`: every bar of triage beside its figure, with its protocol, on texts never trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hotline.appeal import Triage
from hotline.city import City
from hotline.terms import Verdict
from triage.bars import Bar, bins_of, diagram, error_of, macro_f1, scored, table_text
from triage.card import SHORT
from triage.corpus import Example, fitting, read_corpus
from triage.evaluate import evaluate
from triage.learner import cross_validated
from triage.real import (
    LABELLED,
    NOWHERE,
    ORDINARY,
    RealAppeal,
    class_of,
    mapping,
    mapping_lines,
    nearest_class,
    read_real,
)
from triage.strangers import FOLDER, read_strangers, stranger_bars

Judge = Callable[[Sequence[str]], Sequence[Triage]]
Write = Callable[[str], object]
_KEPT_ASIDE = (
    ("first level right", "l1_accuracy", 0.95, None),
    ("second level right", "l2_accuracy", 0.88, None),
    ("second level among the answer and its alternatives", "l2_among_first_four", None, None),
    ("kind right", "kind_accuracy", 0.90, None),
    ("towns exactly right", "towns_exact", 0.97, None),
    ("emergencies found", "emergency_recall", 0.995, None),
    ("emergencies found or called unclear", "emergency_raised_at_all", None, None),
    ("false alarms on hard negatives", "false_alarms_hard_negatives", None, 0.02),
    ("false alarms on ordinary texts", "false_alarms_ordinary", None, None),
    ("ordinary texts called unclear", "unclear_on_ordinary", None, None),
    (f"no emergency, up to {SHORT} characters, raised at all", "raised_short_calm", None, None),
    ("department right where dispatched without a person", "dispatch_precision", 0.95, None),
    ("ordinary texts dispatched without a person", "dispatch_coverage", None, None),
)
_ALARMS = 0.005
_COLD = 0.80
_PIPELINE = 0.915
_TITLE = 3
"""A title counts as if it were said three times."""


def kept_aside(judge: Judge, data: Path, city: City, write: Write) -> list[Bar]:
    """Measure on the tenth of `data` that no training sees, and draw how far the confidences hold."""
    examples = fitting(read_corpus(data), city)
    apart = [example for example in examples if example.apart]
    write(
        f"\n1. The tenth kept aside of {data}: {len(apart)} of {len(examples)} texts, chosen by a hash of the text.\n"
    )
    found = judge([example.text for example in apart])
    figures = evaluate(_answers(apart, found), examples, city.directory)
    bars = _tell(write, [Bar(name, figures[key], least, most) for name, key, least, most in _KEPT_ASIDE])
    both = zip(apart, found, strict=True)
    pairs = [(one.category, example) for example, one in both if one.category and example.label]
    stated = [category.confidence for category, _ in pairs]
    bins = bins_of(stated, [category.l1 + category.l2 == example.label for category, example in pairs])
    bars += _tell(write, [Bar("expected calibration error of the second level", error_of(bins))])
    write(diagram(bins) + "\n")
    return bars


def _answers(apart: Sequence[Example], found: Sequence[Triage]) -> Judge:
    """Return a judge that repeats what was found already."""
    known = {example.text: one for example, one in zip(apart, found, strict=True)}
    return lambda texts: [known[text] for text in texts]


def cold_start(judge: Judge, real: Path, write: Write) -> list[Bar]:
    """Measure the shipped model on real texts of seven classes that it never saw."""
    write(f"\n2. Cold start: the shipped model on {real / LABELLED}, title and text as one message.\n")
    appeals = _read(real / LABELLED, write)
    if not appeals:
        return []
    classes, names = mapping(), sorted({appeal.label for appeal in appeals})
    write("  triage/data/seven_classes.csv maps our categories (a bare number: the rest of that first level):\n")
    write("\n".join(mapping_lines(classes, names)) + "\n")
    found, truth = judge([appeal.whole for appeal in appeals]), [appeal.label for appeal in appeals]
    said = [class_of(one.category, classes) for one in found]
    table = scored(truth, said, names)
    write(table_text(table) + "\n")
    lost = said.count(NOWHERE)
    write(f"  answers without a counterpart, counted as wrong: {lost} of {len(said)}\n")
    one_of_them = scored(truth, [nearest_class(one, classes) for one in found], names)
    return _tell(write, [
        Bar("macro-F1 of the seven classes", macro_f1(table), least=_COLD),
        Bar("  of answer and alternatives, the first with a counterpart", macro_f1(one_of_them)),
    ])


def alarms(judge: Judge, real: Path, write: Write) -> list[Bar]:
    """Count the emergencies raised on real, ordinary texts, and list each."""
    write("\n3. Emergency alarms on real, ordinary appeals; each is listed: line, services, evidence.\n")
    bars = []
    for name in (LABELLED, ORDINARY):
        appeals = _read(real / name, write)
        if appeals:
            found = judge([appeal.whole for appeal in appeals])
            for line in _alarm_lines(found):
                write(f"  {name}:{line}\n")
            raised = sum(one.verdict is Verdict.EMERGENCY for one in found) / len(found)
            unclear = sum(one.verdict is Verdict.UNCLEAR for one in found) / len(found)
            bars += _tell(write, [Bar(f"alarms on {name}", raised, most=_ALARMS), Bar("  called unclear", unclear)])
    return bars


def pipeline_figure(real: Path, write: Write) -> list[Bar]:
    """Measure the training pipeline itself: learnt and measured on real texts, in grouped folds."""
    write(
        f"\n4. The training pipeline on {real / LABELLED}: StratifiedGroupKFold(5, shuffle, seed 42) grouped by\n"
        "  dup_group, everything learnt inside the fold, F1 of the pooled answers.\n"
    )
    appeals = _read(real / LABELLED, write)
    if not appeals:
        return []
    truth = [appeal.label for appeal in appeals]
    texts = [f"{appeal.title}\n" * _TITLE + appeal.text if appeal.title else appeal.text for appeal in appeals]
    said = cross_validated(texts, truth, [appeal.dup_group for appeal in appeals])
    table = scored(truth, said, sorted(set(truth)))
    write(table_text(table) + "\n")
    return _tell(write, [Bar("macro-F1 of the training pipeline", macro_f1(table), least=_PIPELINE)])


def strangers(judge: Judge, write: Write) -> list[Bar]:
    """Measure on texts by hands that knew nothing of the project."""
    texts = read_strangers()
    if not texts:
        write(f"\n5. Strangers: not measured, {FOLDER} holds no texts\n")
        return []
    write(
        f"\n5. Strangers: {len(texts)} texts of triage/data/strangers, by hands that knew what the hotline is to do\n"
        "  and its label set, and saw neither texts nor rules of this project.\n"
    )
    return _tell(write, stranger_bars(judge, texts))


def _alarm_lines(found: Sequence[Triage]) -> Iterator[str]:
    for number, one in enumerate(found, start=1):
        if one.verdict is Verdict.EMERGENCY:
            evidence = "; ".join(f"{part.rule} {part.text[:30]!r}" for part in one.evidence)
            yield f"{number} emergency {'/'.join(service.value for service in one.services)}: {evidence}"


def _read(path: Path, write: Write) -> list[RealAppeal]:
    if not path.exists():
        write(f"  not measured: {path} is not there (name its folder with --real)\n")
        return []
    return read_real(path)


def _tell(write: Write, bars: list[Bar]) -> list[Bar]:
    for bar in bars:
        write(bar.line() + "\n")
    return bars
