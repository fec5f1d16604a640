"""回访: the next ticket to follow up, taken by one agent alone."""

from __future__ import annotations

from agent_ui.ports import Act, ConsoleStore
from agent_ui.protocol import NextFollowUp, Ok
from agent_ui.staff import Staff, actor_of
from hotline import commands as c
from hotline.errors import IllegalTransition, NotFound, VersionConflict
from hotline.ports import Clock
from hotline.terms import State

LOOKED_AT = 20
"""Tickets that are tried before an agent is told that none is left: others are taking them at the same time."""


async def next_follow_up(store: ConsoleStore, act: Act, staff: Staff, ask: NextFollowUp, clock: Clock) -> Ok:
    """Claim the most urgent ticket whose follow-up is due; an answer without a number means that none is."""
    for number, version, own in await store.follow_ups(staff.name, now=clock(), limit=LOOKED_AT):
        if own:
            return Ok(id=ask.id, number=number, version=version, state=State.PENDING_FOLLOW_UP)
        try:
            ticket = await act(number, c.Claim(agent=staff.name), actor=actor_of(staff), expected_version=version)
        except (VersionConflict, IllegalTransition, NotFound):
            continue  # somebody was quicker
        return Ok(id=ask.id, number=ticket.number, version=ticket.version, state=ticket.state)
    return Ok(id=ask.id)
