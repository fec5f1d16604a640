"""A city's own tickets: train on them and on the project's texts, measure, report, and install what is better.

Protocol. Near-duplicates form a group. A tenth of the groups, chosen by a hash, is never trained on, neither today nor
at any later training (a file keeps the hashes of their texts, as a group may have another name among other tickets), so
that the new model and the present one can be compared there. On the rest, grouped folds give the figures of the report.
The new model is installed if it is right on more of the tenth than the present one, and hardly worse on the project's
texts kept aside (`triage.successor`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hotline.city import City
from hotline.durable import write_durably
from hotline.errors import InvalidInput
from triage.bars import bins_of, error_of
from triage.card import PRECISION, Card
from triage.corpus import TICKET, Example, fitting, read_corpus
from triage.entities import mask
from triage.evaluate import of_tickets
from triage.growth import growth
from triage.heads import Data, Step, Trained, heads_of, prepare
from triage.install import install
from triage.model_card import Own
from triage.pipeline import Pipeline
from triage.report import Answer, Match, report
from triage.successor import keep_encoder, matched
from triage.tickets import Tickets, hash_of
from triage.train import Second, steps, write_card, write_model

LEAST_HELD_OUT = 20
"""Held-out tickets below which chance would decide which model is better."""
_ONE_IN = 10
_STEPS = (
    "读取",
    "特征",
    "事项分类",
    "诉求类型",
    "紧急判断",
    "救援力量",
    "阈值",
    "写入",
    "编码器",
    "学习曲线",
    "比较",
    "报告",
)


class Outcome(NamedTuple):
    """What came of it: where the report is, the comparison, the figures of the folds, and those on tickets held out."""

    report: Path
    match: Match
    right: float
    calibration_error: float
    held_out: dict[str, float]


def train_city(
    tickets: Tickets,
    corpus: Path,
    models: Path,
    out: Path,
    city: City,
    *,
    title: str,
    second: Second | None = None,
    precision: float = PRECISION,
    force: bool = False,
    keep: bool = False,
    corrections: bool = False,
    held_out: Path | None = None,
    progress: bool = True,
) -> Outcome:
    """Train, write `out/model` with its card, and `out/report.html`; install into `models` where the new one is better.

    Args:
        corpus: folder of the project's labelled texts: kinds and emergencies are learnt from them alone.
        models: the present model.
        precision: of automatic dispatch.
        force: install whatever the comparison says.
        keep: install nothing, whatever it says.
        corrections: some tickets are there because people corrected the present model.
        held_out: file with the hashes of what was ever held out; made where missing.

    Raises:
        InvalidInput: there are too few tickets to compare two models on, or an encoder would be lost.
    """
    with steps(_STEPS, progress) as step:
        step()
        texts = fitting(read_corpus(corpus), city)
        seen, groups, held = _held_apart(tickets, held_out)
        if second is None and not force and not keep:
            keep_encoder(models)
        step()
        data = _prepared(texts, seen, groups)
        trained = _written(data, city, out / "model", second, precision, step)
        step()
        points = growth(data, city)
        step()
        match = matched(held, texts, models, out / "model", city, force=force, keep=keep, corrections=corrections)
        own = _carded(out / "model", city, trained.card, texts, data, held)
        answers, notes = _answers(data, trained), _notes(tickets, seen, held, second)
        step()
        (out / "report.html").write_text(report(title, answers, points, match, notes), "utf-8")
        if match.installed:
            install(out / "model", models)
    return _outcome(out / "report.html", match, answers, own)


def _outcome(page: Path, match: Match, answers: Sequence[Answer], own: Own) -> Outcome:
    right = [one.truth == one.found for one in answers]
    error = error_of(bins_of([one.confidence for one in answers], right))
    return Outcome(page, match, float(np.mean(right)), error, own.figures)


def _carded(
    folder: Path, city: City, card: Card, texts: Sequence[Example], data: Data, held: Sequence[Example]
) -> Own:
    """Write the model card, and return what the tickets tell of the model in `folder`."""
    taught = len(data.examples) - len(data.told)
    own = Own(taught, len(held), of_tickets(Pipeline.load(city, folder), held, city.directory))
    write_card(folder, city, card, texts, len(data.told), own)
    return own


def _prepared(texts: Sequence[Example], seen: Sequence[Example], groups: Sequence[str]) -> Data:
    base = [example for example in texts if not example.apart]
    return prepare([*base, *seen], [*(example.text for example in base), *groups])


def _written(
    data: Data, city: City, folder: Path, second: Second | None, precision: float, step: Step
) -> Trained:
    """Train the heads, and the encoder where one is wanted, and write the model."""
    trained, weights = heads_of(data, city, step, precision)
    step()
    write_model(folder, data.space, weights, trained.card)
    step()
    if second is not None:
        second(data.examples, city, folder, trained, data.groups)
    return trained


def _held_apart(tickets: Tickets, file: Path | None) -> tuple[list[Example], list[str], list[Example]]:
    """Part the tickets, and note what is held out before anything is trained."""
    before = frozenset(file.read_text("ascii").split()) if file and file.exists() else frozenset()
    seen, groups, held = parted(tickets, before)
    if file:
        hashes = sorted(before | {hash_of(example.text) for example in held})
        write_durably(file, "".join(f"{one}\n" for one in hashes).encode())
    return seen, groups, held


def parted(tickets: Tickets, ever_held: Collection[str]) -> tuple[list[Example], list[str], list[Example]]:
    """Return tickets to train on with their groups, and those held out; a group goes one way as a whole.

    Args:
        ever_held: hashes of texts that were held out before.
    """
    both = zip(tickets.examples, tickets.groups, strict=True)
    again = {group for example, group in both if hash_of(example.text) in ever_held}
    apart = [int(group, 16) % _ONE_IN == 0 or group in again for group in tickets.groups]
    held = [example for example, out in zip(tickets.examples, apart, strict=True) if out]
    if len(held) < LEAST_HELD_OUT:
        detail = (
            f"工单太少: {len(tickets.examples)}件中只有{len(held)}件可留作比较, 至少需要{LEAST_HELD_OUT}件"
            f"(约{LEAST_HELD_OUT * _ONE_IN}件互不重复的工单)"
        )
        raise InvalidInput(detail, error_id="tickets_invalid")
    rest = [
        (example, group) for example, group, out in zip(tickets.examples, tickets.groups, apart, strict=True) if not out
    ]
    return [example for example, _ in rest], [group for _, group in rest], held


def _answers(data: Data, trained: Trained) -> list[Answer]:
    """Return what the folds found for each ticket."""
    head = trained.card.heads[0]
    stated, found = zip(*head.curve, strict=True)
    rows = [row for row, example in enumerate(data.examples) if example.source == TICKET]
    chances = np.exp(trained.opinions[0][rows])
    sure = np.interp(chances.max(axis=1), stated, found)
    return [
        Answer(mask(data.examples[row].text), data.examples[row].label, head.labels[best], float(confidence))
        for row, best, confidence in zip(rows, chances.argmax(axis=1), sure, strict=True)
    ]


def _notes(
    tickets: Tickets, seen: Sequence[Example], held: Sequence[Example], second: Second | None
) -> list[str]:
    notes = [
        f"互不相同的工单 {len(tickets.examples)} 件, 近似重复者归为一组, 共 {len(set(tickets.groups))} 组",
        f"其中 {len(held)} 件从不用于训练, 只用于比较新旧模型; 其余 {len(seen)} 件按组分五折交叉验证",
    ]
    if second is not None:
        notes.append("交叉验证、可靠性图、混淆矩阵和学习曲线只看线性模型; 新旧模型的比较连同编码器")
    return [*notes, f"未使用: {tickets.left_out}"] if tickets.left_out else notes
