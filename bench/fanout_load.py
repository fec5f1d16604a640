"""The two loads of `bench.fanout`: who follows what, and what happens. Pure, and the same for every candidate.

`all`: every console follows every ticket; nothing can be saved by topics. `city`: of 50 consoles 30 belong to (50)
departments, 19 to agents and one to a supervisor, and they follow what their pages follow (`agent_ui/web`). Of a
ticket's ten events five concern the centre and seven its department. So an event goes to some 22 % of the consoles.
"""

from __future__ import annotations

from collections import defaultdict

LOADS = ("all", "city")
DEPARTMENTS = 50
LIFE = 10  # events of a ticket
_CENTRE, _DEPARTMENT, _AGENT = {0, 1, 2, 8, 9}, {2, 3, 4, 5, 6, 7, 8}, {1, 2}


def follows(load: str, console: int) -> frozenset[str]:
    """Return the topics of a console."""
    place = console % 50
    if load == "all" or place == 49:
        return frozenset({"tickets"})
    if place < 30:
        return frozenset({f"department:{console // 50 % DEPARTMENTS}"})
    return frozenset({"centre", "emergency", "alarms", "supervised", f"agent:{console}"})


def topics(seq: int, consoles: int) -> tuple[str, ...]:
    """Return whom an event concerns: each in the life of a ticket of its own agent and department."""
    step, ticket = seq % LIFE, seq // LIFE
    found = ["tickets", f"ticket:{ticket}"]
    if step in _CENTRE:
        found.append("centre")
    if step in _DEPARTMENT:
        found.append(f"department:{ticket % DEPARTMENTS}")
    if step in _AGENT:
        found.append(f"agent:{ticket * 7 % consoles}")
    return tuple(found)


def wanted(load: str, consoles: int, *, first: int, count: int) -> list[int]:
    """Return how many of the events from `first` on each console must get."""
    happens: defaultdict[str, set[int]] = defaultdict(set)
    for seq in range(first, first + count):
        for topic in topics(seq, consoles):
            happens[topic].add(seq)
    empty: set[int] = set()
    counts: dict[frozenset[str], int] = {}
    for n in range(consoles):
        own = follows(load, n)
        if own not in counts:
            counts[own] = len(empty.union(*(happens.get(topic, empty) for topic in own)))
    return [counts[follows(load, n)] for n in range(consoles)]
