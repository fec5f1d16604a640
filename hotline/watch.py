"""What the sweep watches on a ticket's clocks: yellow lights, levels of supervision, the end of a wait. Pure.

These moments follow from the due times, and are kept beside them: a ticket tells by itself when to look at it next.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from hotline.clocks import Clocks
from hotline.deadlines import due_at, share_of
from hotline.policy import Policy
from hotline.terms import ClockName, Light, Priority, State

_WATCHED = ("started_at", "sign_due", "contact_due", "on_site_due", "completion_due")


def light_of(clock: ClockName, light: Light) -> str:
    """Return the name under which a ticket remembers that a light was shown: `completion_red`."""
    return f"{clock}_{light}"


def lights_kept(lights: frozenset[str], before: Clocks, after: Clocks) -> frozenset[str]:
    """Return the lights that still hold after the clocks have moved: those of a clock that was put off go out."""
    moved = [clock for clock in ClockName if before.due(clock) != after.due(clock)]
    return lights - {light_of(clock, light) for clock in moved for light in Light}


def moved(before: Clocks, after: Clocks) -> bool:
    """Tell whether a due time that is watched has changed."""
    return before is not after and any(getattr(before, name) != getattr(after, name) for name in _WATCHED)


def entered(clocks: Clocks, state: State, now: datetime, priority: Priority, policy: Policy) -> Clocks:
    """Set how long the ticket may stay in the state that it has just come to."""
    allowance = policy.wait_in(state, priority)
    until = due_at(now, allowance, policy.calendar) if allowance is not None else None
    return clocks if until == clocks.wait_until else msgspec.structs.replace(clocks, wait_until=until)


def watched(
    clocks: Clocks, priority: Priority, policy: Policy, *, level: int, sign_from: datetime | None = None
) -> Clocks:
    """Set the moments of the yellow lights and of the next level of supervision by the due times.

    `sign_from`: since when the clock for signing runs, where that is later than the others.
    """
    plain = policy.runs_day_and_night(priority)

    def yellow(due: datetime | None, start: datetime | None = clocks.started_at) -> datetime | None:
        if due is None or start is None or due <= start:
            return None
        found = share_of(start, due, policy.yellow_percent, None if plain else policy.calendar)
        return found if found < due else None  # no working time lies between: red comes at once

    signing = max((one for one in (clocks.started_at, sign_from) if one is not None), default=None)
    return msgspec.structs.replace(
        clocks, sign_yellow=yellow(clocks.sign_due, signing), contact_yellow=yellow(clocks.contact_due),
        on_site_yellow=yellow(clocks.on_site_due), completion_yellow=yellow(clocks.completion_due),
        supervise_at=supervise_at(clocks, level, policy),
    )


def supervise_at(clocks: Clocks, level: int, policy: Policy) -> datetime | None:
    """Return when a ticket at a level of supervision is raised to the next one, None at the top."""
    if clocks.completion_due is None or level >= len(policy.supervision):
        return None
    after = policy.supervision[level]
    return due_at(clocks.completion_due, after, policy.calendar) if after.amount else clocks.completion_due
