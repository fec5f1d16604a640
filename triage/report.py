"""The report on a training run: one HTML file that loads nothing, for the people who own the tickets. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from triage.bars import bins_of, error_of, macro_f1, scored
from triage.svg import Point, confusion, curve, reliability

_PAIRS, _EXAMPLES, _EXAMPLE = 15, 2, 120
_STYLE = """body{font:14px/1.6 sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#1f2328}
table{border-collapse:collapse}td,th{border:1px solid #d0d7de;padding:3px 10px;text-align:right}
td:first-child,th:first-child{text-align:left}.yes{color:#1a7f37}.no{color:#b42318}.scroll{overflow-x:auto}
blockquote{margin:.2em 0 .2em 1em;color:#59636e}"""


class Answer(NamedTuple):
    """One held-out ticket: what it is, what it was taken for, and how surely. `text` bears no personal data."""

    text: str
    truth: str
    found: str
    confidence: float


class Match(NamedTuple):
    """New model against present one on `texts` held-out tickets, and what was decided for which reason."""

    texts: int
    new_right: int
    present_right: int
    installed: bool
    reason: str


def report(title: str, answers: Sequence[Answer], points: Sequence[Point], match: Match, notes: Sequence[str]) -> str:
    """Return the report.

    Args:
        answers: out-of-fold answers on every ticket trained on.
        points: the learning curve.
        notes: lines on the data and the protocol.
    """
    truth, found = [one.truth for one in answers], [one.found for one in answers]
    classes = [name for name, _ in Counter(truth).most_common()]
    right = [one.truth == one.found for one in answers]
    bins = bins_of([one.confidence for one in answers], right)
    table = scored(truth, found, classes)
    share = sum(right) / max(1, len(right))
    sections = [
        f"<h1>{escape(title)}</h1>",
        "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>",
        _match_text(match),
        f"<h2>交叉验证</h2><p>{len(answers)}件工单, {len(classes)}个事项: 正确率 <b>{share:.4f}</b>, "
        f"宏平均F1 <b>{macro_f1(table):.4f}</b>, 期望校准误差 <b>{error_of(bins):.4f}</b></p>",
        "<h2>学习曲线</h2>", curve(points),
        "<h2>可靠性图</h2><p>柱到斜线: 把握与正确率一致。</p>", reliability(bins),
        "<h2>混淆矩阵</h2><p>行为正确事项, 列为模型判定; 颜色深浅为占该行的比例, 最多列出40个最常见事项。</p>",
        f'<div class="scroll">{confusion(Counter(zip(truth, found, strict=True)), classes)}</div>',
        "<h2>最易混淆</h2>", _pairs(answers),
        "<h2>各事项</h2><table><tr><th>事项</th><th>工单</th><th>精确率</th><th>召回率</th><th>F1</th></tr>",
        *(f"<tr><td>{escape(one.name)}</td><td>{one.size}</td><td>{one.precision:.3f}</td><td>{one.recall:.3f}</td>"
          f"<td>{one.f1:.3f}</td></tr>" for one in table),
        "</table>",
    ]
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(sections)}</body></html>\n"
    )


def _match_text(match: Match) -> str:
    mark, word = ("yes", "已安装") if match.installed else ("no", "未安装")
    return (
        f"<h2>新模型与现用模型</h2><table><tr><th></th><th>正确</th><th>共</th></tr>"
        f"<tr><td>现用模型</td><td>{match.present_right}</td><td>{match.texts}</td></tr>"
        f"<tr><td>新模型</td><td>{match.new_right}</td><td>{match.texts}</td></tr></table>"
        f'<p class="{mark}"><b>{word}</b>: {escape(match.reason)}</p>'
    )


def _pairs(answers: Sequence[Answer]) -> str:
    wrong: dict[tuple[str, str], list[Answer]] = {}
    for one in answers:
        if one.truth != one.found:
            wrong.setdefault((one.truth, one.found), []).append(one)
    ranked = sorted(wrong.items(), key=lambda item: (-len(item[1]), item[0]))[:_PAIRS]
    parts = [
        f"<p>{escape(truth)} → {escape(found)}: {len(some)}件</p>"
        + "".join(f"<blockquote>{escape(_short(one.text))}</blockquote>" for one in some[:_EXAMPLES])
        for (truth, found), some in ranked
    ]
    return "".join(parts) or "<p>没有判错的工单。</p>"


def _short(text: str) -> str:
    return text if len(text) <= _EXAMPLE else text[:_EXAMPLE] + "…"
