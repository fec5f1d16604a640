"""Speed of triage on one core beside a plain jieba + scikit-learn pipeline, in one run. `python -m bench.triage`.

Ours does everything (category, kind, verdict, services, place, entities, title); the plain one only the category.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import jieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from hotline.city import load_city
from triage.pipeline import Pipeline

LENGTH, TEXTS, BATCH = 200, 1024, 256
DATA = Path("triage/data/appeals")


def labelled() -> tuple[list[str], list[str]]:
    """Return texts and categories of the corpus."""
    rows = [json.loads(line) for file in sorted(DATA.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [row["text"] for row in rows], [row["l1"] + row["l2"] for row in rows]


def of_length(texts: Sequence[str]) -> list[str]:
    """Return texts of exactly `LENGTH` characters, made of corpus texts one after the other."""
    joined = "。".join(texts)
    return [joined[n * LENGTH : (n + 1) * LENGTH] for n in range(TEXTS)]


def measure(judge: Callable[[list[str]], object], texts: list[str]) -> tuple[float, float]:
    """Return the median of single texts in ms, and texts a second in batches."""
    judge(texts[:BATCH])
    singles = []
    for text in texts[:300]:
        began = time.perf_counter()
        judge([text])
        singles.append(time.perf_counter() - began)
    began = time.perf_counter()
    for start in range(0, len(texts), BATCH):
        judge(texts[start : start + BATCH])
    return 1000 * median(singles), len(texts) / (time.perf_counter() - began)


def main() -> None:
    """Measure both and print the ratio."""
    jieba.setLogLevel("ERROR")
    texts, labels = labelled()
    plain = make_pipeline(TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None), LinearSVC()).fit(texts, labels)
    began = time.perf_counter()
    ours = Pipeline.load(load_city(Path("cities/441900")), Path("models"))
    loaded = time.perf_counter() - began
    sample = of_length(texts)
    print(f"texts of {LENGTH} characters, batches of {BATCH}; loading city and models {1000 * loaded:.0f} ms")
    for name, judge in (("plain jieba + scikit-learn, category only", plain.predict), ("ours, everything", ours)):
        single, batch = measure(judge, sample)
        print(f"{name:<58}{single:>8.2f} ms single, p50 {batch:>10,.0f} texts/s in batches")


if __name__ == "__main__":
    main()
