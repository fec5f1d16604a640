"""How one centre serves its callers: queues with their steps, ranks, languages and limits, as data. Pure.

`python -m hotline queues` reads and writes it as a file (`routing.queue_file`); `routing.queueing` decides by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from hotline.errors import InvalidInput
from routing.call_wait import Reception
from routing.queueing import BEST, WORST, Ladder, Medium, Rung, Settings

GENERAL = "general"
KEYS = frozenset("123456789")
MOST = 10**9
"""Above every number that means something; TOML also writes inf and nan, and integers that nothing can keep."""


class Queue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A queue.

    Attributes:
        title: what people call it. lines: numbers that lead here; all others lead to `Centre.default`.
        steps: who may answer from how many seconds on; the first at 0. A step with another skill is the overflow.
        head_start: seconds by which its callers count as having waited longer than others' (the enterprise desk).
        most: callers who may wait; who comes then is told so and owed a call. 0: any number.
        languages: language of the menu → queue that speaks it; others stay here.
    """

    title: str = ""
    lines: tuple[str, ...] = ()
    steps: tuple[Rung, ...]
    head_start: float = 0.0
    most: int = 0
    languages: Mapping[str, str] = msgspec.field(default_factory=dict)


class Centre(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a centre serves. Times in seconds.

    Attributes:
        last_agent_wait: how long a caller waits for who served them last within a day.
        repeat_head_start: for who called within `repeat_hours` and got nobody.
        marked_head_start: for contacts contained as a nuisance (negative: after others, yet nobody waits for ever).
        menu: key → language, played after the greeting; empty: no menu, as long menus are discouraged.
        capacity: what an agent carries at once, by the cost of a call and of a chat: with 6, 6 and 2 one call or three
            chats. With a `chat_cost` of 0 chats are given to nobody: agents take them by hand.
        chat_queue: in which queue chats wait; "" for the default one.
    """

    queues: Mapping[str, Queue]
    default: str = GENERAL
    last_agent_wait: float = 10.0
    repeat_head_start: float = 60.0
    repeat_hours: float = 2.0
    marked_head_start: float = -300.0
    menu: Mapping[str, str] = msgspec.field(default_factory=dict)
    capacity: int = 6
    call_cost: int = 6
    chat_cost: int = 2
    chat_queue: str = ""


FIRST = Centre(queues={GENERAL: Queue(title="综合", steps=(Rung(0, "general", 3), Rung(30, "general", 5)))})
"""The centre of a city that has set up nothing."""


def checked(centre: Centre) -> Centre:
    """Return it. Raises InvalidInput with a line for every mistake."""
    mistakes = [*_mistakes(centre)]
    if mistakes:
        raise InvalidInput("\n".join(mistakes), error_id="queues")
    return centre


def _mistakes(centre: Centre) -> Iterator[str]:
    for name, number in _numbers(centre):
        if not abs(number) <= MOST:  # nan is not
            yield f"{name}: must be a number of at most {MOST}"
    if centre.default not in centre.queues:
        yield f"default: there is no queue {centre.default!r}"
    if centre.chat_queue and centre.chat_queue not in centre.queues:
        yield f"chat_queue: there is no queue {centre.chat_queue!r}"
    if not 0 <= centre.chat_cost <= centre.call_cost <= centre.capacity or not centre.call_cost:
        yield "capacity: 0 <= chat_cost <= call_cost <= capacity must hold, and call_cost be above 0"
    if any(key not in KEYS for key in centre.menu) or len(centre.menu) == 1 or len(centre.menu) > 4:
        yield "menu: two to four keys from 1 to 9, or none: long menus are discouraged (GB/T 33358-2016)"
    for seconds in ("last_agent_wait", "repeat_head_start", "repeat_hours"):
        if getattr(centre, seconds) < 0:
            yield f"{seconds}: must not be negative"
    lines: dict[str, str] = {}
    for name, queue in centre.queues.items():
        yield from _mistakes_of(name, queue, centre)
        for line in queue.lines:
            if lines.setdefault(line, name) != name:
                yield f"queues.{name}.lines: {line} leads to {lines[line]} already"


def _numbers(centre: Centre) -> Iterator[tuple[str, float]]:
    for name in ("last_agent_wait", "repeat_head_start", "repeat_hours", "marked_head_start", "capacity", "call_cost",
                 "chat_cost"):
        yield name, getattr(centre, name)
    for name, queue in centre.queues.items():
        yield f"queues.{name}.head_start", queue.head_start
        yield f"queues.{name}.most", queue.most
        yield from ((f"queues.{name}.steps", step.after) for step in queue.steps)


def _mistakes_of(name: str, queue: Queue, centre: Centre) -> Iterator[str]:
    if not name or "~" in name or len(name) > 40:
        yield f"queues: {name!r} is no name of a queue"
    times = [step.after for step in queue.steps]
    if not times or times[0] != 0 or times != sorted(times):
        yield f"queues.{name}.steps: the first is after 0 seconds, the others follow in time"
    if any(not step.skill or not BEST <= step.level <= WORST for step in queue.steps):
        yield f"queues.{name}.steps: each names a skill, its level is {BEST} (best) to {WORST}"
    if queue.most < 0:
        yield f"queues.{name}.most: must not be negative"
    for language, other in queue.languages.items():
        if other not in centre.queues:
            yield f"queues.{name}.languages.{language}: there is no queue {other!r}"


def settings_of(centre: Centre) -> Settings:
    """Return what the switchboard decides by."""
    return Settings(
        queues={name: Ladder(queue.steps) for name, queue in centre.queues.items()},
        last_agent_wait=centre.last_agent_wait, capacity=centre.capacity,
        cost={Medium.CALL: centre.call_cost, Medium.CHAT: centre.chat_cost},
    )


def reception_of(centre: Centre, called: str, *, repeat: bool = False, marked: bool = False) -> Reception:
    """Return how a call to a number is received."""
    found = (name for name, queue in centre.queues.items() if called and called in queue.lines)
    queue = next(found, centre.default)
    head_start = centre.queues[queue].head_start + (centre.repeat_head_start if repeat and not marked else 0.0)
    return Reception(
        queue=queue, head_start=centre.marked_head_start if marked else head_start, menu=dict(centre.menu)
    )


def spoken_in(centre: Centre, queue: str, language: str) -> str:
    """Return the queue that serves a queue's callers in a language."""
    return centre.queues[queue].languages.get(language, queue) if queue in centre.queues else centre.default


