"""Decisions of the queues: connections a second with thousands of agents and callers. `python -m bench.queues`."""

from __future__ import annotations

import argparse
import random
import time
from statistics import quantiles

from routing.queueing import Agent, Caller, Ladder, Rung, Settings
from routing.switchboard import Switchboard


def centre(skills: int) -> Settings:
    """Return a centre with a queue for each skill; each widens twice."""
    return Settings(
        queues={
            f"q{n}": Ladder((Rung(0, f"s{n}", 2), Rung(20, f"s{n}", 5), Rung(60, f"s{(n + 1) % skills}", 3)))
            for n in range(skills)
        },
        last_agent_wait=10,
    )


def measure(*, agents: int, waiting: int, skills: int, decisions: int, seed: int = 1) -> tuple[float, float, float]:
    """Return decisions a second and the median and 99th percentile of one in microseconds.

    The centre is full: each decision is an agent who frees up and gets a caller, and another caller who comes.
    """
    rng, board = random.Random(seed), Switchboard(centre(skills))
    people = [
        Agent(name=f"a{n}", skills={f"s{rng.randrange(skills)}": rng.randint(1, 5) for _ in range(4)}, load=6)
        for n in range(agents)
    ]
    for agent in people:
        board.ready(agent, now=0)
    for n in range(waiting):
        board.arrive(_caller(n, rng, skills, agents, n / 1000), now=n / 1000)
    now, times, connected = waiting / 1000 + 100, list[float](), 0
    for n in range(decisions):
        now += 0.001
        agent = rng.choice(people)
        freed = Agent(name=agent.name, skills=agent.skills, since=now)
        newcomer = _caller(waiting + n, rng, skills, agents, now)
        began = time.perf_counter()
        done = board.ready(freed, now=now) + board.arrive(newcomer, now=now)
        times.append(time.perf_counter() - began)
        connected += len(done)
    cuts = quantiles(times, n=100)
    return connected / sum(times), 1e6 * cuts[49], 1e6 * cuts[98]


def _caller(n: int, rng: random.Random, skills: int, agents: int, now: float) -> Caller:
    last = f"a{rng.randrange(agents)}" if rng.random() < 0.1 else ""
    return Caller(id=f"c{n}", queue=f"q{rng.randrange(skills)}", arrived=now, last_agent=last,
                  head_start=rng.choice([0.0, 0.0, 0.0, 30.0]))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=15_000)
    parser.add_argument("--waiting", type=int, default=5_000)
    parser.add_argument("--skills", type=int, default=200)
    parser.add_argument("--decisions", type=int, default=50_000)
    given = parser.parse_args()
    small = measure(agents=300, waiting=100, skills=10, decisions=given.decisions)
    large = measure(agents=given.agents, waiting=given.waiting, skills=given.skills, decisions=given.decisions)
    for name, found in (("300 agents, 100 waiting, 10 skills", small),
                        (f"{given.agents} agents, {given.waiting} waiting, {given.skills} skills", large)):
        print(f"{name:<48}{found[0]:>10,.0f} assignments/s   p50 {found[1]:.0f} µs, p99 {found[2]:.0f} µs")
    print(f"  ratio of the large centre to the small one: {large[0] / small[0]:.2f}")


if __name__ == "__main__":
    main()
