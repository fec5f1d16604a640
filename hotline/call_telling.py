"""What a step of a call tells: agents that they talk, consoles what has changed, the books who got through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hotline.call_debts import Debts
from hotline.telephone_ports import CallStore
from routing.call_presence import RUNG, during
from routing.call_telling import tellings
from routing.calls import Call, Direction, Phase, Role

Marked = Callable[[str], str]
"""Tells why a number is contained as a nuisance, "" for everybody else."""


class Teller:
    """Tells of the calls of one telephone, and leaves what the books must know to the debts."""

    def __init__(self, *, store: CallStore, debts: Debts, marked: Marked) -> None:
        self._store, self._debts, self._marked = store, debts, marked

    async def tell(self, call: Call | None, after: Call, now: datetime) -> None:
        """Tell agents and the books what has changed; who got through is noted first, whatever breaks in telling it."""
        talks = call is not None and call.phase is not after.phase and after.phase is Phase.TALKING
        if talks and after.direction is Direction.IN:  # of a call of ours the agent, or its end, tells who picked up
            self._debts.through(after, now)
        for leg in after.legs:
            if leg.up and (leg.claimed or (leg.role is Role.AGENT and after.phase is Phase.TALKING)):
                await self._store.set_presence(leg.name, during(after, leg), among=RUNG, now=now, call=after.id)
        for told in tellings(call, after):
            marked = self._marked(after.caller) if told.card else ""
            await self._store.tell(
                told.call, now=now, card=told.card, marked=marked, colleague=told.colleague, topic=told.topic
            )
