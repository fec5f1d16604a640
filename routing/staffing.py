"""How many agents each part of a day needs (排班): from calls and handling times to seats and rostered people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf

import msgspec

from routing.erlang import Service, agents_needed, serve

SLOT = 1800
"""Length of a slot in seconds: rosters are made by the half hour."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected in half an hour: `start` as shown, `calls` asking for an agent, handling time in seconds."""

    start: str
    calls: float
    handling: float


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be reached.

    Attributes:
        level, within: share of callers to be answered within so many seconds (GB/T 33358-2016: 15 s).
        patience: average seconds after which a caller hangs up, `inf` where they wait for ever (Erlang C).
        occupancy: most of an agent's time to be spent with callers; beyond 0.85–0.9 people wear out.
        shrinkage: share of paid time away from the telephone (breaks, training, leave).
    """

    level: float = 0.95
    within: float = 15.0
    patience: float = inf
    occupancy: float = 0.88
    shrinkage: float = 0.3


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What a slot needs.

    Attributes:
        load: erlangs. agents: on the telephone at once. rostered: paid for that, shrinkage included.
        patient: agents by Erlang C for the same target, whatever the patience.
        service: what the callers meet with `agents`.
    """

    slot: Slot
    load: float
    agents: int
    rostered: int
    patient: int
    service: Service


def need(slot: Slot, target: Target) -> Need:
    """Return what a slot needs. Raises ValueError for numbers that make no sense (see `routing.erlang`)."""
    rate = slot.calls / SLOT
    if rate == 0:
        nothing = Service(level=1.0, wait=0.0, abandoned=0.0, occupancy=0.0)
        return Need(slot=slot, load=0.0, agents=0, rostered=0, patient=0, service=nothing)
    patient, agents = (
        agents_needed(
            rate=rate, handling=slot.handling, within=target.within, level=target.level, patience=patience,
            occupancy=target.occupancy,
        )
        for patience in (inf, target.patience)
    )
    found = serve(
        agents=agents, rate=rate, handling=slot.handling, within=target.within, patience=target.patience
    )
    return Need(
        slot=slot, load=rate * slot.handling, agents=agents, rostered=ceil(agents / (1 - target.shrinkage)),
        patient=patient, service=found,
    )


def plan(slots: Sequence[Slot], target: Target) -> list[Need]:
    """Return what each slot needs."""
    return [need(slot, target) for slot in slots]
