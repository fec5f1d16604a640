"""An extractive title of at most 25 characters, and the key sentences: what says most, in the citizen's own words.

A clause says much where it names a matter (`triage.matters`), the rarer the more, and a place; who speaks, greetings
and stories say little. Of equals the earlier wins: people mostly begin with what they want.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from triage.match import Batch, batch_of
from triage.matters import Matter, matter_spots

LONGEST = 25
_ENOUGH = 16
_READ = 240
_CLAUSES = 16
_CLAUSE = re.compile(r"[^,，.。;；!！?？\n…]+(?:(?<=\d)[.,](?=\d)[^,，.。;；!！?？\n…]+)*")
_SENTENCE = re.compile(r"[^。!！?？\n]+[。!！?？]*")
_EMPTY = re.compile(
    r"^(?:喂+|你好|您好|早上好|晚上好|请问(?:一下)?|那个|呃|嗯|啊|是这样的?|就是|我就?想问(?:一下|下)?|我想(?:反映|咨询|核实)(?:一下|下)?"
    r"|我要(?:投诉|举报|反映)(?:一下)?|投诉|举报|反映|求问|唔该|麻烦|尊敬的[^,，:：]{0,12}|各位领导|领导(?:好|您好)?|市长(?:您好)?"
    r"|[^,，:：]{0,14}(?:同志|人民政府|平台|热线|负责人|领导|支队|分局|局|中心)[:：])+[:：,， ]*"
)
_ASIDE = re.compile(
    r"^(?:我是|本人|我叫|我系|我们是|作为|先讲|先说|说起来|首先|谢谢|感谢您|先声明|不知道|说实话|讲真|其实|大家|领导|求求"
    r"|请(?!问)|希望|恳请|望|麻烦|建议|要求|如果|听说|以前|位置在|痛心)"
)
_PLACED = re.compile(r"[^在这那个的](?:[路村镇街厂店]|社区|小区|花园|学校|小学|中学|医院|公司|广场|车站|公园|市场)")
_PLAIN = 4.5
"""Score of a clause from which no later one need be looked at."""
_AROUND = " \t:：“”\"'"
_MAYBE_EMPTY = frozenset("喂你您早晚请那呃嗯啊是就我投举反求唔麻尊各领市")
_MAYBE_ASIDE = frozenset("我本作先说首谢感不讲其大领求请希恳望麻建要如听以位痛")
"""What a clause begins with that the pattern above, or the one before, may match: most clauses need not be asked."""
_NONE: Sequence[int] = ()
_MOST_WORTH = 8.0
_PLACE = 1.5
_ASIDE_COSTS = 3.0
_LATER_COSTS = 0.35
_SHORT = 8
_Spots = list[tuple[int, Matter]]


class _Clause(NamedTuple):
    text: str
    score: float
    placed: bool
    matters: Sequence[int]
    """Where in the clause matters are named."""


def titles_in(batch: Batch) -> list[str]:
    """Return titles: the clause that says most, with its neighbours while they fit."""
    return [_title(text, spots) for text, spots in zip(batch.texts, matter_spots(batch), strict=True)]


def _title(text: str, spots: _Spots) -> str:
    clauses = _clauses(text, spots)
    if not clauses:
        return text.strip()[:LONGEST]
    best = max(range(len(clauses)), key=lambda number: (clauses[number].score, -number))
    parts = [_cut(clauses[best])]
    if best and clauses[best - 1].placed and not clauses[best].placed and _fits([clauses[best - 1].text, *parts]):
        parts.insert(0, clauses[best - 1].text)
    for clause in clauses[best + 1 :]:
        if sum(map(len, parts)) >= _ENOUGH or not _fits([*parts, clause.text]):
            break
        parts.append(clause.text)
    return "，".join(parts)


def key_sentences(text: str, most: int = 2) -> tuple[str, ...]:
    """Return the sentences that say most, in their order, all of a text that has no more."""
    sentences = [found.group().strip() for found in _SENTENCE.finditer(text) if found.group().strip(" 。!！?？\n")]
    if len(sentences) <= most:
        return tuple(sentences)
    spots = matter_spots(batch_of(sentences))
    scored = [
        max((clause.score for clause in _clauses(one, its)), default=-9.0)
        for one, its in zip(sentences, spots, strict=True)
    ]
    ranked = sorted(range(len(sentences)), key=lambda number: (_LATER_COSTS * number - scored[number], number))
    return tuple(sentences[number] for number in sorted(ranked[:most]))


def _fits(parts: list[str]) -> bool:
    return len("，".join(parts)) <= LONGEST


def _clauses(text: str, spots: _Spots) -> list[_Clause]:
    """Return the clauses that may become a title: those after one that plainly says it only as far as they may fit."""
    found: list[_Clause] = []
    room = len(text)
    place = 0
    for match in _CLAUSE.finditer(text, 0, _READ):
        clause = match.group().strip(_AROUND)
        if clause[:1] in _MAYBE_EMPTY or ":" in clause or "：" in clause:
            clause = _EMPTY.sub("", clause).strip()
        if not clause or not (found or len(clause) >= 4):
            continue
        worth, matters, end = 0.0, _NONE, match.end()
        if place < len(spots) and spots[place][0] < end:
            begins, matters = text.find(clause, match.start()), []
            while place < len(spots) and spots[place][0] < end:
                worth += spots[place][1].worth
                matters.append(spots[place][0] - begins)
                place += 1
        one = _weighed(len(found), clause, worth, matters)
        found.append(one)
        room -= len(clause)
        if room <= 0 or len(found) == _CLAUSES:
            break
        if one.score >= _PLAIN:
            room = min(room, _ENOUGH - len(clause))
            if room <= 0:
                break
    return found


def _weighed(number: int, clause: str, worth: float, matters: Sequence[int]) -> _Clause:
    placed = _PLACED.search(clause) is not None
    length = len(clause)
    score = (worth if worth < _MOST_WORTH else _MOST_WORTH) + _PLACE * placed - _LATER_COSTS * number
    score += 1.0 if length >= _SHORT else length / _SHORT
    if clause[0] in _MAYBE_ASIDE and _ASIDE.match(clause):
        score -= _ASIDE_COSTS
    return _Clause(clause, score, placed, matters)


def _cut(found: _Clause) -> str:
    """Shorten a clause that is too long to the part around what it is about."""
    clause = found.text
    if len(clause) <= LONGEST:
        return clause
    if found.matters and min(found.matters) >= LONGEST - 1:
        marks = [mark.start() for mark in re.finditer(r"[:： 、]", clause)]
        start = next((mark + 1 for mark in reversed(marks) if len(clause) - mark - 1 >= _SHORT), len(clause) - LONGEST)
        return clause[start : start + LONGEST]
    return clause[:LONGEST]
