"""An extractive title of at most 25 characters, and the key sentences: what says most, in the citizen's own words.

A clause says much where it names a matter (`triage.matters`), the rarer the more, and a place; who speaks, greetings
and stories say little. Of equals the earlier wins: people mostly begin with what they want. Where nothing but courtesy
comes first, the first matter after it is looked for. Speech without stops is cut where one breathes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from triage.match import Batch, batch_of
from triage.matters import Matter, matter_spots

LONGEST = 25
_ENOUGH = 16
_READ = 240
_CLAUSES = 16
_FARTHEST = 2000
"""Characters within which a matter is looked for where nothing but courtesy comes first."""
_COURTESY = re.compile(
    r"你好|您好|谢谢|感谢|感激|祝[您你愿福]|身体健康|工作顺利|百忙|辛苦|敬[意礼爱]|打扰|冒昧|[来写去]信|信任|尊敬|领导|书记|[市局镇省区厅]长|我叫"
    r"|我是|本人|今年.{0,4}岁|热爱|家乡|新莞人|[来在到]\w{1,4}.{0,6}年了|百姓|心里话|支持|关心|繁忙|宝贵|谅解|不安|付出|发展|做主|此致|从头[说讲]"
)
_THANKS = ("感谢", "致谢")
"""A matter of its own (表扬), but of most letters that begin so it is none."""
_RUNS_ON = 40
"""Characters of a clause from which it is speech without stops: nobody writes so."""
_LONG_SENTENCE = 120
_READABLE = 45
"""Characters of a key sentence cut from one that runs on."""
_TO = "(?<![往到给对跟让被把向和找问叫的在从帮请是])"
_PAUSES = "然后|但是|可是|不过|因为|所以|现在|就是|而且|结果|后来|还有|另外|希望|麻烦|请问|如果"
_BREATHS = (
    re.compile(rf"{_PAUSES}|{_TO}(?:我想|我们|他们|那个)| "),
    re.compile(
        r"(?<=[了的吗呢吧啊嘛呀过])(?![了的吗呢吧啊嘛呀一二三四五六七八九十两几半\d])"
        rf"|{_TO}(?=[我你他她它这那在把被又也都还就没不要说跟])"
    ),
    re.compile(r"(?<=[点年月天次块元里])(?![的前后内外以之多半面头钱])|(?=[从向往给对和与])"),
)
"""Where one breathes, the likeliest first: before such a word, where a word seems to end."""
_FIRST, _LAST = 12, 25
"""Where in such a clause a part may end."""
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
    if len(text) > _READ and _courteous(clauses):
        clauses = _further(text, spots) or clauses
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
    sentences = [part for found in _SENTENCE.finditer(text) for part in _readable(found[0])]
    if len(sentences) <= most:
        return tuple(sentences)
    spots = matter_spots(batch_of(sentences))
    scored = [
        max((clause.score - _ASIDE_COSTS * _polite(clause.text) for clause in _clauses(one, its)), default=-9.0)
        for one, its in zip(sentences, spots, strict=True)
    ]
    ranked = sorted(range(len(sentences)), key=lambda number: (_LATER_COSTS * number - scored[number], number))
    return tuple(sentences[number] for number in sorted(ranked[:most]))


def _readable(sentence: str) -> Iterator[str]:
    """Yield a sentence, in parts of some clauses where it runs on."""
    start = last = 0
    for begin, end in _spans(sentence, 0, len(sentence)) if _runs_on(sentence) else ():
        if last and end - start > _READABLE:
            yield sentence[start:last].strip()
            start = begin
        last = end
    if sentence[start:].strip(" 。!！?？\n"):
        yield sentence[start:].strip()


def _runs_on(sentence: str) -> bool:
    return len(sentence) > _LONG_SENTENCE or any(len(clause) > _RUNS_ON for clause in _CLAUSE.findall(sentence))


def _fits(parts: list[str]) -> bool:
    return len("，".join(parts)) <= LONGEST


def _courteous(clauses: Sequence[_Clause]) -> bool:
    """Tell whether these are words of greeting, thanks and self-introduction, for the most part, and name no matter."""
    if any(clause.text[at : at + 2] not in _THANKS for clause in clauses for at in clause.matters):
        return False
    return 2 * sum(len(one.text) for one in clauses if _polite(one.text)) >= sum(len(one.text) for one in clauses)


def _polite(clause: str) -> bool:
    return _COURTESY.search(clause) is not None


def _further(text: str, spots: _Spots) -> list[_Clause]:
    """Return the clauses from the first one on that names a matter, after what has been read."""
    for start, end in _spans(text, _READ, _FARTHEST):
        if any(start <= spot < end for spot, _ in spots) and not _polite(text[start:end]):
            return _clauses(text, spots, start)
    return []


def _spans(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield where clauses begin and end, those that run on in parts."""
    for match in _CLAUSE.finditer(text, start, stop):
        begin, end = match.span()
        while end - begin > _RUNS_ON:
            cut = _breath(text, begin)
            yield begin, cut
            begin = cut
        yield begin, end


def _breath(text: str, begin: int) -> int:
    """Return where one who speaks without stops may breathe: before 然后, 但是 …, or where a word seems to end."""
    first, last = begin + _FIRST, begin + _LAST
    for pattern in _BREATHS:
        places = [found.start() for found in pattern.finditer(text, first, last)]
        if places:
            return places[-1]
    return last


def _clauses(text: str, spots: _Spots, start: int = 0) -> list[_Clause]:
    """Return the clauses that may become a title: those after one that plainly says it only as far as they may fit."""
    found: list[_Clause] = []
    room = len(text)
    place = bisect_left(spots, start, key=itemgetter(0))
    for begin, end in _spans(text, start, start + _READ):
        clause = text[begin:end].strip(_AROUND)
        if clause[:1] in _MAYBE_EMPTY or ":" in clause or "：" in clause:
            clause = _EMPTY.sub("", clause).strip()
        if not clause or not (found or len(clause) >= 4):
            continue
        worth, matters = 0.0, _NONE
        if place < len(spots) and spots[place][0] < end:
            begins, matters = text.find(clause, begin), []
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
    if clause.isascii() and " " in clause[:LONGEST]:
        return clause[: clause.rindex(" ", 0, LONGEST + 1)]
    if found.matters and min(found.matters) >= LONGEST - 1:
        marks = [mark.start() for mark in re.finditer(r"[:： 、]", clause)]
        start = next((mark + 1 for mark in reversed(marks) if len(clause) - mark - 1 >= _SHORT), len(clause) - LONGEST)
        return clause[start : start + LONGEST]
    return clause[:LONGEST]
