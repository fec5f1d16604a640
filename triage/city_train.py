"""A city's own tickets: train on them and on the project's texts, measure, report, and install what is better.

Protocol. Near-duplicates form a group. A tenth of the groups, chosen by a hash, is never trained on, neither today nor
at any later training, so that the new model and the present one can be compared there. On the rest, grouped folds give
the figures of the report. The new model is installed if it is right on more of the tenth than the present one, and
finds no fewer emergencies among the project's texts kept aside. Where there are corrections among the tickets it must
hardly be worse at those texts' categories and at dispatching them either: people correct what the present model got
wrong, so on a tenth of that nearly any other wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hotline.city import City
from hotline.errors import InvalidInput
from triage.bars import bins_of, error_of
from triage.corpus import TICKET, Example, read_corpus
from triage.entities import mask
from triage.evaluate import evaluate
from triage.growth import growth
from triage.heads import Data, Step, Trained, heads_of, prepare
from triage.install import install
from triage.opinion import Use
from triage.pipeline import Pipeline
from triage.report import Answer, Match, report
from triage.tickets import Tickets
from triage.train import Second, checked, steps, write_model

LEAST_HELD_OUT = 20
"""Held-out tickets below which chance would decide which model is better."""
FALL = 0.01
"""By how much categories and dispatch of the project's texts may fall: about twice what chance does to 5,000 texts."""
_FOUND, _HELD = "emergency_raised_at_all", {"l2_accuracy": "事项正确率", "dispatch_precision": "自动派单正确率"}
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
    """What came of it: where the report is, the comparison, and the figures of the folds."""

    report: Path
    match: Match
    right: float
    calibration_error: float


def train_city(
    tickets: Tickets,
    corpus: Path,
    models: Path,
    out: Path,
    city: City,
    *,
    title: str,
    second: Second | None = None,
    force: bool = False,
    keep: bool = False,
    corrections: bool = False,
    progress: bool = True,
) -> Outcome:
    """Train, write `out/model` and `out/report.html`, install into `models` where the new model is better.

    Args:
        corpus: folder of the project's labelled texts: kinds and emergencies are learnt from them alone.
        models: the present model.
        force: install whatever the comparison says.
        keep: install nothing, whatever it says.
        corrections: some tickets are there because people corrected the present model.

    Raises:
        InvalidInput: there are too few tickets to compare two models on.
    """
    with steps(_STEPS, progress) as step:
        step()
        texts = checked(read_corpus(corpus), city)
        seen, groups, held = _parted(tickets)
        base = [example for example in texts if not example.apart]
        step()
        data = prepare([*base, *seen], [*(example.text for example in base), *groups])
        trained = _written(data, city, out / "model", second, step)
        step()
        points = growth(data, city)
        step()
        match = _match(held, texts, models, out / "model", city, force=force, corrections=corrections)
        match = match._replace(installed=match.installed and not keep)
        answers = _answers(data, trained)
        step()
        page = report(title, answers, points, match, _notes(tickets, seen, held))
        (out / "report.html").write_text(page, "utf-8")
        if match.installed:
            install(out / "model", models)
    right = [one.truth == one.found for one in answers]
    error = error_of(bins_of([one.confidence for one in answers], right))
    return Outcome(out / "report.html", match, float(np.mean(right)), error)


def _written(data: Data, city: City, folder: Path, second: Second | None, step: Step) -> Trained:
    """Train the heads, and the encoder where one is wanted, and write the model."""
    trained, weights = heads_of(data, city, step)
    step()
    write_model(folder, data.space, weights, trained.card)
    step()
    if second is not None:
        second(data.examples, city, folder, trained)
    return trained


def _parted(tickets: Tickets) -> tuple[list[Example], list[str], list[Example]]:
    """Return tickets to train on with their groups, and those held out; a group goes one way as a whole."""
    apart = [int(group, 16) % _ONE_IN == 0 for group in tickets.groups]
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


def _match(
    held: Sequence[Example],
    texts: Sequence[Example],
    present: Path,
    new: Path,
    city: City,
    *,
    force: bool,
    corrections: bool,
) -> Match:
    judges = [Pipeline.load(city, folder, encoder=Use.ALWAYS) for folder in (present, new)]
    before, after = (_right(judge, held) for judge in judges)
    was, now = (evaluate(judge, texts, city.directory) for judge in judges)
    fallen = [name for one, name in _HELD.items() if corrections and now[one] < was[one] - FALL]
    better = after > before and now[_FOUND] >= was[_FOUND] and not fallen
    reason = f"留出的{len(held)}件工单上, 新模型判对{after}件, 现用模型{before}件; {_told(was, now)}"
    if fallen:
        reason += f"; {'和'.join(fallen)}下降超过{FALL:.2f}"
    if force and not better:
        reason += "; 按 --force 安装"
    return Match(len(held), after, before, force or better, reason)


def _told(was: Mapping[str, float], now: Mapping[str, float]) -> str:
    names = {_FOUND: "发现的紧急情况"} | _HELD
    return "留出的项目文本上" + "; ".join(
        f"{name}: 新{now[one]:.4f}, 现用{was[one]:.4f}" for one, name in names.items()
    )


def _right(judge: Callable[[Sequence[str]], Sequence[Any]], held: Sequence[Example]) -> int:
    found = judge([example.text for example in held])
    return sum(
        one.category is not None and one.category.l1 + one.category.l2 == example.label
        for example, one in zip(held, found, strict=True)
    )


def _notes(tickets: Tickets, seen: Sequence[Example], held: Sequence[Example]) -> list[str]:
    strange = sorted(tickets.strange.items(), key=lambda item: -item[1])
    notes = [
        f"互不相同的工单 {len(tickets.examples)} 件, 近似重复者归为一组, 共 {len(set(tickets.groups))} 组",
        f"其中 {len(held)} 件从不用于训练, 只用于比较新旧模型; 其余 {len(seen)} 件按组分五折交叉验证",
        f"空文本或空标签 {tickets.empty} 行, 未使用",
    ]
    if strange:
        told = "、".join(f"{name}({count})" for name, count in strange[:20])
        notes.append(f"不在 categories.csv 中的标签共 {sum(tickets.strange.values())} 行, 未使用: {told}")
    return notes
