"""The time limit on triage, on the loop that the service runs on: an endless loop ends, and the event loop lives on."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest
import uvloop

from hotline.limit import time_limit


@pytest.mark.parametrize("factory", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_an_endless_call_is_interrupted_and_the_loop_goes_on(factory: object) -> None:
    async def serve() -> list[str]:
        told = []
        for _ in range(3):
            try:
                with time_limit(0.02):
                    while True:
                        pass
            except TimeoutError:
                told.append("late")
            await asyncio.sleep(0.01)
        with time_limit(0.02):
            told.append("in time")
        await asyncio.sleep(0.05)  # longer than the limit: a timer left running would strike here
        return told

    before = signal.getsignal(signal.SIGALRM)
    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        assert runner.run(serve()) == ["late", "late", "late", "in time"]
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_waiting_is_interrupted_too() -> None:
    with pytest.raises(TimeoutError), time_limit(0.02):
        time.sleep(30)
