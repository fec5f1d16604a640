"""What a console asks, carried out: one frame in, one frame out. No sockets here."""

from __future__ import annotations

from typing import assert_never

import msgspec

from agent_ui.access import check_request
from agent_ui.aid_requests import Aids
from agent_ui.call_requests import CallDesk
from agent_ui.callback_requests import answer_callback
from agent_ui.follow_up_requests import next_follow_up
from agent_ui.knowledge_requests import answer_knowledge
from agent_ui.likeness_requests import answer_likeness
from agent_ui.masking import masked, may_see_citizen
from agent_ui.ports import Act, ConsoleStore, FindRelatives, Found, LikenessStore, Relatives, Submit
from agent_ui.protocol import (
    Consult,
    DialCall,
    DismissSimilar,
    Explain,
    FindSimilar,
    GiveBackCallback,
    ListHotSpots,
    Look,
    Merged,
    MergeTickets,
    NextFollowUp,
    Ok,
    Open,
    Opened,
    OrderCall,
    PhoneAppeal,
    Propose,
    ReadArticle,
    ReadCall,
    ReadFloor,
    ReadTerms,
    RecordCallback,
    RunCommand,
    Search,
    ServerFrame,
    SetPresence,
    Snapshot,
    TakeCallback,
    TakeSnapshot,
)
from agent_ui.staff import Staff, StaffRole, acting_role, actor_of, check_command, check_ticket, check_topic
from channels.appeal_codec import answer_of, appeal_of
from channels.message import Inbound
from channels.phone_codec import of_caller
from hotline import commands as c
from hotline.callbacks import Callbacks
from hotline.errors import Forbidden, HotlineError, InvalidInput, Unavailable
from hotline.events import Actor, Role
from hotline.extension import EXTENSION_TRANSITIONS
from hotline.library import Library
from hotline.lifecycle import TRANSITIONS
from hotline.permissions import permitted
from hotline.ports import Clock
from hotline.summary import next_due
from hotline.terms import Channel, State
from hotline.ticket import Ticket

Request = (
    TakeSnapshot | RunCommand | Open | SetPresence | Search | PhoneAppeal | OrderCall | MergeTickets | TakeCallback
    | GiveBackCallback | RecordCallback | FindSimilar | DismissSimilar | ListHotSpots
    | Consult | ReadArticle | NextFollowUp | DialCall | ReadCall | ReadFloor
    | ReadTerms | Propose | Explain | Look
)


_ON_A_WISH: set[type] = {c.UnpublishWish, c.PledgeWish, c.DeliverWish, c.CancelPledge}


def possible_commands(actor: Actor, ticket: Ticket) -> tuple[str, ...]:
    """Return the tags of the commands that make sense on this ticket for this actor; a rule may still refuse one."""
    reachable = {*TRANSITIONS[ticket.state], *c.SIDE_COMMANDS} - _pointless(ticket)
    return tuple(sorted(c.tag_of(kind) for kind in reachable & permitted(actor, ticket)))


def _pointless(ticket: Ticket) -> set[type]:
    extensions = {c.RequestExtension, c.GrantExtension, c.RefuseExtension} - {*EXTENSION_TRANSITIONS[ticket.extension]}
    pointless: set[type] = {*extensions}
    pointless |= {c.ClearAlarm} if not ticket.alarms else set()
    pointless |= {c.AcknowledgeAlarm} if not ticket.alarms - ticket.alarms_seen else set()
    pointless |= {c.Release} if not ticket.agent else set()
    pointless |= {c.SupplyInfo} if ticket.asked_in is State.HANDLING else {c.Resume}
    pointless |= {c.RecordTry} if ticket.state is not State.PENDING_FOLLOW_UP else set()
    pointless |= _ON_A_WISH if ticket.wish is None else set()
    pointless |= {c.RequestExtension} if ticket.state is not State.HANDLING else set()
    pointless |= {c.RequestReturn} if ticket.return_locked else set()
    pointless |= {c.ApproveReturn} if ticket.returns else set()
    pointless |= {c.RecordContact} if ticket.clocks.contacted_at is not None else set()
    on_the_way = ticket.clocks.on_site_due is not None and ticket.clocks.arrived_at is None
    return pointless | (set() if on_the_way else {c.RecordArrival})


class Requests:
    """Carries requests out over the ports."""

    def __init__(
        self, *, store: ConsoleStore, act: Act, submit: Submit, clock: Clock, lease: float,
        relatives: FindRelatives | None = None, callbacks: Callbacks | None = None,
        likeness: LikenessStore | None = None, library: Library | None = None,
        calls: CallDesk | None = None, aids: Aids | None = None,
    ) -> None:
        """`lease`: seconds for which a presence holds without a sign of life. `relatives`: None shows none."""
        self._store, self._act, self._submit, self._clock, self._lease = store, act, submit, clock, lease
        self._relatives, self._callbacks, self._likeness = relatives, callbacks, likeness
        self._library, self._calls, self._aids = library, calls, aids

    async def answer(self, staff: Staff, ask: Request) -> ServerFrame:
        """Return the answer to one request. Raises the errors of `hotline.errors`."""
        check_request(staff, type(ask))
        match ask:
            case TakeSnapshot():
                return await self._snapshot(staff, ask)
            case RunCommand():
                return await self._command(staff, ask)
            case Open():
                return await self._open(staff, ask)
            case SetPresence():
                return await self._presence(staff, ask)
            case Search():
                return await self._search(staff, ask)
            case PhoneAppeal():
                return await self._phone_appeal(staff, ask)
            case OrderCall() | DialCall() | ReadCall() | ReadFloor():
                return await self._call_desk().answer(staff, ask)
            case MergeTickets():
                return await self._merge(staff, ask)
            case TakeCallback() | GiveBackCallback() | RecordCallback():
                _check_centre(staff)
                return await answer_callback(self._callbacks, staff, ask)
            case FindSimilar() | DismissSimilar() | ListHotSpots():
                _check_centre(staff)
                return await answer_likeness(self._likeness, staff, ask, self._clock)
            case Consult() | ReadArticle():
                acting_role(staff)
                return await answer_knowledge(self._library, ask)
            case ReadTerms() | Propose() | Explain() | Look():
                if self._aids is None:
                    raise Unavailable("aids are off")
                return await self._aids.answer(staff, ask)
            case NextFollowUp():
                _check_centre(staff)
                return await next_follow_up(self._store, self._act, staff, ask, self._clock)
            case _:
                assert_never(ask)

    async def _snapshot(self, staff: Staff, ask: TakeSnapshot) -> Snapshot:
        check_topic(staff, ask.topic)
        page = await self._store.snapshot(ask)
        return Snapshot(topic=ask.topic, seq=page.seq, rows=page.rows, id=ask.id, next=page.next)

    async def _command(self, staff: Staff, ask: RunCommand) -> Ok:
        check_command(staff, ask.command)
        ticket = await self._act(
            ask.number, ask.command, actor=actor_of(staff), expected_version=ask.expected_version
        )
        return Ok(id=ask.id, number=ticket.number, version=ticket.version, state=ticket.state)

    async def _open(self, staff: Staff, ask: Open) -> Ok:
        found = await self._store.find(ask.number, since_version=ask.since_version)
        check_ticket(staff, found.summary)
        reason = ask.reason.strip()
        full = bool(reason) and may_see_citizen(staff, found.ticket)
        if full:
            note = c.AddNote(text=f"{staff.display_name}({staff.name})查看完整个人信息,理由:{reason}")
            await self._act(ask.number, note, actor=actor_of(staff))
            found = await self._store.find(ask.number, since_version=ask.since_version)
        relatives = Relatives()
        if self._relatives is not None:
            relatives = await self._relatives(found.id, department=staff.department)
        return Ok(id=ask.id, number=ask.number, opened=_opened(staff, found, relatives, full=full))

    def _call_desk(self) -> CallDesk:
        if self._calls is None:
            raise Unavailable("voice is off")
        return self._calls

    async def _merge(self, staff: Staff, ask: MergeTickets) -> Ok:
        _check_centre(staff)
        parent = await self._store.find(ask.into)
        merged = []
        for number in dict.fromkeys(ask.numbers):  # one after the other: each takes the parent's lock
            try:
                await self._act(number, c.Merge(parent=parent.id), actor=actor_of(staff))
                merged.append(Merged(number=number))
            except HotlineError as error:
                merged.append(Merged(number=number, error_id=error.error_id, detail=error.detail))
        return Ok(id=ask.id, number=ask.into, merged=tuple(merged))

    async def _presence(self, staff: Staff, ask: SetPresence) -> Ok:
        _check_centre(staff)
        if ask.staff and ask.staff != staff.name:
            if staff.role is not StaffRole.SUPERVISOR:
                raise Forbidden("one's own presence is chosen; a supervisor may force that of others")
            presence = await self._store.force_presence(
                ask.staff, ask.state, ask.reason, by=staff.name, now=self._clock()
            )
            return Ok(id=ask.id, presence=presence)
        presence = await self._store.set_presence(
            staff.name, ask.state, ask.reason, now=self._clock(), lease=self._lease
        )
        return Ok(id=ask.id, presence=presence)

    async def _search(self, staff: Staff, ask: Search) -> Ok:
        acting_role(staff)
        page = await self._store.search(ask, department=staff.department)
        return Ok(id=ask.id, rows=page.rows, next=page.next)

    async def _phone_appeal(self, staff: Staff, ask: PhoneAppeal) -> Ok:
        _check_centre(staff)
        if ask.appeal.attachments:
            raise InvalidInput("an appeal from a call has no attachments; add them to the ticket afterwards")
        appeal = appeal_of(ask.appeal)
        if self._calls is not None:
            appeal = of_caller(appeal, await self._calls.caller(staff, ask.call))
        receipt = await self._submit(Inbound(
            channel=Channel.CALL, external_id=ask.key, appeal=appeal, received_at=self._clock(), source=staff.name,
        ))
        if self._calls is not None:
            await self._calls.link(ask.call, receipt.number)
        return Ok(id=ask.id, number=receipt.number, receipt=answer_of(receipt))


def _check_centre(staff: Staff) -> None:
    if acting_role(staff) is Role.DEPARTMENT:
        raise Forbidden("this is for the agents of the centre")


def _opened(staff: Staff, found: Found, relatives: Relatives, *, full: bool) -> Opened:
    ticket, events = found.ticket, found.events
    if not full:
        names, concealed = ticket.names, not may_see_citizen(staff, ticket)
        ticket = masked(ticket, *names, concealed=concealed)
        events = tuple(masked(event, *names, concealed=concealed) for event in events)
    return Opened(
        id=found.id, ticket=msgspec.Raw(msgspec.json.encode(ticket)),
        events=tuple(msgspec.Raw(msgspec.json.encode(event)) for event in events),
        commands=possible_commands(actor_of(staff), found.ticket), masked=not full, parent=relatives.parent,
        children=relatives.children, related=relatives.related, due=next_due(found.ticket),
    )
