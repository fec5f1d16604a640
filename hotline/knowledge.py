"""The knowledge base (知识库): what an article is, and an index that finds the right ones for a text in milliseconds.

The index is BM25 over words that a caller gives (pairs of characters, as the search of tickets has them), kept in
memory by every process that answers agents; the articles are in the database, version by version. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from hotline.errors import InvalidInput

Words = Callable[[str], Sequence[str]]
"""Cuts a text into its distinct words."""
SNIPPET = 90
_K, _B = 1.2, 0.6
_TITLE, _KEYWORD, _BODY = 3.0, 2.0, 1.0
_SAME_CATEGORY, _SAME_FIELD = 1.5, 1.1
_MOST = 12_000
"""Postings looked at for one text: some milliseconds. What is left out are the words that most articles share."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an article. `l1` and `l2` name the category it serves, "" for any; `source` what it rests on."""

    title: Annotated[str, Meta(min_length=2, max_length=100)]
    department: Annotated[str, Meta(min_length=1, max_length=60)]
    body: Annotated[str, Meta(min_length=10, max_length=20_000)]
    l1: Annotated[str, Meta(max_length=2)] = ""
    l2: Annotated[str, Meta(max_length=40)] = ""
    keywords: Annotated[tuple[Annotated[str, Meta(max_length=40)], ...], Meta(max_length=40)] = ()
    source: Annotated[str, Meta(max_length=300)] = ""


class ArticleState(StrEnum):
    """`draft` was never published, `withdrawn` is not any more."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An article in a list. `published` is the version that is shown, None where none is; `latest` may be a draft."""

    id: int
    title: str
    department: str
    state: ArticleState
    latest: int
    published: int | None
    review_on: date
    updated_at: datetime


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what: `written`, `published`, `withdrawn`, `reviewed`."""

    act: str
    version: int
    actor: str
    at: datetime
    note: str = ""


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """An article with one version's content and its whole history."""

    row: Row
    version: int
    content: Content
    acts: tuple[Act, ...] = ()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An article that fits, the best first; `score` is comparable within one answer only."""

    id: int
    title: str
    department: str
    snippet: str
    score: float
    l1: str = ""
    l2: str = ""


def check_review(day: date, today: date) -> date:
    """Return a review date; raises InvalidInput unless it lies ahead, three years at most."""
    if not 0 < (day - today).days <= 3 * 366:
        raise InvalidInput(f"review_on is a day after today ({today}), within three years")
    return day


def review_state(published: int | None, withdrawn: bool) -> ArticleState:
    """Return the state from what is kept of an article."""
    if published is not None:
        return ArticleState.PUBLISHED
    return ArticleState.WITHDRAWN if withdrawn else ArticleState.DRAFT


class Index:
    """Published articles by their words. Adding and removing cost what the article holds, never the whole index."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._postings: dict[str, dict[int, float]] = {}
        self._articles: dict[int, tuple[Content, tuple[str, ...]]] = {}
        self._length = 0

    def __len__(self) -> int:
        return len(self._articles)

    def put(self, id_: int, content: Content) -> None:
        """Add an article, or another version of it."""
        self.remove(id_)
        weights: dict[str, float] = {}
        for text, weight in ((content.body, _BODY), (" ".join(content.keywords), _KEYWORD), (content.title, _TITLE)):
            for word in self._words(text):
                weights[word] = weights.get(word, 0.0) + weight
        for word, weight in weights.items():
            self._postings.setdefault(word, {})[id_] = weight
        self._articles[id_] = content, tuple(weights)
        self._length += len(weights)

    def remove(self, id_: int) -> None:
        """Take an article out; one that is not there is no mistake."""
        if id_ not in self._articles:
            return
        _, words = self._articles.pop(id_)
        self._length -= len(words)
        for word in words:
            del self._postings[word][id_]
            if not self._postings[word]:
                del self._postings[word]

    def replace(self, articles: Mapping[int, Content]) -> None:
        """Hold exactly these articles; those that are the same already are left alone."""
        for id_ in [id_ for id_ in self._articles if id_ not in articles]:
            self.remove(id_)
        for id_, content in articles.items():
            if id_ not in self._articles or self._articles[id_][0] != content:
                self.put(id_, content)

    def find(
        self, text: str, *, l1: str = "", l2: str = "", department: str = "", limit: int = 5, least: float = 0.0
    ) -> list[Hit]:
        """Return the articles that fit a text, the best first.

        Args:
            l1, l2: the appeal's category where it is known: articles of it count more.
            department: only its articles.
            least: share of the best score below which nothing is shown.
        """
        scores = self._scores(self._words(text))
        for id_ in scores:
            content = self._articles[id_][0]
            if l1 and content.l1 == l1:
                scores[id_] *= _SAME_CATEGORY if l2 and content.l2 == l2 else _SAME_FIELD
        found = [id_ for id_ in scores if department in ("", self._articles[id_][0].department)]
        best = sorted(found, key=lambda id_: (-scores[id_], id_))[:limit]
        bar = scores[best[0]] * least if best else 0.0
        return [self._hit(id_, scores[id_]) for id_ in best if scores[id_] >= bar]

    def _scores(self, words: Iterable[str]) -> dict[int, float]:
        count = len(self._articles)
        mean = self._length / count if count else 1.0
        scores: dict[int, float] = {}
        for word in self._telling(words):
            postings = self._postings[word]
            idf = math.log(1 + (count - len(postings) + 0.5) / (len(postings) + 0.5))
            for id_, weight in postings.items():
                norm = _K * (1 - _B + _B * len(self._articles[id_][1]) / mean)
                scores[id_] = scores.get(id_, 0.0) + idf * weight * (_K + 1) / (weight + norm)
        return scores

    def _telling(self, words: Iterable[str]) -> list[str]:
        """Return the known words that tell articles apart: the rarest first, as many as `_MOST` postings allow."""
        known = sorted((word for word in words if word in self._postings), key=lambda word: len(self._postings[word]))
        chosen: list[str] = []
        postings = 0
        for word in known:
            postings += len(self._postings[word])
            if postings > _MOST and chosen:
                break
            chosen.append(word)
        return chosen

    def _hit(self, id_: int, score: float) -> Hit:
        content = self._articles[id_][0]
        return Hit(
            id=id_, title=content.title, department=content.department, score=round(score, 3), l1=content.l1,
            l2=content.l2, snippet=content.body[:SNIPPET] + ("…" if len(content.body) > SNIPPET else ""),
        )
