"""Keeping an act with its result: a record is written before the answer goes out, or there is no answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from agent_ui.staff import Staff
from hotline.audit import OK, Record, result_of

T = TypeVar("T")
Note = Callable[[Record], Awaitable[None]]
"""Keeps a record (`hotline.store.audit.AuditStore.note`)."""


def actor_text(staff: Staff) -> str:
    """Return `role:name` of a member of staff, as the audit names them."""
    return f"{staff.role}:{staff.name}"


async def noted(
    note: Note, record: Record, work: Awaitable[T], *, more: Callable[[T], dict[str, str]] = lambda _: {},
    only_refusals: bool = False,
) -> T:
    """Return what `work` comes to, and keep the record with its result; an error goes on when it is kept."""
    try:
        done = await work
    except Exception as error:
        await note(msgspec.structs.replace(record, result=result_of(error)))
        raise
    if not only_refusals:
        await note(msgspec.structs.replace(record, result=OK, detail=record.detail | more(done)))
    return done
