"""Words for full-text search: cut on the way in and on the way out by the same segmenter (`rjieba`)."""

from __future__ import annotations

import rjieba

MAX_LENGTH = 2000
MAX_TOKENS = 300


def tokens(text: str) -> str:
    """Return the distinct words of a text, joined by spaces, at most `MAX_TOKENS`, "" if it has none."""
    words = dict.fromkeys(filter(str.isalnum, rjieba.cut_for_search(text[:MAX_LENGTH].lower())))
    return " ".join(list(words)[:MAX_TOKENS])


def query(text: str) -> str:
    """Return a tsquery that asks for every word of `text`, "" if it has none. Operators in the text have no meaning."""
    words = dict.fromkeys(filter(str.isalnum, rjieba.cut(text[:200].lower())))
    return " & ".join(f"'{word}'" for word in words)
