"""A sweep passes over what fails: whatever is wrong with one, the others are taken, and it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import structlog

from hotline.errors import Unavailable
from hotline.in_turn import each_apart


class Steps:
    """Steps under keys; those that are given a fault fail with it."""

    def __init__(self, **faults: Exception) -> None:
        self.faults, self.taken, self.waiting = faults, list[str](), list[str]()

    def of(self, *keys: str) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [(key, partial(self._take, key)) for key in keys]

    async def _take(self, key: str) -> None:
        if key in self.faults:
            raise self.faults[key]
        self.taken.append(key)

    async def put_off(self, key: str) -> None:
        self.waiting.append(key)


async def test_what_fails_keeps_no_other_back_and_the_first_is_raised_at_the_end() -> None:
    steps = Steps(b=KeyError("first"), d=ValueError("second"))
    with structlog.testing.capture_logs() as told, pytest.raises(KeyError, match="first"):
        await each_apart(steps.of("a", "b", "c", "d", "e"))
    assert steps.taken == ["a", "c", "e"]
    assert [(line["event"], line["key"]) for line in told] == [("sweep_failed", "b"), ("sweep_failed", "d")]


async def test_what_is_put_off_is_told_and_fails_nobody() -> None:
    steps = Steps(a=KeyError("of ours"))
    with structlog.testing.capture_logs() as told:
        await each_apart(steps.of("a", "b"), put_off=steps.put_off)
    assert (steps.waiting, steps.taken, [line["key"] for line in told]) == (["a"], ["b"], ["a"])


@pytest.mark.parametrize("loss", [Unavailable("the database does not answer"), ConnectionError("gone")])
async def test_without_the_database_nothing_goes_on_and_nothing_is_put_off(loss: Exception) -> None:
    steps = Steps(b=loss)
    with pytest.raises(type(loss)):
        await each_apart(steps.of("a", "b", "c"), put_off=steps.put_off)
    assert (steps.taken, steps.waiting) == (["a"], [])
