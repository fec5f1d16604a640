"""`make queues`: millions of simulated calls through the switchboard, beside Erlang C and (with patience) Erlang A.

Where the formulas' assumptions hold – one skill, equal agents, Poisson arrivals, exponential talks – the queue must
agree with them: service level within 1 % absolute, mean wait within 3 %. Waits follow each other, so chance alone moves
the mean of a million calls by some percent (± tells its standard error; the seed is fixed). So that chance hides
nothing, the same calls also go through the plain queue – first come, first served, by the agent who is free first – and
both must tell the same waits.

Fairness is looked at with every answer: nobody of equal rank is overtaken, and no agent starves – who is called has
been free longest, and all answer nearly as many calls. Exits with status 1 where anything of this does not hold.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from heapq import heappop, heappush, heapreplace
from itertools import islice
from statistics import fmean, stdev

import msgspec
from tqdm import tqdm

from routing.erlang import Service, serve
from routing.queueing import Agent, Assignment, Caller, Ladder, Rung, Settings
from routing.switchboard import Switchboard

WITHIN = 15.0
BATCHES = 50
EQUAL = 1e-6
"""Seconds by which mean waits of the two queues may differ: the rounding of sums."""


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


class Call(msgspec.Struct, frozen=True):
    """What chance has given a call."""

    arrived: float
    talk: float
    patience: float


class Plain:
    """First come, first served, by the agent who is free first: the least that a queue can be."""

    def __init__(self, agents: int) -> None:
        self._free = [0.0] * agents

    def wait(self, call: Call) -> float:
        """Return how long a call waits, until the answer or until patience ends."""
        wait = max(0.0, self._free[0] - call.arrived)
        if wait > call.patience:
            return call.patience
        heapreplace(self._free, call.arrived + wait + call.talk)
        return wait


class Centre:
    """A day that does not end: arrivals, answers, hang-ups, on one clock."""

    def __init__(self, case: Case, seed: int) -> None:
        self._case, self._rng = case, random.Random(seed)
        self._board = Switchboard(Settings(queues={"q": Ladder((Rung(0, "a"),))}))
        self._agents = [Agent(name=f"{n:04}", skills={"a": 1}) for n in range(case.agents)]
        self._by_name = {agent.name: agent for agent in self._agents}
        self._coming: list[tuple[float, str, str]] = []
        self._calls: dict[str, Call] = {}
        self._plain = Plain(case.agents)
        self._batch = [0.0] * BATCHES
        self.plain_wait = self.now = self.busy = 0.0
        self.in_time = self.abandoned = 0
        self._counted_from = self._length = 0
        self._last_arrival, self._last_served, self.overtaken, self.passed_over = 0.0, -1.0, 0, 0
        self._freed: dict[str, float] = {agent.name: 0.0 for agent in self._agents}
        self._served: Counter[str] = Counter()

    def run(self, calls: int, *, warm_up: int, progress: tqdm[None]) -> Service:
        """Let so many calls come and be settled, count those after the warm-up, and return what they met."""
        self._counted_from, self._length = warm_up, calls
        for agent in self._agents:
            self._board.ready(agent, now=0)
        for number in range(calls + warm_up):
            self._arrive(number)
            progress.update()
        began = self.now
        while self._calls:  # those who wait still are let through, and the others' end is not counted
            self._happen()
        return Service(
            level=self.in_time / calls, wait=sum(self._batch) / calls, abandoned=self.abandoned / calls,
            occupancy=min(1.0, self.busy / (began * self._case.agents)),
        )

    @property
    def error(self) -> float:
        """The standard error of the mean wait, by batches."""
        means = [batch / (self._length / BATCHES) for batch in self._batch]
        return stdev(means) / BATCHES**0.5 if fmean(means) else 0.0

    @property
    def spread(self) -> float:
        """Calls of the agent with the fewest by those of the one with the most."""
        return min(self._served.values()) / max(self._served.values())

    def _arrive(self, number: int) -> None:
        case, rng, who = self._case, self._rng, str(number)
        self._last_arrival += rng.expovariate(case.rate)
        patience = rng.expovariate(1 / case.patience) if case.patience < float("inf") else float("inf")
        call = self._calls[who] = Call(self._last_arrival, rng.expovariate(1 / case.handling), patience)
        while self._coming and self._coming[0][0] <= call.arrived:
            self._happen()
        self.now = call.arrived
        plain = self._plain.wait(call)
        if number >= self._counted_from:
            self.plain_wait += plain
        self._answer(self._board.arrive(Caller(id=who, queue="q", arrived=self.now), now=self.now))
        if who in self._calls and patience < float("inf"):
            heappush(self._coming, (self.now + patience, "bye", who))

    def _happen(self) -> None:
        self.now, what, who = heappop(self._coming)
        if what == "bye":
            self._hang_up(who)
        else:
            self._freed[who] = self.now  # last, so that the dictionary stays in the order of becoming free
            agent = msgspec.structs.replace(self._by_name[who], since=self.now)
            self._answer(self._board.ready(agent, now=self.now))

    def _settle(self, who: str, wait: float, *, answered: bool) -> None:
        at = int(who) - self._counted_from
        del self._calls[who]
        if at >= 0:
            self._batch[at * BATCHES // self._length] += wait
            self.in_time += answered and wait <= WITHIN
            self.abandoned += not answered

    def _hang_up(self, who: str) -> None:
        if who in self._board.waiting:
            self._board.leave(who)
            self._settle(who, self.now - self._calls[who].arrived, answered=False)

    def _answer(self, done: list[Assignment]) -> None:
        for one in done:
            self._look_at(one)
            call = self._calls[one.caller.id]
            heappush(self._coming, (self.now + call.talk, "free", one.agent.name))
            self.busy += call.talk
            self._settle(one.caller.id, self.now - call.arrived, answered=True)

    def _look_at(self, one: Assignment) -> None:
        """One skill and one rank: the earliest goes first, to who has been free longest (times of one moment tie)."""
        self.overtaken += one.caller.arrived < self._last_served
        self._last_served = max(self._last_served, one.caller.arrived)
        freed = self._freed.pop(one.agent.name)
        self.passed_over += any(since < freed for since in islice(self._freed.values(), 1))
        self._served[one.agent.name] += 1


def compare(case: Case, *, calls: int, seed: int) -> bool:
    """Run one case, print what was found, and tell whether everything holds."""
    centre = Centre(case, seed)
    with tqdm(total=calls + calls // 20, unit=" calls", leave=False, disable=not sys.stderr.isatty()) as progress:
        found = centre.run(calls, warm_up=calls // 20, progress=progress)
    theory = serve(agents=case.agents, rate=case.rate, handling=case.handling, within=WITHIN, patience=case.patience)
    off, error = found.wait / theory.wait - 1, centre.error / theory.wait
    good = abs(found.level - theory.level) <= 0.01 and abs(off) <= 0.03
    same = abs(found.wait - centre.plain_wait / calls) <= EQUAL
    even = 1 - 8 / (calls / case.agents) ** 0.5  # chance alone spreads them by a few standard deviations
    fair = centre.overtaken == 0 and centre.passed_over == 0 and centre.spread > even
    name = "Erlang C" if case.patience == float("inf") else "Erlang A"
    print(
        f"{name} {case.agents:4} agents  in {WITHIN:.0f} s {found.level:.4f} / {theory.level:.4f}  "
        f"wait {found.wait:.3f} / {theory.wait:.3f} s ({off:+.1%} ± {error:.1%})  "
        f"abandoned {found.abandoned:.4f} / {theory.abandoned:.4f}  {'agrees' if good else 'DIFFERS'}\n"
        f"  plain queue, the same calls: {centre.plain_wait / calls:.3f} s, {'the same' if same else 'ANOTHER'}; "
        f"overtaken {centre.overtaken}, passed over {centre.passed_over}, fewest : most calls of an agent "
        f"{centre.spread:.3f}, {'fair' if fair else 'UNFAIR'}", flush=True,
    )
    return good and same and fair


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000, help="calls of each case")
    parser.add_argument("--seed", type=int, default=12345)
    parser.add_argument("--case", type=int, choices=range(1, len(CASES) + 1), help="one case only")
    given = parser.parse_args()
    print(f"{given.calls:,} calls each, simulated / formula", flush=True)
    cases = CASES if given.case is None else (CASES[given.case - 1],)
    agree = [compare(case, calls=given.calls, seed=given.seed) for case in cases]
    if not all(agree):
        sys.exit(1)


if __name__ == "__main__":
    main()
