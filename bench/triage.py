"""Speed of triage on one core beside a plain jieba + scikit-learn pipeline and a 12-layer BERT-base of random weights
in onnxruntime, in one run. `python -m bench.triage`.

Ours does everything (category, kind, verdict, services, place, entities, title, and masking of the text, for the event
log and for pages), with the linear model alone and with the encoder asked about every text; the plain one only the
category; the BERT nothing but its own layers.
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

from agent_ui.masking import mask_text
from bench.bert import random_bert
from hotline.city import load_city
from hotline.memory import calm_collector
from hotline.privacy import hidden
from triage.opinion import Use
from triage.pipeline import Pipeline

Judge = Callable[[list[str]], object]
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


def masking(pipeline: Pipeline) -> Judge:
    """Return what judges texts and masks them: as the event log keeps them, and as pages and logs show them."""
    def judge(texts: list[str]) -> object:
        both = zip(texts, pipeline(texts), strict=True)
        return [(hidden(text, entities=triage.entities), mask_text(text)) for text, triage in both]
    return judge


def measure(judge: Judge, texts: list[str], count: int) -> tuple[float, float]:
    """Return the median of single texts in ms, and texts a second in batches, over `count` texts."""
    judge(texts[: min(BATCH, count)])
    singles = []
    for text in texts[: min(300, count)]:
        began = time.perf_counter()
        judge([text])
        singles.append(time.perf_counter() - began)
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        judge(texts[start : min(start + BATCH, count)])
    return 1000 * median(singles), count / (time.perf_counter() - began)


def main() -> None:
    """Measure all and print one line for each."""
    jieba.setLogLevel("ERROR")
    texts, labels = labelled()
    plain = make_pipeline(TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None), LinearSVC()).fit(texts, labels)
    city, models = load_city(Path("cities/441900")), Path("models")
    began = time.perf_counter()
    both = Pipeline.load(city, models, encoder=Use.ALWAYS)
    loaded = time.perf_counter() - began
    rows: list[tuple[str, Judge, int]] = [
        ("plain jieba + scikit-learn, category only", plain.predict, TEXTS),
        ("ours, linear model, everything", masking(Pipeline.load(city, models, encoder=Use.OFF)), TEXTS),
        ("ours with the encoder, everything", masking(both), TEXTS),
        ("12-layer BERT-base of random weights, onnxruntime, 8-bit", random_bert(), 32),
    ]
    sample = of_length(texts)
    calm_collector()  # as the service does before it serves; all rows gain by it
    print(f"one core, texts of {LENGTH} characters, batches of {BATCH}")
    print(f"loading city and models {1000 * loaded:.0f} ms (bar: 1500)")
    print("bars: linear ≤ 1 ms and ≥ 6,000/s; with the encoder ≤ 6 ms and ≥ 250/s")
    for name, judge, count in rows:
        single, batch = measure(judge, sample, count)
        print(f"{name:<58}{single:>8.2f} ms single, p50 {batch:>10,.0f} texts/s in batches")


if __name__ == "__main__":
    main()
