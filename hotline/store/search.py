"""Words for full-text search: pairs of neighbouring Chinese characters, and whole runs of letters and digits.

Pairs find every phrase wherever a segmenter would cut it (「盏路灯不亮」 is cut 盏/路/灯不亮: a search for 路灯 would
miss it); the index grows a little, and it is written behind the log, where that costs no citizen a wait.
"""

from __future__ import annotations

import re
from itertools import pairwise

MAX_LENGTH = 2000
MAX_TOKENS = 600
_RUN = re.compile(r"[㐀-鿿]+|[^\W㐀-鿿_]+")


def _runs(text: str) -> list[str]:
    return _RUN.findall(text[:MAX_LENGTH].lower())


def _is_chinese(run: str) -> bool:
    return "㐀" <= run[0] <= "鿿"


def _words(run: str) -> list[str]:
    if not _is_chinese(run):
        return [run]
    return [run] if len(run) == 1 else ["".join(pair) for pair in pairwise(run)]


def words(text: str) -> list[str]:
    """Return the distinct words of a text, at most `MAX_TOKENS`."""
    return list(dict.fromkeys(word for run in _runs(text) for word in _words(run)))[:MAX_TOKENS]


def tokens(text: str) -> str:
    """Return the distinct words of a text, joined by spaces, at most `MAX_TOKENS`, "" if it has none."""
    return " ".join(words(text))


def query(text: str, *, unit: str = "") -> str:
    """Return a tsquery that asks for every word of `text`, "" if it has none; operators in it have no meaning.

    A single Chinese character, and the beginning of a run of letters or digits, stand for all that begin so. Before
    each word stands `{block}~`, to be replaced by a block of tickets (sql/console.sql, search_words).

    Args:
        unit: that the ticket was ever with, "" any.
    """
    asked = dict.fromkeys(
        f"'{{block}}~{word}':*" if len(run) == 1 or not _is_chinese(run) else f"'{{block}}~{word}'"
        for run in _runs(text)[:50] for word in _words(run)
    )
    if asked and unit:
        escaped = unit.replace("\\", "\\\\").replace("'", "''")
        asked[f"'{{block}}~~d{escaped}'"] = None
    return " & ".join(asked)
