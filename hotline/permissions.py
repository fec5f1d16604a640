"""Who may give which command on a ticket (domain.md sections 3–5). Pure; decided with the ticket under its lock."""

from __future__ import annotations

import msgspec

from hotline import commands as c
from hotline.errors import Forbidden, InvalidInput
from hotline.events import Actor, Role
from hotline.ticket import Ticket
from routing.directory import Directory

_WISHES = frozenset({c.PublishWish, c.UnpublishWish, c.PledgeWish, c.DeliverWish, c.CancelPledge})
_ASSISTING = frozenset({c.GiveOpinion, c.Attach, c.AddNote})
_LEAD = frozenset({
    *_WISHES,
    c.Sign, c.RequestReturn, c.Reply, c.RecordContact, c.RecordArrival, c.RequestExtension, c.AskInfo, c.Resume,
    c.Attach, c.AddNote,
})
_AGENT = frozenset({
    c.Accept, c.Answer, c.HandOff, c.Reject, c.Merge, c.Unmerge, c.AskInfo, c.SupplyInfo, c.Resume, c.Withdraw,
    c.Dispatch, c.ApproveReturn, c.RefuseReturn, c.Arbitrate, c.AcceptReply, c.RejectReply, c.SettleFollowUp,
    c.DisputeFollowUp, c.Redispatch, c.Close, c.Urge, c.AddMessage, c.AddNote, c.Attach, c.Correct, c.Reassess,
    c.Claim, c.Release, c.RecordTry, *_WISHES,
})
_SUPERVISOR = _AGENT | {
    c.Rule, c.Reopen, c.Archive, c.Supervise, c.GrantExtension, c.RefuseExtension, c.ClearAlarm, c.PoliceReturn,
    c.AcknowledgeAlarm,
    c.TakeBack,
}
PERMITTED: dict[Role, frozenset[type]] = {
    Role.AGENT: _AGENT, Role.SUPERVISOR: _SUPERVISOR, Role.DEPARTMENT: _LEAD | _ASSISTING,
    Role.CITIZEN: frozenset({c.Withdraw, c.Rate, c.Urge, c.SettleFollowUp, c.DisputeFollowUp}),
    Role.POLICE: frozenset({c.PoliceReturn, c.AcknowledgeIncident, c.Close}),
}
"""Commands by role. The system may give every command; some it alone gives."""
_STAFF = frozenset({Role.AGENT, Role.SUPERVISOR, Role.DEPARTMENT})


def permitted(actor: Actor, ticket: Ticket) -> frozenset[type]:
    """Return the commands that this person or unit may give on this ticket; a department's depend on its part in it."""
    given = PERMITTED.get(actor.role, frozenset())
    if actor.role is not Role.DEPARTMENT:
        return given
    if actor.name and actor.name == ticket.lead:
        return given & _LEAD
    return given & _ASSISTING if actor.name in ticket.assisting else frozenset()


def check_permitted(actor: Actor, command: c.Command, ticket: Ticket) -> None:
    """Raise Forbidden unless the actor may give this command on this ticket.

    A department acts on tickets that it leads; assisting departments give opinions, files and notes.
    """
    name = c.tag_of(type(command))
    if actor.role is Role.SYSTEM:
        return
    if type(command) not in PERMITTED.get(actor.role, frozenset()):
        raise Forbidden(f"the role {actor.role} may not {name}")
    if type(command) not in permitted(actor, ticket):
        part = "assisted" if actor.name == ticket.lead else "led"
        raise Forbidden(f"{actor.name} may not {name}: ticket {ticket.number} is not {part} by {actor.name}")


def as_given(actor: Actor, command: c.Command) -> c.Command:
    """Return a command as this actor gives it: what staff write is said to the citizen, however they marked it.

    The default of `inbound` is the citizen's, and stored events leave out what is the default: it cannot be changed.
    """
    if isinstance(command, c.AddMessage) and actor.role in _STAFF:
        return msgspec.structs.replace(command, inbound=False)
    return command


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
