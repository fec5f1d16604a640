"""What a console asks of the ledger of callbacks: who takes an entry sees the telephone, others a part of it."""

from __future__ import annotations

from typing import assert_never

from agent_ui.protocol import GiveBackCallback, Ok, RecordCallback, TakeCallback
from agent_ui.staff import Staff, StaffRole, actor_of
from hotline.callbacks import Callbacks
from hotline.errors import Forbidden, InvalidInput, Unavailable
from hotline.ids import is_ticket_number
from hotline.terms import TryResult
from routing.callbacks import CallResult

CallbackAsk = TakeCallback | GiveBackCallback | RecordCallback


async def answer_callback(callbacks: Callbacks | None, staff: Staff, ask: CallbackAsk) -> Ok:
    """Return the answer to one request about callbacks. Raises the errors of `hotline.errors`."""
    if callbacks is None:
        raise Unavailable("the ledger of callbacks is not kept here")
    actor = actor_of(staff)
    by = f"{actor.role}:{actor.name}"
    match ask:
        case TakeCallback(callback=id_):
            return Ok(id=ask.id, callback=await callbacks.take(_agent(staff, ask.agent), by=by, id_=id_ or 0))
        case GiveBackCallback():
            own = "" if staff.role is StaffRole.SUPERVISOR else staff.name
            return Ok(id=ask.id, callback=await callbacks.give_back(ask.callback, by=by, agent=own))
        case RecordCallback():
            return await _recorded(callbacks, staff, ask, by)
        case _:
            assert_never(ask)


async def _recorded(callbacks: Callbacks, staff: Staff, ask: RecordCallback, by: str) -> Ok:
    if ask.number and not is_ticket_number(ask.number):
        raise InvalidInput(f"{ask.number} is no ticket number")
    if ask.result is CallResult.REACHED:
        entry = await callbacks.reached(ask.callback, staff.name, by=by, number=ask.number, note=ask.note)
    else:
        result = TryResult(ask.result.value)
        entry = await callbacks.tried(ask.callback, staff.name, result, by=by, note=ask.note)
    return Ok(id=ask.id, callback=entry)


def _agent(staff: Staff, asked: str) -> str:
    if asked and asked != staff.name and staff.role is not StaffRole.SUPERVISOR:
        raise Forbidden("a callback is taken in one's own name; a supervisor may give it to others")
    return asked or staff.name
