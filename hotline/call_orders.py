"""What a console asks of a call, carried out in the words of the call flow: who is to be rung is looked up."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from channels.phone_number import normalize_phone
from hotline.errors import Forbidden, HotlineError, IllegalTransition, InvalidInput, NotFound, Unavailable
from hotline.telephone_ports import CallStore
from hotline.telephone_queue import Queues
from hotline.terms import Service
from routing import call_words as m
from routing.call_orders import Asked, CallAct
from routing.call_presence import AVAILABLE, NOT_READY, RINGING, WRAP_UP
from routing.call_wait import Preview
from routing.callflow import OUTSIDE
from routing.calls import Call, Ear, Role

EARS = {CallAct.LISTEN: Ear.LISTEN, CallAct.WHISPER: Ear.WHISPER, CallAct.BARGE: Ear.BARGE}
QUEUE = "queue:"
"""Before the name of a skill group to whom a call is handed over."""
_NUMBER = re.compile(r"[+0-9][0-9 -]*")


class Switch(Protocol):
    """The telephone, held by who asks (`hotline.telephone.Telephone`)."""

    @property
    def calls(self) -> Mapping[str, Call]:
        """The calls under way."""
        ...

    @property
    def queues(self) -> Queues:
        """Who waits and who is free."""
        ...

    async def happen(self, call_id: str, event: m.Happening) -> None:
        """Let something happen to a call."""
        ...

    async def dial(self, preview: Preview) -> None:
        """Ring an agent and then who they want to call."""
        ...


async def carried_out(asked: Asked, switch: Switch, store: CallStore, *, now: datetime) -> bool:
    """Carry out what a console asked and tell it how that went; return False where it failed midway."""
    error_id, detail, whole = "", "", True
    try:
        await _carry_out(asked, switch, store, now)
    except HotlineError as error:
        error_id, detail, whole = error.error_id, error.detail, not isinstance(error, Unavailable)
    await store.order_done(asked.id, now=now, error_id=error_id, detail=detail)
    return whole


async def _carry_out(asked: Asked, switch: Switch, store: CallStore, now: datetime) -> None:
    order = asked.order
    if order.act is CallAct.DIAL:
        await _dial(asked, switch, store, now)
        return
    call = switch.calls.get(order.call)
    if call is None:
        raise NotFound(f"there is no call {order.call}")
    if order.act is CallAct.MOVE:
        await _move(asked, call, switch, now)
        return
    if asked.staff == call.colleague and order.act is CallAct.HANG_UP:
        await switch.happen(call.id, m.DropParty())  # who is brought in leaves; the call is not theirs to end
        return
    if asked.staff != call.agent and not order.supervisor:
        raise Forbidden("this call belongs to another agent")
    if order.act is CallAct.TRANSFER and order.to.strip().startswith(QUEUE):
        await switch.happen(call.id, m.Requeue(_queue(order.to.strip(), switch)))
    else:
        wanted = await order_of(asked, store.endpoint)
        if isinstance(wanted, m.Brings) and wanted.name and not wanted.endpoint.startswith(OUTSIDE):
            await _bring(call.id, wanted, switch, store, now)
        else:
            await switch.happen(call.id, wanted)


async def _bring(call_id: str, order: m.Brings, switch: Switch, store: CallStore, now: datetime) -> None:
    """Bring a colleague in: the queue gives them nothing as long as they take part."""
    legs = switch.calls[call_id].legs if call_id in switch.calls else ()
    if isinstance(order, m.Supervise) and any(leg.name == order.name and leg.role is Role.SUPERVISOR for leg in legs):
        await switch.happen(call_id, order)  # goes on in another way, and is claimed already
        return
    if switch.queues.is_on_a_call(order.name):
        raise IllegalTransition(f"{order.name} is on a call: somebody who is on a call cannot be brought in")
    claimed = await store.claim(order.name, now=now, call=call_id)
    await switch.queues.gone(order.name, now)
    try:
        await switch.happen(call_id, msgspec.structs.replace(order, claimed=claimed))
    except HotlineError:
        after = switch.calls.get(call_id)
        if claimed and (after is None or all(leg.name != order.name for leg in after.legs)):
            await switch.queues.free(m.Free(order.name, talked=False, back=claimed), now)
        raise


async def _dial(asked: Asked, switch: Switch, store: CallStore, now: datetime) -> None:
    endpoint = await _own(asked.staff, store.endpoint)
    number = normalize_phone(asked.order.to)
    ready, claims = [AVAILABLE, NOT_READY, WRAP_UP], store.set_presence
    on_a_call = switch.queues.is_on_a_call(asked.staff)
    if on_a_call or not await claims(asked.staff, RINGING, among=ready, now=now, call=asked.order.call):
        raise IllegalTransition("somebody who is on a call, or offline, calls nobody")
    await switch.queues.gone(asked.staff, now)
    await switch.dial(Preview(
        call=asked.order.call, agent=asked.staff, endpoint=endpoint, number=number,
        callback=asked.order.callback, ticket=asked.order.ticket,
    ))


async def _move(asked: Asked, call: Call, switch: Switch, now: datetime) -> None:
    to = asked.order.to.strip()
    if not asked.order.supervisor:
        raise Forbidden("only a supervisor moves calls")
    if to.startswith(QUEUE):
        await switch.happen(call.id, m.Move(_queue(to, switch)))
    elif not await switch.queues.give(call, to, now):
        raise IllegalTransition(f"{to} is not available, or the call waits no more")


def _queue(to: str, switch: Switch) -> str:
    name = to.removeprefix(QUEUE)
    if name not in switch.queues.centre.queues:
        raise InvalidInput(f"there is no queue {name!r}: {'、'.join(switch.queues.centre.queues)}")
    return name


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
            return m.HangUp(own=not asked.order.supervisor)
        case CallAct.TRANSFER:
            return m.Transfer(to, await _rung_at(to, endpoint)) if to else m.Transfer()
        case CallAct.CONSULT:
            return m.Consult(to, await _rung_at(to, endpoint))
        case CallAct.CONFERENCE:
            return m.Conference(to, await _rung_at(to, endpoint))
        case CallAct.LISTEN | CallAct.WHISPER | CallAct.BARGE:
            if not asked.order.supervisor:
                raise Forbidden("only a supervisor listens in")
            return m.Supervise(asked.staff, await _own(asked.staff, endpoint), EARS[act])
        case CallAct.MOVE | CallAct.DIAL:
            raise InvalidInput(f"{act} is not asked of a talk")


async def _rung_at(to: str, endpoint: Callable[[str], Awaitable[str]]) -> str:
    """Return where somebody is rung; staff come first, whose names may be numbers (工号)."""
    if not to:
        raise InvalidInput("say who shall be rung: an agent's name, 110, 119, 120, 122, or a number")
    if to in set(Service):
        return f"{OUTSIDE}{to}"
    if found := await endpoint(to):
        return found
    if _NUMBER.fullmatch(to):
        return f"{OUTSIDE}{normalize_phone(to)}"
    raise _no_telephone(to)


async def _own(staff: str, endpoint: Callable[[str], Awaitable[str]]) -> str:
    """Return where who asks is rung: never outside, whatever their name looks like."""
    if found := await endpoint(staff):
        return found
    raise _no_telephone(staff)


def _no_telephone(name: str) -> InvalidInput:
    return InvalidInput(f"{name} has no telephone (`python -m hotline user phone`)")
