"""What people do with tickets after intake: citizens by number and code, staff by command.

A thin use case: read or lock the ticket, let the pure rules decide, write the change with what it sets going.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

from channels.message import Inbound, Receipt
from channels.port import Progress
from hotline import commands as c
from hotline.appeal import Appeal, Attachment
from hotline.decide import decide
from hotline.effects import Effects, effects_of
from hotline.errors import Forbidden, IllegalTransition, InvalidInput, NotFound
from hotline.events import Actor, Role
from hotline.ids import TicketNumber, is_ticket_number
from hotline.intake import Intake
from hotline.lifecycle import OPEN_STATES
from hotline.opening import Change, CityRules
from hotline.ports import Clock, Stored, TicketChanges
from hotline.progress import progress_of
from hotline.terms import Rating, State
from hotline.ticket import Ticket
from routing.directory import Directory

_CITIZEN = Actor(Role.CITIZEN)
_RATEABLE = frozenset({State.ANSWERED, State.PENDING_FOLLOW_UP, State.REDO, State.CLOSED, State.ARCHIVED})
_UNKNOWN = "there is no ticket with this number and code"

# Commands by role (domain.md sections 3–5). The system may give every command.
_DEPARTMENT = frozenset({
    c.Sign, c.RequestReturn, c.Reply, c.RecordContact, c.RequestExtension, c.AddNote,
})
_AGENT = frozenset({
    c.Accept, c.Answer, c.HandOff, c.Reject, c.Merge, c.Unmerge, c.AskInfo, c.SupplyInfo, c.Withdraw, c.Dispatch,
    c.AcceptReply, c.RejectReply, c.SettleFollowUp, c.DisputeFollowUp, c.Redispatch, c.Close, c.Urge, c.AddMessage,
    c.AddNote, c.Correct, c.Reassess, c.Claim, c.Release,
})
_SUPERVISOR = _AGENT | {
    c.ApproveReturn, c.RefuseReturn, c.Arbitrate, c.Rule, c.Reopen, c.Archive, c.Supervise, c.GrantExtension,
    c.RefuseExtension, c.ClearAlarm, c.PoliceReturn,
}
PERMITTED: dict[Role, frozenset[type]] = {
    Role.AGENT: _AGENT, Role.SUPERVISOR: _SUPERVISOR, Role.DEPARTMENT: _DEPARTMENT,
    Role.CITIZEN: frozenset({c.Withdraw, c.Rate, c.Urge}),
    Role.POLICE: frozenset({c.PoliceReturn, c.AcknowledgeIncident, c.Close}),
}


def check_permitted(actor: Actor, command: c.Command, ticket: Ticket) -> None:
    """Raise Forbidden unless the actor's role may give this command on this ticket.

    A department acts on tickets that it leads; assisting departments may add notes.
    """
    name = c.tag_of(type(command))
    if actor.role is Role.SYSTEM:
        return
    if type(command) not in PERMITTED.get(actor.role, frozenset()):
        raise Forbidden(f"the role {actor.role} may not {name}")
    if actor.role is Role.DEPARTMENT and actor.name != ticket.lead:
        assisting = actor.name in ticket.assisting and isinstance(command, c.AddNote)
        if not assisting:
            raise Forbidden(f"ticket {ticket.number} is not led by {actor.name}")


def check_units(command: c.Command, directory: Directory) -> None:
    """Raise InvalidInput if a command names a unit that the dispatch directory does not have."""
    match command:
        case c.Dispatch(lead=lead, assisting=assisting) | c.Rule(lead=lead, assisting=assisting):
            named: tuple[str, ...] = (lead, *assisting)
        case c.Redispatch(lead=lead):
            named = (lead,) if lead else ()
        case c.RequestReturn(suggested=suggested):
            named = (suggested,)
        case _:
            return
    unknown = [name for name in named if name not in directory.units]
    if unknown:
        raise InvalidInput(f"{'、'.join(unknown)} is not in the dispatch directory {directory.version}")


class Service:
    """Tickets for citizens and staff."""

    def __init__(
        self, *, store: TicketChanges, intake: Intake, rules: Callable[[], CityRules], clock: Clock
    ) -> None:
        self._store, self._intake, self._rules, self._clock = store, intake, rules, clock

    # ── staff ────────────────────────────────────────────────────────────────────────────────────
    async def act(
        self, number: str, command: c.Command, *, actor: Actor, expected_version: int | None = None
    ) -> Ticket:
        """Carry out one command and return the ticket after it.

        Raises:
            NotFound, InvalidInput (a unit that is not in the directory), Forbidden, VersionConflict, IllegalTransition,
            RuleViolation.
        """
        check_units(command, self._rules().directory)
        return await self._change(number, command, actor=actor, expected_version=expected_version)

    async def _change(
        self, number: str, command: c.Command, *, actor: Actor, expected_version: int | None = None
    ) -> Ticket:
        now, rules = self._clock(), self._rules()

        def decided(ticket: Ticket) -> tuple[Change, Effects]:
            check_permitted(actor, command, ticket)
            decision = decide(ticket, command, now=now, policy=rules.policy, actor=actor)
            effects = effects_of(decision.ticket, decision.event, signature=rules.signature)
            return Change(before=ticket, decisions=(decision,)), effects

        return await self._store.change(number, decided, expected_version=expected_version)

    # ── citizens, by number and code ─────────────────────────────────────────────────────────────
    async def _citizens(self, number: str, code: str) -> Stored:
        """Unknown numbers and wrong codes get the same answer: nobody learns which numbers exist."""
        if not is_ticket_number(number):
            raise NotFound(_UNKNOWN)
        try:
            stored = await self._store.read(number)
        except NotFound as error:
            raise NotFound(_UNKNOWN) from error
        if not hmac.compare_digest(stored.code.encode(), code.encode()):
            raise NotFound(_UNKNOWN)
        return stored

    async def progress(self, number: TicketNumber, code: str) -> Progress:
        """Return how the ticket stands. Raises NotFound."""
        stored = await self._citizens(number, code)
        events = await self._store.history(stored.id)
        return progress_of(stored.ticket, events, policy=self._rules().policy, now=self._clock())

    async def supplement(
        self, number: TicketNumber, code: str, text: str, attachments: Sequence[Attachment], key: str
    ) -> Receipt:
        """Add to an open ticket; it is triaged like any message, so a new danger raises the verdict.

        Raises:
            NotFound, IllegalTransition (the ticket is over), KeyReused, Overloaded.
        """
        stored = await self._citizens(number, code)
        if stored.ticket.state not in OPEN_STATES:
            raise IllegalTransition(f"ticket {number} is finished: send a new appeal")
        if not text.strip() and not attachments:
            raise InvalidInput("a message needs text or an attachment")
        return await self._intake.submit(Inbound(
            channel=stored.ticket.channel, external_id=f"{number}:{key}", continues=number,
            appeal=Appeal(text=text, attachments=tuple(attachments)), received_at=self._clock(),
        ))

    async def withdraw(self, number: TicketNumber, code: str, reason: str) -> None:
        """撤单; a repeat does nothing. Raises NotFound, IllegalTransition."""
        if await self._is_withdrawn(number, code):
            return
        try:
            await self._change(number, c.Withdraw(reason=reason), actor=_CITIZEN)
        except IllegalTransition:
            if not await self._is_withdrawn(number, code):  # another request of the same citizen was quicker
                raise

    async def _is_withdrawn(self, number: TicketNumber, code: str) -> bool:
        return (await self._citizens(number, code)).ticket.state is State.WITHDRAWN

    async def rate(self, number: TicketNumber, code: str, rating: Rating, solved: bool | None, note: str) -> None:
        """好差评; a repeat does nothing. Raises NotFound, IllegalTransition before there is an answer."""
        stored = await self._citizens(number, code)
        if stored.ticket.state not in _RATEABLE:
            raise IllegalTransition(f"ticket {number} has no answer to rate yet")
        told_before = stored.ticket.rating == rating and solved in (None, stored.ticket.solved)
        if not told_before:
            await self._change(number, c.Rate(rating=rating, solved=solved, note=note), actor=_CITIZEN)
