"""A ticket's progress for the citizen who has its number and code: steps like a parcel's track, no personal data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from agent_ui.masking import mask_public
from channels.views import CitizenAct, Progress, Step
from hotline import commands as c
from hotline.clocks import Policy, expected_completion
from hotline.events import Receive, TicketEvent
from hotline.lifecycle import OPEN_STATES, TRANSITIONS
from hotline.rating import RATEABLE
from hotline.terms import REJECT_ROUTES, Priority, State, label
from hotline.ticket import Ticket
from hotline.urging import urgeable_from


def step_of(event: TicketEvent) -> Step | None:
    """Return what a citizen sees of an event, None for what stays inside the house."""
    told = _told(event)
    return None if told is None else Step(at=event.at, title=told[0], text=told[1], kind=event.type)


def _told(event: TicketEvent) -> tuple[str, str] | None:
    match event.fact:
        case Receive():
            return "已收到", "您的诉求已登记。"
        case c.Accept():
            return "已受理", ""
        case c.Answer(text=text):
            return "已答复", text
        case c.HandOff(services=services):
            return "已移交", f"情况紧急,已移交{'、'.join(services)}处置。"
        case c.PoliceReturn():
            return "退回12345办理", "经110核实,由12345继续办理。"
        case c.Reject(reason=reason):
            return "不予受理", REJECT_ROUTES[reason]
        case c.Merge():
            return _MERGED, "与同一事项的诉求合并办理,结果将一并告知。"
        case c.Unmerge():
            return "恢复单独办理", ""
        case c.AskInfo(question=question):
            return "待补充", question
        case c.SupplyInfo() | c.AddMessage(inbound=True):
            return "已补充", ""
        case c.Resume(text=text):
            return "已补充" if text else "继续办理", ""
        case c.AddMessage(inbound=False, text=text):
            return "工作人员回复", text
        case c.Withdraw():
            return "已撤单", ""
        case c.Dispatch(lead=lead) | c.Rule(lead=lead):
            return "已派单", f"已转{lead}办理。"
        case c.Sign():
            return "已签收", "承办单位已签收。"
        case c.RecordContact():
            return "已联系", "承办单位已与您联系。"
        case c.RecordArrival():
            return "已到场", "承办单位已到现场。"
        case c.Reply():
            return "已办理", "办理结果正在审核。"
        case c.AcceptReply():
            return "办理结果已审核", "即将对您进行回访。"
        case c.Redispatch():
            return "重新办理", ""
        case c.Close() | c.SettleFollowUp():
            return "已办结", ""
        case c.Reopen():
            return "重新受理", ""
        case _:
            return _told_of_the_rest(event)


def _told_of_the_rest(event: TicketEvent) -> tuple[str, str] | None:
    match event.fact:
        case c.GrantExtension():
            return "已延期", "办理时限经批准延长。"
        case c.Urge():
            return "已催办", ""
        case c.TakeBack():
            return "收回重派", "正在确认新的承办单位。"
        case c.PublishWish(title=title):
            return "心愿已发布", title
        case c.PledgeWish(quantity=quantity):
            return "心愿已被认领", f"认领数量:{quantity}"
        case c.DeliverWish():
            return "心愿物资已送达", ""
        case _:
            return None


def merged_progress(own: Progress, parent: Progress) -> Progress:
    """Return the progress of a merged ticket: what happened to it, and then what happens to its parent.

    Both are progress as citizens see it; what concerns the parent's own citizen is left out.
    """
    merged_at = max((step.at for step in own.steps if step.title == _MERGED), default=None)
    theirs = tuple(
        msgspec.structs.replace(step, at=step.at if merged_at is None else max(step.at, merged_at))
        for step in parent.steps
        if step.title not in _OWN_AFFAIR and (merged_at is None or step.at >= merged_at or step.title in _TAKEN_UP)
    )
    steps = tuple(sorted((*own.steps, *theirs), key=lambda step: step.at))
    return msgspec.structs.replace(
        own, steps=steps, public_reply=parent.public_reply, department=parent.department,
        expected_by=parent.expected_by, urge_from=parent.urge_from,
        may=tuple(dict.fromkeys((*own.may, *(act for act in parent.may if act is not CitizenAct.WITHDRAW)))),
    )


_MERGED = "已并单"
_TAKEN_UP = frozenset({"已派单", "已签收"})
"""Steps of the parent that are told with the merge though they lie before it: who handles the matter now."""
_OWN_AFFAIR = frozenset({
    "已收到", "已受理", "待补充", "已补充", "工作人员回复", "已撤单", "不予受理", _MERGED,
})


_REPLY_SHOWN = frozenset({State.ANSWERED, State.PENDING_FOLLOW_UP, State.REDO, State.CLOSED, State.ARCHIVED})


def progress_of(ticket: Ticket, events: Sequence[TicketEvent], *, policy: Policy, now: datetime) -> Progress:
    """Return how a ticket stands."""
    expected = None
    if ticket.state in OPEN_STATES and ticket.state is not State.HANDED_OFF:
        expected = expected_completion(
            now, ticket.clocks, max(ticket.priority, Priority.P1), ticket.kind, ticket.category, policy
        )
    urge_from = urgeable_from(events, now) if ticket.state in OPEN_STATES else None
    may = acts_of(ticket.state, urged=urge_from is not None)
    return Progress(
        number=ticket.number, status=ticket.state, status_label=label(ticket.state), verdict=ticket.verdict,
        category=ticket.category.l2 if ticket.category else "", department=ticket.lead, expected_by=expected,
        steps=tuple(_public_step(step, ticket) for event in events if (step := step_of(event)) is not None),
        public_reply=shown_reply(ticket), may=may, rating=ticket.rating, urge_from=urge_from,
    )


def acts_of(state: State, *, urged: bool) -> tuple[CitizenAct, ...]:
    """Return what a citizen may do with a ticket in this state; of a merged one its parent decides the rest.

    `urged`: so lately that it cannot be urged again yet.
    """
    possible = {
        CitizenAct.SUPPLEMENT: state in OPEN_STATES,
        CitizenAct.URGE: state in OPEN_STATES and not urged,
        CitizenAct.WITHDRAW: c.Withdraw in TRANSITIONS[state] or state is State.MERGED,
        CitizenAct.RATE: state in RATEABLE,
    }
    return tuple(act for act, may in possible.items() if may)


def _public_step(step: Step, ticket: Ticket) -> Step:
    return msgspec.structs.replace(step, text=_public(step.text, ticket))


def _public(text: str, ticket: Ticket) -> str:
    """What staff wrote may name people: hidden, as number and code are shared and Open311 shows replies to all."""
    return mask_public(text, *ticket.names, phone=ticket.appeal.citizen.phone)


def shown_reply(ticket: Ticket) -> str:
    """Return the public reply, without personal data, once the centre has accepted it; "" before."""
    return _public(ticket.public_reply, ticket) if ticket.state in _REPLY_SHOWN else ""
