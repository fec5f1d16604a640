"""A model in the shadow: never heard, never in the way, and compared fairly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hotline.appeal import Category, Triage
from hotline.ids import DepartmentCode
from hotline.terms import Verdict
from triage.shadow import LARGEST, MOST, SHARE, Pair, Said, Shadowed, compare, file_of, forget, mark_of, read_pairs
from triage.tickets import hash_of


def judge(model: str, l2: str, *, grave: bool = False) -> object:
    def answer(texts: Sequence[str]) -> list[Triage]:
        verdict = Verdict.EMERGENCY if grave else Verdict.NON_EMERGENCY
        one = Triage(
            category=Category("03", l2, 0.9), verdict=verdict, department=DepartmentCode("城市管理局"), model=model
        )
        return [one if text else Triage(category=None, needs_person=True, model=model) for text in texts]

    return answer


def shadowed(file: Path, shadow: object, clock: list[float] | None = None) -> Shadowed:
    time = clock or [0.0]
    present = judge("old", "路灯")
    return Shadowed(present, shadow, file, clock=lambda: time[0])  # type: ignore[arg-type]


def test_the_present_model_answers_and_both_answers_are_kept_without_the_text(tmp_path: Path) -> None:
    file = tmp_path / "shadow.jsonl"
    both = shadowed(file, judge("new", "井盖", grave=True))
    assert [one.model for one in both(["我的电话13800138000", ""])] == ["old", "old"]
    first, second = read_pairs(file)
    assert (first.present.label, first.shadow.label, first.shadow.verdict) == ("03路灯", "03井盖", "emergency")
    assert second.present.label == ""
    assert first.text == mark_of("我的电话13800138000")
    assert first.text != hash_of("我的电话13800138000"), "whoever has the file could try all numbers"
    assert "13800138000" not in file.read_text("utf-8")


@pytest.mark.parametrize("fault", [ValueError("x"), TimeoutError(), RuntimeError("onnx"), OSError("disk full")])
def test_a_shadow_that_fails_is_never_noticed_and_not_asked_again(fault: Exception, tmp_path: Path) -> None:
    asked: list[int] = []

    def failing(texts: Sequence[str]) -> list[Triage]:
        asked.append(len(texts))
        raise fault

    both = shadowed(tmp_path / "shadow.jsonl", failing)
    for _ in range(3):
        assert [one.model for one in both(["路灯"])] == ["old"]
    assert asked == [1]


def test_the_shadow_keeps_out_of_large_batches_and_takes_its_share_of_the_time(tmp_path: Path) -> None:
    clock, asked = [0.0], list[int]()

    def slow(texts: Sequence[str]) -> list[Triage]:
        asked.append(len(texts))
        clock[0] += 0.01
        return judge("new", "路灯")(texts)  # type: ignore[operator, no-any-return]

    both = shadowed(tmp_path / "shadow.jsonl", slow, clock)
    both(["路灯"] * (MOST + 1))
    assert asked == []
    for _ in range(1000):
        both(["路灯"])
        clock[0] += 0.001
    assert len(asked) * 0.01 / clock[0] == pytest.approx(SHARE, rel=0.1)


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    file = tmp_path / "shadow.jsonl"
    with file.open("wb") as full:
        full.truncate(LARGEST)
    both = shadowed(file, judge("new", "路灯"), [0.0])
    both(["路灯"])
    size = file.stat().st_size
    both(["路灯"])
    assert file.stat().st_size == size


def test_what_another_model_said_in_the_shadow_is_not_compared(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("present", "one", "other")]
    for folder in folders:
        folder.mkdir()
        (folder / "linear.json").write_text(folder.name, "utf-8")
    present, one, other = folders
    file = file_of(tmp_path, present, one)
    shadowed(file, judge("one", "井盖"))(["路灯"])
    again = file_of(tmp_path, present, other)
    assert read_pairs(again) == []
    shadowed(again, judge("other", "路灯"))(["路灯"])
    assert [pair.shadow.model for pair in read_pairs(again)] == ["other"]
    assert file_of(tmp_path, present, one) == file, "what was told before stands there still"
    (one / "encoder.json").write_text("{}", "utf-8")
    assert file_of(tmp_path, present, one) not in (file, again), "with an encoder it is another model"
    forget(tmp_path)
    assert read_pairs(file) == read_pairs(again) == []


def said(label: str, verdict: str = "non_emergency", unit: str = "") -> Said:
    return Said("m", label, 0.5, verdict, unit)


def test_the_comparison_counts_a_text_once_and_tells_who_was_right() -> None:
    pairs = [
        Pair("a", said("x"), said("y")),
        Pair("a", said("x"), said("z", "emergency", "u")),
        Pair("b", said("x"), said("x")),
        Pair("c", said("p", "emergency"), said("q")),
    ]
    found = compare(pairs, {"a": "z", "b": "x", "other": "x"})
    assert (found.texts, found.same_category, found.same_verdict) == (3, 1, 1)
    assert (found.dispatched, found.alarms, found.judged) == ((0, 1), (1, 1), (2, 1, 2))
    assert dict(found.pairs) == {("x", "z"): 1, ("p", "q"): 1}
    assert compare([], {}).texts == 0


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "shadow.jsonl"
    shadowed(file, judge("new", "路灯"))(["路灯"])
    with file.open("ab") as more:
        more.write(b'{"text": "a", "pres')
    assert len(read_pairs(file)) == 1
    assert read_pairs(tmp_path / "none") == []
