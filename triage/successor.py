"""Whether a new model may take the place of the present one.

It must be right on more of the tickets held out, and hardly worse on the project's texts kept aside: at finding
emergencies, at once and at all, and at false alarms. Where there are corrections among the tickets, at those texts'
categories and at dispatching them too: people correct what the present model got wrong, so on a tenth of that nearly
any other wins.

A model without an encoder takes the place of one with an encoder only where it is forced to: the encoder is worth more
than tickets bring. Where only a comparison is wanted, both are compared without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hotline.city import City
from hotline.errors import InvalidInput
from triage.card import RAISED, RECALL
from triage.corpus import Example
from triage.encoder import load_blend
from triage.evaluate import evaluate
from triage.linear import load_linear
from triage.opinion import Use
from triage.pipeline import Pipeline
from triage.report import Match

FALL = 0.01
"""By how much figures of the project's texts may get worse: about twice what chance does to 5,000 texts."""


class Bar(NamedTuple):
    """A figure that is held: its name, the sign of what is better, by how much it may get worse, and what training aims
    at. A present model that is better than the aim was lucky, and that obliges its successor to nothing."""

    told: str
    better: int = 1
    fall: float = FALL
    aim: float = 1.0


_ALARMS = {
    "emergency_raised_at_all": Bar("发现的紧急情况", fall=FALL / 2, aim=RAISED),
    "emergency_recall": Bar("直接判为紧急的紧急情况", aim=RECALL),
    "false_alarms_hard_negatives": Bar("易误判文本的误报", better=-1),
    "false_alarms_ordinary": Bar("普通文本的误报", better=-1, fall=FALL / 2),
}
_DISPATCH = "dispatch_precision"
_FORGOTTEN = {"l2_accuracy": Bar("事项正确率"), _DISPATCH: Bar("自动派单正确率")}
_ENCODER_NEEDED = (
    "现用模型 {} 带编码器, 不带编码器的新模型会使判断变差: 请加 --encoder own(或检查点目录), "
    "只看结果而不安装用 retrain --compare, 确实不要编码器用 --force"
)


def keep_encoder(models: Path) -> None:
    """Raise InvalidInput where the model in `models` has an encoder, as a new one without would lose it."""
    if _has_encoder(models):
        raise InvalidInput(_ENCODER_NEEDED.format(models), error_id="encoder_needed")


def matched(
    held: Sequence[Example],
    texts: Sequence[Example],
    present: Path,
    new: Path,
    city: City,
    *,
    force: bool,
    keep: bool,
    corrections: bool,
) -> Match:
    """Return who is right on more of the tickets held out, and whether the new model is to be installed.

    Args:
        present, new: folders of the models.
        force: install the new one whatever comes out.
        keep: install nothing whatever comes out.
    """
    lost = _has_encoder(present) and not _has_encoder(new)
    judges = [Pipeline.load(city, folder, encoder=Use.OFF if lost else Use.ALWAYS) for folder in (present, new)]
    before, after = (_right(judge, held) for judge in judges)
    was, now = (evaluate(judge, texts, city.directory) for judge in judges)
    asked, asks = (load_linear(folder).card.thresholds.precision for folder in (present, new))
    fallen = worse(was, now, corrections=corrections, precision=asks if asks < asked else 1.0)
    better = after > before and not fallen
    reason = [f"留出的{len(held)}件工单上, 新模型判对{after}件, 现用模型{before}件", _told(was, now), *fallen]
    if lost:
        reason.append("新模型没有编码器, 两者都不用编码器比较")
    if force and not better and not keep:
        reason.append("按 --force 安装")
    return Match(len(held), after, before, (force or better) and not keep, "; ".join(reason))


def _has_encoder(folder: Path) -> bool:
    return load_blend(folder, load_linear(folder)) is not None


def worse(
    was: Mapping[str, float], now: Mapping[str, float], *, corrections: bool, precision: float = 1.0
) -> list[str]:
    """Return what of the present model's figures a new one does not hold.

    Args:
        corrections: some tickets are there because people corrected the present model.
        precision: of automatic dispatch, where less was asked of the new model than of the present one.
    """
    dispatch = {_DISPATCH: _FORGOTTEN[_DISPATCH]._replace(aim=precision)}
    bars = _ALARMS | _FORGOTTEN | dispatch if corrections else _ALARMS
    return [
        f"{bar.told}{'下降' if bar.better > 0 else '上升'}超过{bar.fall:g}"
        for name, bar in bars.items() if bar.better * (now[name] - min(was[name], bar.aim)) < -bar.fall
    ]


def _told(was: Mapping[str, float], now: Mapping[str, float]) -> str:
    return "留出的项目文本上" + "; ".join(
        f"{bar.told}: 新{now[one]:.4f}, 现用{was[one]:.4f}" for one, bar in (_ALARMS | _FORGOTTEN).items()
    )


def _right(judge: Callable[[Sequence[str]], Sequence[Any]], held: Sequence[Example]) -> int:
    found = judge([example.text for example in held])
    return sum(
        one.category is not None and one.category.l1 + one.category.l2 == example.label
        for example, one in zip(held, found, strict=True)
    )
