"""`make queues`: millions of simulated calls through the switchboard, beside Erlang C and (with patience) Erlang A.

Fairness is looked at with every answer: nobody of equal rank is overtaken, and no agent starves – whoever is free waits
no longer than everybody who became free after them, and all answer nearly as many calls.

Where the formulas' assumptions hold – one skill, equal agents, Poisson arrivals, exponential talks – the queue must
agree with them: service level within 1 % absolute, mean wait within 3 %. Exits with status 1 where it does not.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from heapq import heappop, heappush
from itertools import islice

import msgspec
from tqdm import tqdm

from routing.erlang import Service, serve
from routing.queueing import Agent, Assignment, Caller, Ladder, Rung, Settings
from routing.switchboard import Switchboard

WITHIN = 15.0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One centre. Times in seconds; `patience` inf: Erlang C."""

    agents: int
    rate: float
    handling: float
    patience: float = float("inf")


CASES = (
    Case(agents=5, rate=3 / 180, handling=180.0),
    Case(agents=13, rate=10 / 180, handling=180.0),
    Case(agents=60, rate=50 / 240, handling=240.0),
    Case(agents=95, rate=100 / 240, handling=240.0, patience=120.0),
)


class Centre:
    """A day that does not end: arrivals, answers, hang-ups, on one clock."""

    def __init__(self, case: Case, seed: int) -> None:
        self._case, self._rng = case, random.Random(seed)
        self._board = Switchboard(Settings(queues={"q": Ladder((Rung(0, "a"),))}))
        self._agents = [Agent(name=f"{n:04}", skills={"a": 1}) for n in range(case.agents)]
        self._by_name = {agent.name: agent for agent in self._agents}
        self._coming: list[tuple[float, str, str]] = []
        self.last_served, self.overtaken, self.passed_over = -1.0, 0, 0
        self.freed: dict[str, float] = {agent.name: 0.0 for agent in self._agents}
        self.served: Counter[str] = Counter()
        self.in_time = self.abandoned = self.counted = 0
        self.waited = self.busy = self.began = self.now = 0.0
        self._last_arrival = 0.0

    def run(self, calls: int, *, warm_up: int, progress: tqdm[None]) -> Service:
        """Let so many calls come, count those after the warm-up, and return what they met."""
        for agent in self._agents:
            self._board.ready(agent, now=0)
        self._next_arrival(0)
        for number in range(1, calls + warm_up + 1):
            self.counting = number > warm_up
            if number == warm_up + 1:
                self.began = self.now
            self._until_arrival(number)
            progress.update()
        length = self.now - self.began
        return Service(
            level=self.in_time / calls, wait=self.waited / calls, abandoned=self.abandoned / calls,
            occupancy=min(1.0, self.busy / (length * self._case.agents)),
        )

    def _next_arrival(self, number: int) -> None:
        self._last_arrival += self._rng.expovariate(self._case.rate)
        heappush(self._coming, (self._last_arrival, "call", str(number)))

    def _until_arrival(self, number: int) -> None:
        while True:
            self.now, what, who = heappop(self._coming)
            if what == "call":
                self._next_arrival(number)
                self._answer(self._board.arrive(Caller(id=who, queue="q", arrived=self.now), now=self.now))
                if who in self._board.waiting and self._case.patience < float("inf"):
                    heappush(self._coming, (self.now + self._rng.expovariate(1 / self._case.patience), "bye", who))
                return
            if what == "bye":
                self._hang_up(who)
            else:
                agent = msgspec.structs.replace(self._by_name[who], since=self.now)
                self.freed[who] = self.now  # last, so that the dictionary stays in the order of becoming free
                self._answer(self._board.ready(agent, now=self.now))

    def _hang_up(self, who: str) -> None:
        caller = self._board.waiting.get(who)
        if caller is not None:
            self._board.leave(who)
            if self.counting:
                self.abandoned += 1
                self.waited += self.now - caller.arrived

    def _answer(self, done: list[Assignment]) -> None:
        for one in done:
            self._look_at(one)
            wait, talk = self.now - one.caller.arrived, self._rng.expovariate(1 / self._case.handling)
            heappush(self._coming, (self.now + talk, "free", one.agent.name))
            if self.counting:
                self.in_time += wait <= WITHIN
                self.waited += wait
                self.busy += talk


    def _look_at(self, one: Assignment) -> None:
        """One skill and one rank: the earliest goes first, to who has been free longest (times of one moment tie)."""
        self.overtaken += one.caller.arrived < self.last_served
        self.last_served = max(self.last_served, one.caller.arrived)
        freed = self.freed.pop(one.agent.name)
        self.passed_over += any(since < freed for since in islice(self.freed.values(), 1))
        self.served[one.agent.name] += 1

    @property
    def spread(self) -> float:
        """Calls of the agent with the fewest by those of the one with the most."""
        return min(self.served.values()) / max(self.served.values()) if self.served else 1.0


def compare(case: Case, *, calls: int, seed: int) -> bool:
    """Run one case, print a line, and tell whether simulation and formula agree."""
    with tqdm(total=calls + calls // 20, unit=" calls", leave=False, disable=not sys.stderr.isatty()) as progress:
        centre = Centre(case, seed)
        found = centre.run(calls, warm_up=calls // 20, progress=progress)
    theory = serve(agents=case.agents, rate=case.rate, handling=case.handling, within=WITHIN, patience=case.patience)
    good = abs(found.level - theory.level) <= 0.01 and abs(found.wait / theory.wait - 1) <= 0.03
    even = 1 - 8 / (calls / case.agents) ** 0.5  # chance alone spreads them by a few standard deviations
    fair = centre.overtaken == 0 and centre.passed_over == 0 and centre.spread > even
    name = "Erlang C" if case.patience == float("inf") else "Erlang A"
    print(
        f"{name} {case.agents:4} agents  in {WITHIN:.0f} s {found.level:.4f} / {theory.level:.4f}  "
        f"wait {found.wait:.3f} / {theory.wait:.3f} s ({found.wait / theory.wait - 1:+.1%})  "
        f"abandoned {found.abandoned:.4f} / {theory.abandoned:.4f}  {'agrees' if good else 'DIFFERS'}  "
        f"overtaken {centre.overtaken}, passed over {centre.passed_over}, "
        f"calls of agents {centre.spread:.3f} {'fair' if fair else 'UNFAIR'}"
    )
    return good and fair


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=4_000_000, help="calls of each case")
    parser.add_argument("--seed", type=int, default=12345)
    parser.add_argument("--case", type=int, choices=range(1, len(CASES) + 1), help="one case only")
    given = parser.parse_args()
    print(f"{given.calls:,} calls each, simulated / formula")
    cases = CASES if given.case is None else (CASES[given.case - 1],)
    agree = [compare(case, calls=given.calls, seed=given.seed) for case in cases]
    if not all(agree):
        sys.exit(1)


if __name__ == "__main__":
    main()
