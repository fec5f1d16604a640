"""What a console asks of a call, in the words of the call flow: who is to be rung is looked up."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from channels.phone_number import normalize_phone
from hotline.errors import Forbidden, InvalidInput
from hotline.terms import Service
from routing import call_words as m
from routing.call_orders import Asked, CallAct
from routing.callflow import OUTSIDE
from routing.calls import Ear

EARS = {CallAct.LISTEN: Ear.LISTEN, CallAct.WHISPER: Ear.WHISPER, CallAct.BARGE: Ear.BARGE}
_NUMBER = re.compile(r"[+0-9][0-9 -]*")


async def order_of(asked: Asked, endpoint: Callable[[str], Awaitable[str]]) -> m.Order:
    """Return the order.

    Raises:
        InvalidInput: nobody to ring was named, or nobody can be rung under that name.
        Forbidden: only supervisors listen, whisper and barge in.
    """
    act, to = asked.order.act, asked.order.to.strip()
    match act:
        case CallAct.HOLD:
            return m.Hold()
        case CallAct.RESUME:
            return m.Resume()
        case CallAct.DROP_PARTY:
            return m.DropParty()
        case CallAct.LEAVE:
            return m.Leave()
        case CallAct.HANG_UP:
            return m.HangUp()
        case CallAct.TRANSFER:
            return m.Transfer(to, await _rung_at(to, endpoint)) if to else m.Transfer()
        case CallAct.CONSULT:
            return m.Consult(to, await _rung_at(to, endpoint))
        case CallAct.CONFERENCE:
            return m.Conference(to, await _rung_at(to, endpoint))
        case CallAct.LISTEN | CallAct.WHISPER | CallAct.BARGE:
            if not asked.order.supervisor:
                raise Forbidden("only a supervisor listens in")
            return m.Supervise(asked.staff, await _rung_at(asked.staff, endpoint), EARS[act])


async def _rung_at(to: str, endpoint: Callable[[str], Awaitable[str]]) -> str:
    if not to:
        raise InvalidInput("say who shall be rung: an agent's name, 110, 119, 120, 122, or a number")
    if to in set(Service):
        return f"{OUTSIDE}{to}"
    if _NUMBER.fullmatch(to):
        return f"{OUTSIDE}{normalize_phone(to)}"
    found = await endpoint(to)
    if not found:
        raise InvalidInput(f"{to} has no telephone (`python -m hotline user phone`)")
    return found
