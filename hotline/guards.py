"""The guards of commands: the rules that the lifecycle table cannot say. Pure; `hotline.decide` asks them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, get_args

from msgspec import UNSET

from hotline import commands as c
from hotline import follow_up, watch
from hotline.alarms import UNACKNOWLEDGED, VERDICT_RAISED
from hotline.clocks import Policy
from hotline.deadlines import due_at
from hotline.errors import RuleViolation
from hotline.extension import AT_ITS_UNIT
from hotline.lifecycle import OPEN_STATES
from hotline.supervision import next_supervision
from hotline.terms import GRAVITY, Channel, Kind, Priority, State
from hotline.ticket import Ticket
from hotline.wish import WishCommand

_NEVER_EXTENDED = frozenset({Priority.P0, Priority.P1, Priority.P2})
_ASSISTED = frozenset({State.PENDING_SIGN, State.HANDLING, State.NEED_INFO, State.PENDING_REVIEW})


def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise RuleViolation(rule)


def _guard_hand_off(ticket: Ticket, command: c.HandOff, now: datetime, policy: Policy) -> None:
    _require(bool(command.services), "a hand-off names at least one service of 110, 119, 120, 122")
    _require(ticket.police_returns == 0, "110 has returned this ticket; a returned transfer is never sent again")


def _guard_ask_info(ticket: Ticket, command: c.AskInfo, now: datetime, policy: Policy) -> None:
    _require(bool(command.question.strip()), "say what the citizen is to add")


def _guard_answer(ticket: Ticket, command: c.Answer, now: datetime, policy: Policy) -> None:
    _require(bool(command.text.strip()), "an answer needs a text: the citizen is told it")


def _guard_reply(ticket: Ticket, command: c.Reply, now: datetime, policy: Policy) -> None:
    _require(bool(command.public.strip()), "a reply needs its public text: the citizen is told it")


def _guard_message(ticket: Ticket, command: c.AddMessage, now: datetime, policy: Policy) -> None:
    _require(command.inbound or bool(command.text.strip()), "a message to the citizen needs a text")


def _guard_supply_info(ticket: Ticket, command: c.SupplyInfo, now: datetime, policy: Policy) -> None:
    _require(ticket.asked_in is State.RECEIVED, f"{ticket.lead} has asked: the answer goes there (resume)")


def _guard_resume(ticket: Ticket, command: c.Resume, now: datetime, policy: Policy) -> None:
    _require(ticket.asked_in is State.HANDLING, "the centre has asked: the answer goes there (supply_info)")


def _guard_merge(ticket: Ticket, command: c.Merge, now: datetime, policy: Policy) -> None:
    _require(not ticket.children, f"{len(ticket.children)} tickets are merged into this one: unmerge them first")


def _guard_opinion(ticket: Ticket, command: c.GiveOpinion, now: datetime, policy: Policy) -> None:
    _require(ticket.state in _ASSISTED, "an opinion is given while the ticket is with its departments")
    _require(bool(command.text.strip()), "an opinion needs a text")


def _guard_attach(ticket: Ticket, command: c.Attach, now: datetime, policy: Policy) -> None:
    _require(bool(command.attachments), "attach at least one file")


def _guard_request_return(ticket: Ticket, command: c.RequestReturn, now: datetime, policy: Policy) -> None:
    _require(not ticket.return_locked, "a return was refused or ruled on; no further return is possible")
    _require(bool(command.legal_basis.strip() and command.suggested), "a return needs its legal basis and an owner")
    _require(command.suggested != ticket.lead, "a return suggests another owner than the one who returns")
    until = ticket.clocks.return_until
    _require(until is None or now <= until, f"the window for returns closed at {until}")


def _guard_approve_return(ticket: Ticket, command: c.ApproveReturn, now: datetime, policy: Policy) -> None:
    _require(ticket.returns == 0, "the second return of a ticket goes to arbitration")


def _guard_police_return(ticket: Ticket, command: c.PoliceReturn, now: datetime, policy: Policy) -> None:
    _require(ticket.police_returns == 0, "110 may return a ticket once")
    handed_off_at = ticket.clocks.handed_off_at
    if handed_off_at is not None and ticket.incident:  # what 110 never took, it may refuse at any time
        until = due_at(handed_off_at, policy.police_return_window, policy.calendar)
        _require(now <= until, f"the window for returns by 110 closed at {until}")


def _guard_reassess(ticket: Ticket, command: c.Reassess, now: datetime, policy: Policy) -> None:
    lowered = GRAVITY[command.verdict] < GRAVITY[ticket.verdict]
    _require(not lowered or bool(command.reason.strip()), "lowering a verdict needs a reason")


def _guard_request_extension(ticket: Ticket, command: c.RequestExtension, now: datetime, policy: Policy) -> None:
    due, ceiling = ticket.clocks.completion_due, ticket.clocks.ceiling_due
    _require(ticket.priority not in _NEVER_EXTENDED, "P0, P1 and P2 are never extended")
    _require(ticket.state is State.HANDLING, "only a ticket being handled can be extended")
    _require(due is not None and now < due, "an extension is asked for before the clock expires")
    _require(ceiling is None or due is None or due < ceiling, "the provincial ceiling leaves no time to extend")
    dispatched, policy = ticket.course.dispatched_at or now, policy.as_dispatched(ticket.clocks.promise)
    limit, _ = policy.completion_of(ticket.priority, ticket.kind, ticket.category, dispatched)
    _require(limit is not None and 1 <= command.days <= limit.amount, "an extension is 1 day up to the original limit")


def _guard_grant_extension(ticket: Ticket, command: c.GrantExtension, now: datetime, policy: Policy) -> None:
    _require(ticket.state in AT_ITS_UNIT, "only a ticket being handled can be extended")
    _require(ticket.priority not in _NEVER_EXTENDED, "P0, P1 and P2 are never extended")


def _guard_try(ticket: Ticket, command: c.RecordTry, now: datetime, policy: Policy) -> None:
    _require(ticket.state is State.PENDING_FOLLOW_UP, "tries belong to the follow-up")
    _require(not follow_up.is_over(ticket), "all tries were made; the last link waits now")


def _require_answer(command: c.SettleFollowUp | c.DisputeFollowUp) -> None:
    _require(command.solved is not UNSET, "say `solved`: true, false, or null where the citizen did not say")
    _require(command.rating is not None or command.solved is not None, "say the rating, or whether it is solved")


def _guard_settle(ticket: Ticket, command: c.SettleFollowUp, now: datetime, policy: Policy) -> None:
    rules = policy.follow_up_rules
    if command.unreachable:
        _require(command.rating is None, "who cannot be reached gives no rating")
        _require(follow_up.is_over(ticket), "unreachable is who was tried in every period of the day")
        return
    _require_answer(command)
    # What another city has redone it hands over anew, so with us a bad answer is the end of this ticket.
    final = ticket.redos >= rules.max_redos or ticket.channel is Channel.CITY
    settled = final or follow_up.settles(command.rating, command.said_solved)
    _require(settled, "dissatisfied and unsolved is redone (dispute_follow_up)")


def _guard_dispute(ticket: Ticket, command: c.DisputeFollowUp, now: datetime, policy: Policy) -> None:
    _require_answer(command)
    _require(command.solved is not True, "what is solved is settled (settle_follow_up)")
    most = policy.follow_up_rules.max_redos
    _require(ticket.redos < most, f"the matter was redone {most} times: settle it with what the citizen says")


def _guard_light(ticket: Ticket, command: c.ShowLight, now: datetime, policy: Policy) -> None:
    name = watch.light_of(command.clock, command.light)
    _require(name not in ticket.lights, f"the light {name} is shown already")


def _guard_supervise(ticket: Ticket, command: c.Supervise, now: datetime, policy: Policy) -> None:
    next_supervision(ticket.supervision)


def _guard_open(ticket: Ticket, command: c.Urge, now: datetime, policy: Policy) -> None:
    _require(ticket.state in OPEN_STATES, "the ticket is finished")


def _guard_contact(ticket: Ticket, command: c.RecordContact, now: datetime, policy: Policy) -> None:
    _require(ticket.clocks.contacted_at is None, "first contact is recorded already")


def _guard_arrival(ticket: Ticket, command: c.RecordArrival, now: datetime, policy: Policy) -> None:
    _require(ticket.clocks.arrived_at is None, "the arrival is recorded already")


def _guard_acknowledge(ticket: Ticket, command: c.AcknowledgeIncident, now: datetime, policy: Policy) -> None:
    _require(not ticket.incident, f"the hand-off is acknowledged already: {ticket.incident}")


def _guard_raise_alarm(ticket: Ticket, command: c.RaiseAlarm, now: datetime, policy: Policy) -> None:
    # Danger told anew sounds anew, though somebody has seen the last alarm. Others are raised again by mere retries.
    anew = command.alarm == VERDICT_RAISED and command.alarm in ticket.alarms_seen
    _require(anew or command.alarm not in ticket.alarms, f"the alarm {command.alarm} is raised already")
    awaited = command.alarm != UNACKNOWLEDGED or (ticket.state is State.HANDED_OFF and not ticket.incident)
    _require(awaited, "no acknowledgement of 110 is awaited")


def _guard_acknowledge_alarm(ticket: Ticket, command: c.AcknowledgeAlarm, now: datetime, policy: Policy) -> None:
    _require(command.alarm in ticket.alarms, f"there is no alarm {command.alarm} on this ticket")
    _require(command.alarm not in ticket.alarms_seen, f"the alarm {command.alarm} is acknowledged already")


def _guard_take_back(ticket: Ticket, command: c.TakeBack, now: datetime, policy: Policy) -> None:
    _require(bool(command.reason.strip()), "taking a ticket back needs a reason")


def _guard_wish(ticket: Ticket, command: WishCommand, now: datetime, policy: Policy) -> None:
    _require(ticket.kind is Kind.WISH, "only a micro-wish (kind wish) is published and pledged")
    _require(ticket.state in OPEN_STATES or isinstance(command, c.UnpublishWish), "the ticket is finished")


def _guard_correct(ticket: Ticket, command: c.Correct, now: datetime, policy: Policy) -> None:
    other = command.citizen is not None and (ticket.kind is Kind.REPORT or ticket.appeal.confidential)
    hides = other or command.kind is Kind.REPORT or bool(command.confidential)  # its parent shows what it adds
    _require(ticket.state is not State.MERGED or not hides, "a merged ticket is read in its parent: unmerge it first")
    shows = command.confidential is False or (ticket.kind is Kind.REPORT and command.kind not in (None, Kind.REPORT))
    _require(not (ticket.children and (shows or other)), "merged tickets are hidden with this one: unmerge them first")


GUARDS: dict[type, Callable[[Ticket, Any, datetime, Policy], None]] = {
    c.RecordTry: _guard_try, c.SettleFollowUp: _guard_settle, c.DisputeFollowUp: _guard_dispute,
    c.Answer: _guard_answer, c.Reply: _guard_reply, c.AddMessage: _guard_message,
    c.AskInfo: _guard_ask_info, c.SupplyInfo: _guard_supply_info, c.Resume: _guard_resume, c.Merge: _guard_merge,
    c.GiveOpinion: _guard_opinion, c.Attach: _guard_attach, c.TakeBack: _guard_take_back,
    **dict.fromkeys(get_args(WishCommand), _guard_wish), c.GrantExtension: _guard_grant_extension,
    c.HandOff: _guard_hand_off, c.RequestReturn: _guard_request_return, c.ApproveReturn: _guard_approve_return,
    c.PoliceReturn: _guard_police_return, c.Reassess: _guard_reassess, c.RequestExtension: _guard_request_extension,
    c.AcknowledgeIncident: _guard_acknowledge, c.ShowLight: _guard_light, c.RaiseAlarm: _guard_raise_alarm,
    c.AcknowledgeAlarm: _guard_acknowledge_alarm, c.Supervise: _guard_supervise, c.Urge: _guard_open,
    c.RecordContact: _guard_contact, c.RecordArrival: _guard_arrival, c.Correct: _guard_correct,
}
