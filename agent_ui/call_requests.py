"""What a console asks about calls: who calls, the floor, dialling a citizen, orders to a call under way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, assert_never

import msgspec

from agent_ui.ports import AskOfCalls, ConsoleStore
from agent_ui.protocol import DialCall, Ok, OrderCall, ReadCall, ReadFloor
from agent_ui.staff import Staff, StaffRole, actor_of
from hotline.audit import Record
from hotline.callbacks import Callbacks
from hotline.errors import Forbidden, InvalidInput, NotFound, Unavailable
from hotline.ports import Clock
from hotline.privacy import starred
from routing.call_news import CallCard, CallFloor, CallNews, CallSeen, CallWords
from routing.call_orders import CallAct, CallOrder
from routing.calls import Role

CallAsk = OrderCall | DialCall | ReadCall | ReadFloor
Note = Callable[[Record], Awaitable[None]]
"""Keeps an act for the audit (`hotline.store.audit.AuditStore.note`)."""


class CallReads(Protocol):
    """What is read of calls (`hotline.store.call_floor.CallDeskStore`). Raises Unavailable."""

    async def call(self, id_: str) -> CallSeen:
        """Return a call. Raises NotFound."""
        ...

    async def card(self, caller: str, *, call: str = "", marked: str = "", full: bool = False) -> CallCard:
        """Return who calls."""
        ...

    async def under_way(self, *, call: str = "", agent: str = "") -> CallNews | None:
        """Return how a call stands, as `agent` sees it, or without `call` the latest that they have or are brought
        into; None where it is over, or there is none."""
        ...

    async def words(self, call: str) -> tuple[CallWords, ...]:
        """Return what was heard."""
        ...

    async def floor(self, now: datetime) -> CallFloor:
        """Return the telephone at this moment."""
        ...

    async def link(self, call: str, number: str) -> None:
        """Note that a ticket came of a call."""
        ...


class CallDesk:
    """Carries these requests out. Without `ask` voice is off: calls are read, none is steered."""

    def __init__(
        self, *, reads: CallReads, store: ConsoleStore, callbacks: Callbacks, note: Note, clock: Clock,
        new_id: Callable[[], str], ask: AskOfCalls | None = None, marked: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._reads, self._store, self._callbacks, self._note = reads, store, callbacks, note
        self._clock, self._new_id, self._ask, self._marked = clock, new_id, ask, marked

    async def answer(self, staff: Staff, ask: CallAsk) -> Ok:
        """Return the answer to one request. Raises the errors of `hotline.errors`."""
        match ask:
            case OrderCall():
                return await self._order(staff, ask)
            case DialCall():
                return await self._dial(staff, ask)
            case ReadCall():
                return await self._read(staff, ask)
            case ReadFloor():
                return Ok(id=ask.id, floor=await self._reads.floor(self._clock()))
            case _:
                assert_never(ask)

    async def link(self, call: str, number: str) -> None:
        """Note that a ticket came of a call."""
        await self._reads.link(call, number)

    async def caller(self, staff: Staff, call: str) -> str:
        """Return the number of whom an agent talks to, or has talked to, "" where that is none of their calls.

        Who hands a call over writes its ticket afterwards, and who gets it may have one to write too.
        """
        try:
            seen = await self._reads.call(call)
        except NotFound:
            return ""
        return seen.caller if staff.name in (seen.agent, *seen.had) else ""

    async def _asked(self, staff: Staff, order: CallOrder) -> None:
        if self._ask is None:
            raise Unavailable("voice is off")
        await self._ask(staff.name, order, now=self._clock())

    async def _order(self, staff: Staff, ask: OrderCall) -> Ok:
        if ask.act is CallAct.DIAL:
            raise InvalidInput("a citizen is called with `dial`")
        supervisor = staff.role is StaffRole.SUPERVISOR
        await self._asked(staff, CallOrder(call=ask.call, act=ask.act, to=ask.to, supervisor=supervisor))
        if supervisor:
            await self._keep(staff, f"call.{ask.act}", ask.call, {"to": ask.to} if ask.to else {})
        return Ok(id=ask.id)

    async def _dial(self, staff: Staff, ask: DialCall) -> Ok:
        if bool(ask.callback) == bool(ask.number):
            raise InvalidInput("name either the callback or the ticket that the call is about")
        call, phone = self._new_id(), ""
        if ask.callback:
            actor = actor_of(staff)
            taken = await self._callbacks.take(staff.name, by=f"{actor.role}:{actor.name}", id_=ask.callback)
            phone = taken.phone if taken is not None else ""
        else:
            phone = (await self._store.find(ask.number)).ticket.appeal.citizen.phone
        if not phone:
            raise InvalidInput("there is no telephone number to call")
        await self._asked(
            staff, CallOrder(call=call, act=CallAct.DIAL, to=phone, callback=ask.callback, ticket=ask.number)
        )
        return Ok(id=ask.id, call=call)

    async def _read(self, staff: Staff, ask: ReadCall) -> Ok:
        news = await self._reads.under_way(call=ask.call, agent=staff.name)
        call = ask.call or (news.call if news is not None else "")
        if not call:
            return Ok(id=ask.id)
        seen, reason = await self._reads.call(call), ask.reason.strip()
        own = staff.role is StaffRole.SUPERVISOR or seen.agent == staff.name
        if not own and (seen.colleague != staff.name or reason):  # who is only asked sees the caller, masked
            raise Forbidden("this call belongs to another agent")
        if reason:
            await self._keep(staff, "call.unmask", call, {"reason": reason})
        card = await self._reads.card(
            seen.caller, call=seen.id, marked=self._marked(seen.caller), full=bool(reason)
        )
        words = await self._reads.words(seen.id) if own else ()
        if staff.role is not StaffRole.SUPERVISOR and news is not None and not _with_agent(news):
            news = msgspec.structs.replace(news, alarm="")  # it may have been heard since they left
        return Ok(id=ask.id, card=card, words=words, news=news)

    async def _keep(self, staff: Staff, act: str, subject: str, detail: dict[str, str]) -> None:
        actor, told = actor_of(staff), {name: starred(text) for name, text in detail.items()}
        await self._note(Record(
            at=self._clock(), actor=f"{actor.role}:{actor.name}", act=act, subject=subject, detail=told
        ))


def _with_agent(news: CallNews) -> bool:
    return any(one.role is Role.AGENT for one in news.parties)
