"""A stop that comes while a worker is being started."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from hotline.serve import Workers


def test_a_worker_that_was_just_being_started_is_told_to_stop_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would tell it, and whoever waits for it would wait for ever."""
    begin, begun = subprocess.Popen, list[subprocess.Popen[bytes]]()

    def interrupted(*_: Any, **__: Any) -> subprocess.Popen[bytes]:
        begun.append(begin([sys.executable, "-c", "import time; time.sleep(20)"]))
        signal.raise_signal(signal.SIGTERM)
        return begun[-1]

    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    try:
        assert Workers(["serve"], 2).run() == 0
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert [child.returncode for child in begun] == [-signal.SIGTERM]
