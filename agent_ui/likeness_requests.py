"""What a console asks of likeness: proposals to merge, and hot spots. For the centre only."""

from __future__ import annotations

from typing import assert_never

from agent_ui.ports import LikenessStore
from agent_ui.protocol import DismissSimilar, FindSimilar, ListHotSpots, Ok, SimilarTicket
from agent_ui.staff import Staff
from hotline.errors import NotFound, Unavailable
from hotline.ports import Clock

LikenessAsk = FindSimilar | DismissSimilar | ListHotSpots


async def answer_likeness(store: LikenessStore | None, staff: Staff, ask: LikenessAsk, clock: Clock) -> Ok:
    """Return the answer to one request. Raises the errors of `hotline.errors`."""
    if store is None:
        raise Unavailable("likeness of tickets is not kept here")
    match ask:
        case FindSimilar():
            found = await store.similar(ask.number)
            similar = tuple(
                SimilarTicket(number=one.number, score=round(one.score, 2), reasons=one.reasons, summary=one.summary)
                for one in found
            )
            return Ok(id=ask.id, number=ask.number, similar=similar)
        case DismissSimilar():
            if not await store.dismiss(ask.number, ask.other, by=staff.name, now=clock()):
                raise NotFound(f"{ask.number} and {ask.other} are not proposed to be merged")
            return Ok(id=ask.id, number=ask.number)
        case ListHotSpots():
            return Ok(id=ask.id, hotspots=tuple(await store.hotspots(clock())))
        case _:
            assert_never(ask)
