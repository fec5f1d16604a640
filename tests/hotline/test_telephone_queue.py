"""Who takes part in a call is given no other."""

from __future__ import annotations

from typing import Any, cast

import pytest

from hotline.telephone_ports import Times
from hotline.telephone_queue import Queues
from routing.calls import Call, Leg, Phase, Role
from routing.queue_plan import Centre, Queue
from routing.queueing import Rung
from tests.cities import NOW

PLAN = Centre(queues={"general": Queue(steps=(Rung(0, "general"),))})


@pytest.mark.parametrize(("role", "up", "claimed", "taken"), [
    (Role.AGENT, False, "", True),
    (Role.PARTY, False, "not_ready meal", True),
    (Role.PARTY, True, "", True),  # was offline when they were brought in, and may log in during the talk
    (Role.SUPERVISOR, True, "", True),
    (Role.PARTY, False, "", False),  # rung, and nobody holds them for it: their next call may come first
    (Role.CITIZEN, True, "", False),
])
def test_who_is_on_a_call(role: Role, up: bool, claimed: str, taken: bool) -> None:
    leg = Leg(channel="c", role=role, name="li", up=up, since=NOW, claimed=claimed)
    call = Call(id="1", caller="", called="", queue="general", arrived=NOW, phase=Phase.TALKING, legs=(leg,))
    queues = Queues(
        store=cast(Any, None), centre=lambda: PLAN, clock=lambda: NOW, times=Times(), calls={"1": call},
        happen=cast(Any, None),
    )
    assert queues.is_on_a_call("li") is taken
    assert not queues.is_on_a_call("wang")
