"""Queueing formulas of staffing: Erlang B, C and A. Pure.

Calls arrive at random (Poisson), talk for an exponential time and are answered in the order of arrival by `agents`
equal agents. Erlang C lets callers wait for ever (A. K. Erlang, 1917); Erlang A lets each hang up after an exponential
patience (C. Palm, 1957; formulas by the virtual wait after F. Baccelli and G. Hebuterne, 1981). Times in seconds,
`load` in erlangs: calls a second × average handling time.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from math import exp, inf, log

import msgspec

_STEPS = 2000


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """How a group of agents serves its callers.

    Attributes:
        level: share of all callers who are answered within the threshold.
        wait: mean wait of all callers, seconds; `inf` for an overloaded group without abandonment.
        abandoned: share of callers who hang up before an answer.
        occupancy: share of an agent's time that is spent with callers, 0–1.
    """

    level: float
    wait: float
    abandoned: float
    occupancy: float


def erlang_b(agents: int, load: float) -> float:
    """Return the probability that all agents are busy when callers do not wait at all."""
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(agents: int, load: float) -> float:
    """Return the probability that a caller has to wait; 1 when the load is more than the agents can carry."""
    if agents <= load:
        return 1.0
    blocked = erlang_b(agents, load)
    return blocked / (1 - load / agents * (1 - blocked))


def serve_patient(*, agents: int, rate: float, handling: float, within: float) -> Service:
    """Return how callers are served who wait for ever (Erlang C).

    Args:
        rate: calls a second. handling: average handling time. within: threshold of the service level.
    """
    load = rate * handling
    if agents <= load:
        return Service(level=0.0, wait=inf, abandoned=0.0, occupancy=1.0)
    waits, spare = erlang_c(agents, load), (agents - load) / handling
    return Service(
        level=1 - waits * exp(-spare * within), wait=waits / spare, abandoned=0.0, occupancy=load / agents
    )


def serve(*, agents: int, rate: float, handling: float, within: float, patience: float = inf) -> Service:
    """Return how callers are served who hang up after `patience` seconds on average (Erlang A).

    Raises:
        ValueError: no agents, or a rate, handling time or patience that is not positive.
    """
    if agents < 1 or min(rate, handling, patience) <= 0:
        raise ValueError("staffing needs at least one agent, and positive rates and times")
    if patience == inf:
        return serve_patient(agents=agents, rate=rate, handling=handling, within=within)
    return _impatient(agents, rate, handling, within, patience)


def _impatient(agents: int, rate: float, handling: float, within: float, patience: float) -> Service:
    """Integrate over the virtual wait: the time that a caller of endless patience would have to wait."""
    capacity = agents / handling

    def exponent(wait: float) -> float:
        return rate * patience * (1 - exp(-wait / patience)) - capacity * wait

    top = max(0.0, patience * log(rate / capacity))  # where the density is highest
    scale = exponent(top)
    last = top + 40 / capacity + 8 * (patience / capacity) ** 0.5 + patience
    at_once = exp(-scale) / erlang_b(agents - 1, rate * handling) if agents > 1 else exp(-scale)
    grid = [last * step / _STEPS for step in range(_STEPS + 1)]
    grid = sorted({*grid, min(within, last)})
    queue, answered, in_time, waited = 0.0, 0.0, 0.0, 0.0
    for low, high in pairwise(grid):
        middle, width = (low + high) / 2, high - low
        mass = rate * exp(exponent(middle) - scale) * width
        stays = exp(-middle / patience)
        queue += mass
        answered += mass * stays
        in_time += mass * stays if middle < within else 0.0
        waited += mass * patience * (1 - stays)
    total = at_once + queue
    served = (at_once + answered) / total
    return Service(
        level=(at_once + in_time) / total, wait=waited / total, abandoned=1 - served,
        occupancy=min(1.0, rate * served * handling / agents),
    )


def agents_needed(
    *, rate: float, handling: float, within: float, level: float, patience: float = inf, occupancy: float = 1.0
) -> int:
    """Return the fewest agents who answer a share `level` of the callers in time and are busy `occupancy` at most.

    Raises:
        ValueError: a level that no number of agents reaches (1 or more), or see `serve`.
    """
    if not 0 <= level < 1:
        raise ValueError("a service level is a share from 0 to below 1")
    if rate == 0:
        return 0

    def enough(agents: int) -> bool:
        found = serve(agents=agents, rate=rate, handling=handling, within=within, patience=patience)
        return found.level >= level and found.occupancy <= occupancy

    above = 1
    while not enough(above):
        above *= 2
    return above // 2 + 1 + bisect_left(range(above // 2 + 1, above), True, key=enough)
