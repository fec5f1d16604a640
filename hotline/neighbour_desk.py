"""What neighbours tell us, carried over to tickets: each may be told twice and counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from agent_ui.masking import mask_public
from channels.clean import clean
from channels.message import Inbound, Receipt
from channels.neighbour_codec import HandOver, Status, Update, external_id, inbound_of
from hotline import commands as c
from hotline.appeal import Appeal
from hotline.errors import Forbidden, IllegalTransition, InvalidInput, NotFound
from hotline.events import Actor, Role, TicketEvent
from hotline.follow_up import settles
from hotline.ids import TicketId, TicketNumber
from hotline.lifecycle import OPEN_STATES, TRANSITIONS
from hotline.neighbours import Neighbour, NeighbourKind, Neighbours, last_hand_over
from hotline.ports import Acted, Clock, Once, Stored
from hotline.terms import Channel, State
from hotline.ticket import Ticket

log = structlog.get_logger(__name__)
_GONE = "ticket {} is no longer with you"
_STATES = {
    Status.ACCEPTED: "accepted", Status.CONTACTED: "accepted", Status.NEED_INFO: "accepted",
    Status.OUTCOME: "done", Status.RETURNED: "returned",
}


class Held(Protocol):
    """Who holds whose ticket (`hotline.store.neighbours.NeighbourStore`)."""

    async def held_by(self, code: str, hand_over: str) -> str | None:
        """Return the number of our ticket that a neighbour holds."""
        ...

    async def taken_from(self, external_id: str) -> str | None:
        """Return the number of the ticket that we hold for a neighbour."""
        ...

    async def told(self, hand_over: str, state: str, now: datetime) -> None:
        """Record what the neighbour said last."""
        ...


class Tickets(Protocol):
    """Tickets as they are read (`hotline.store.tickets.TicketStore`)."""

    async def read(self, number: str) -> Stored:
        """Return a ticket. Raises NotFound."""
        ...

    async def history(self, id_: TicketId) -> list[TicketEvent]:
        """Return all events of a ticket in order."""
        ...


class ActsOnce(Protocol):
    """The one thing needed of `hotline.service.Service`."""

    async def act_once(self, number: str, command: c.Command, *, actor: Actor, once: Once) -> Acted:
        """Carry out one command under a key."""
        ...


class NeighbourDesk:
    """Takes hand-overs and updates; the caller has checked the signature."""

    def __init__(
        self, *, held: Held, tickets: Tickets, service: ActsOnce, submit: Callable[[Inbound], Awaitable[Receipt]],
        neighbours: Neighbours, clock: Clock,
    ) -> None:
        self._held, self._tickets, self._service, self._submit = held, tickets, service, submit
        self.neighbours, self._clock = neighbours, clock

    async def take(self, code: str, given: HandOver) -> Receipt:
        """Take a ticket of another city. Raises Forbidden for a neighbour that is none, and what intake raises."""
        if self.neighbours[code].kind is not NeighbourKind.CITY:
            raise Forbidden(f"{code} is no city's hotline: only those hand tickets over")
        return await self._submit(inbound_of(given, code=code, now=self._clock()))

    async def update(self, code: str, update: Update) -> None:
        """Carry over what a neighbour tells of a hand-over; a repeat changes nothing.

        Raises:
            NotFound: no hand-over between us has this key.
            IllegalTransition: the ticket is no longer with this neighbour, or the matter has moved on.
            InvalidInput: this status is not for this side to tell.
        """
        update = msgspec.structs.replace(update, text=clean(update.text))
        number = await self._held.held_by(code, update.hand_over)
        if number is not None:
            await self._from_holder(self.neighbours[code], number, update)
            return
        number = await self._held.taken_from(external_id(code, update.hand_over))
        if number is None:
            raise NotFound(f"there is no hand-over {update.hand_over!r} between us")
        await self._from_origin(code, number, update)

    # ── our ticket, at a neighbour ───────────────────────────────────────────────────────────────
    async def _from_holder(self, neighbour: Neighbour, number: str, update: Update) -> None:
        if update.status not in {*_STATES, Status.MESSAGE}:
            raise InvalidInput(f"{update.status} is told by the city that a ticket comes from, not by who handles it")
        stored = await self._tickets.read(number)
        events = await self._tickets.history(stored.id)
        if last_hand_over(events, number, neighbour.unit) != update.hand_over:
            raise IllegalTransition(f"ticket {number} was handed over anew since {update.hand_over}")
        holds = stored.ticket.lead == neighbour.unit
        commands = _commands(update, stored.ticket)
        if not holds and not commands:
            raise IllegalTransition(_GONE.format(number))
        for command in commands:
            # A unit may not take a ticket back, so one that holds it no longer can only repeat what it has told.
            role = Role.SYSTEM if holds and isinstance(command, c.TakeBack) else Role.DEPARTMENT
            try:
                await self._act(neighbour.unit, number, command, update, Actor(role, neighbour.unit))
            except Forbidden as error:
                raise IllegalTransition(_GONE.format(number)) from error
        if update.status in _STATES:
            await self._held.told(update.hand_over, _STATES[update.status], self._clock())

    # ── a neighbour's ticket, with us ────────────────────────────────────────────────────────────
    async def _from_origin(self, code: str, number: str, update: Update) -> None:
        actor = Actor(Role.SYSTEM, code)
        ticket = (await self._tickets.read(number)).ticket
        match update.status:
            case Status.MESSAGE:
                await self._submit(Inbound(
                    channel=Channel.CITY, external_id=external_id(code, update.id), received_at=self._clock(),
                    continues=TicketNumber(number), appeal=Appeal(text=update.text or "(空)"), source=code,
                ))
            case Status.RECALLED:
                for command in _recall(update, ticket):
                    await self._act(code, number, command, update, actor)
            case Status.SETTLED:
                await self._act(code, number, _settle(update, ticket), update, actor)
            case _:
                raise InvalidInput(f"{update.status} is told by who handles a ticket, not by the city it comes from")

    async def _act(self, teller: str, number: str, command: c.Command, update: Update, actor: Actor) -> None:
        """A key counts for one command: a repeat finds each one done, whatever the ticket looks like by then."""
        told = (update.hand_over, update.status, update.text, update.rating, update.solved)  # not when it was told
        digest = hashlib.blake2b(msgspec.json.encode(told), digest_size=16).digest()
        once = Once(unit=teller, key=f"{update.id}:{c.tag_of(type(command))}", content_hash=digest)
        await self._service.act_once(number, command, actor=actor, once=once)


def _commands(update: Update, ticket: Ticket) -> list[c.Command]:
    """Return what a holder's word comes to; who speaks before signing has signed."""
    sign: list[c.Command] = [c.Sign()] if ticket.state is State.PENDING_SIGN else []
    resume: list[c.Command] = [c.Resume()] if ticket.state is State.NEED_INFO else []
    match update.status:
        case Status.ACCEPTED:
            return sign
        case Status.CONTACTED:
            contact: list[c.Command] = [c.RecordContact(note=update.text)]
            return sign + (contact if ticket.clocks.contacted_at is None else [])
        case Status.NEED_INFO:
            return [*sign, c.AskInfo(question=update.text)]
        case Status.OUTCOME:
            public = mask_public(update.text, *ticket.names, phone=ticket.appeal.citizen.phone)
            return [*sign, *resume, c.Reply(internal=update.text, public=public)]
        case Status.RETURNED:
            return [*resume, c.TakeBack(reason=update.text or "对方退回")]
        case _:
            return [c.AddNote(text=update.text)]


def _recall(update: Update, ticket: Ticket) -> list[c.Command]:
    reason = f"来源地收回:{update.text}".rstrip(":")
    if c.Withdraw in TRANSITIONS[ticket.state]:
        return [c.Withdraw(reason=reason)]
    if ticket.state not in OPEN_STATES:
        return [c.AddNote(text=reason)]
    return [c.AddNote(text=reason), c.RaiseAlarm(alarm="recalled", detail=reason)]


def _settle(update: Update, ticket: Ticket) -> c.Command:
    if ticket.state is not State.PENDING_FOLLOW_UP:
        return c.AddNote(text="来源地已回访。")
    if update.rating is None and update.solved is None:
        return c.SettleFollowUp(solved=None, unreachable=True, note="来源地多次回访未能联系上")
    good = settles(update.rating, update.solved)
    note = "来源地回访" if good else "来源地回访未通过, 如需重办将重新移交"
    return c.SettleFollowUp(rating=update.rating, solved=update.solved, note=note)
