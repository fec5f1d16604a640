"""Who is told what of a call after a step: its agent, who had it before, the colleague who is brought in. Pure."""

from __future__ import annotations

import msgspec

from routing.calls import Call, Phase

ALARMS = "alarms"
"""The topic of those who see to alarms."""


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """A call as somebody sees it: its agent, or the `colleague` whom its agent brings in, or who follows a `topic`.

    `card`: with who calls.
    """

    call: Call
    card: bool = False
    colleague: str = ""
    topic: str = ""


def tellings(before: Call | None, after: Call) -> tuple[Telling, ...]:
    """Return what is told, in order, of a call that was `before` (None: new) and is `after`; nothing where all see
    what they saw."""
    return (*_agents(before, after), *_colleagues(before, after), *_alarms(before, after))


def _agents(before: Call | None, after: Call) -> tuple[Telling, ...]:
    """The call is over for who hands it on; who gets it learns who calls, as with the ringing."""
    handed = before is not None and bool(before.agent and after.agent) and before.agent != after.agent
    told = []
    if before is not None and handed:
        told.append(Telling(call=msgspec.structs.replace(after, agent=before.agent, phase=Phase.OVER)))
    agent = after.agent or (before.agent if before is not None else "")
    if agent and _shown(before) != _shown(after):
        seen = msgspec.structs.replace(after, agent=agent)
        told.append(Telling(call=seen, card=handed or after.phase is Phase.RINGING))
    return tuple(told)


def _colleagues(before: Call | None, after: Call) -> tuple[Telling, ...]:
    """Who is asked learns who calls and who asks, then each change, then that it is over; not over is it for who has
    the call then."""
    was = before.colleague if before is not None else ""
    told = []
    if before is not None and was and was not in (after.colleague, after.agent):
        told.append(Telling(colleague=was, call=msgspec.structs.replace(
            after, agent=after.agent or before.agent, phase=Phase.OVER, legs=()
        )))
    if after.colleague and _shown(before) != _shown(after):
        told.append(Telling(call=after, card=after.colleague != was, colleague=after.colleague))
    return tuple(told)


def _alarms(before: Call | None, after: Call) -> tuple[Telling, ...]:
    """Supervisors learn that an emergency desk did not pick up."""
    known = before.unanswered if before is not None else ()
    return (Telling(call=after, topic=ALARMS),) if after.unanswered != known else ()


def _shown(call: Call | None) -> object:
    """What is seen of a call: where it has changed, it is told."""
    return call and (call.phase, call.agent, call.legs, call.held_since, call.transferring, call.unanswered)
