"""What the citizen is told of each step of their ticket, in words. Pure.

Every step that the track shows (`hotline.progress`) and that they could not know otherwise is told on the channel they
used. What the receipt of their message said already is not said again.
"""

from __future__ import annotations

import msgspec

from channels import wording
from channels.wording import local_time
from hotline import commands as c
from hotline.events import Role, TicketEvent
from hotline.terms import REJECT_ROUTES, TryResult
from hotline.ticket import Ticket


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Words to a citizen, "" for none.

    Attributes:
        rating: a signed link to rate comes after the words.
        sms: by SMS, whatever channel they used.
        asks: a person writes to them, or asks: what they say next answers it.
    """

    text: str = ""
    rating: bool = False
    sms: bool = False
    asks: bool = False


NOTHING = Notice()
_OPENING = {c.HandOff: 2, c.Dispatch: 3}
"""Steps by which intake sends a new ticket on, and as which event: the receipt tells of them."""
_ASKED = "请对办理结果作出评价"


def notice(ticket: Ticket, event: TicketEvent, *, signature: str) -> Notice:
    """Return what the citizen is told of an event; `ticket` is the ticket after it.

    `signature` is the hotline's name, 东莞12345.
    """
    head = wording.head(signature, ticket.number)
    if _is_in_the_receipt(event):
        return NOTHING
    if isinstance(event.fact, c.RecordTry):
        return _last_link(ticket, event.fact, head)
    if isinstance(event.fact, c.AddMessage):
        return NOTHING if event.fact.inbound else Notice(text=event.fact.text, asks=True)
    text = _text(ticket, event)
    rates = isinstance(event.fact, c.AcceptReply | c.Answer) or (
        isinstance(event.fact, c.SettleFollowUp) and event.fact.unreachable
    )
    return Notice(text=head + text, rating=rates, asks=isinstance(event.fact, c.AskInfo)) if text else NOTHING


def shared(ticket: Ticket, event: TicketEvent, *, signature: str) -> str:
    """Return what is true of an event for citizens of merged tickets too: it was not they who were asked."""
    match event.fact:
        case c.SettleFollowUp():
            return f"{wording.head(signature, ticket.number)}诉求已办结,您可对办理结果作出评价。"
        case c.Redispatch():
            return f"{wording.head(signature, ticket.number)}已安排重新办理。"
        case _:
            return notice(ticket, event, signature=signature).text


def _is_in_the_receipt(event: TicketEvent) -> bool:
    """Tell whether the receipt says it: not where a person sends a ticket on that intake has left to them."""
    return _OPENING.get(type(event.fact)) == event.version and event.actor.role is Role.SYSTEM


def _text(ticket: Ticket, event: TicketEvent) -> str:
    match event.fact:
        case c.Answer(text=text):
            return text
        case c.Merge():
            return "与同一事项的诉求合并办理,进展和结果将一并告知您。"
        case c.Unmerge():
            return "恢复单独办理。"
        case c.AskInfo(question=question):
            return f"需要您补充信息:{question}"
        case c.HandOff(services=services):
            return f"情况紧急,已移交{'、'.join(services)}处置。如有危险请立即直接拨打{services[0]}。"
        case c.PoliceReturn():
            return "经110核实,由12345继续办理。"
        case c.Reject(reason=reason):
            return f"不予受理。{REJECT_ROUTES[reason]}"
        case c.Dispatch(lead=lead) | c.Rule(lead=lead):
            return f"已转{lead}办理。"
        case _:
            return _later_text(ticket, event)


def _later_text(ticket: Ticket, event: TicketEvent) -> str:
    match event.fact:
        case c.Sign():
            return f"{ticket.lead}已签收,将与您联系。"
        case c.GrantExtension() if ticket.clocks.completion_due is not None:
            return f"经批准,办理时限延长至{local_time(ticket.clocks.completion_due)}。"
        case c.AcceptReply():
            return f"办理结果:{ticket.public_reply}"
        case c.Redispatch():
            return "根据您的意见,已安排重新办理。"
        case c.SettleFollowUp(unreachable=True):
            return "未能取得您的回访意见,诉求已办结;您仍可评价。"  # also of who refused, or whose number is wrong
        case c.SettleFollowUp():
            return "诉求已办结,感谢您的评价。"
        case c.Close():
            return "诉求已办结。"
        case c.Reopen():
            return "已重新受理。"
        case c.Withdraw():
            return "已按您的要求撤单。"
        case _:
            return ""


def _last_link(ticket: Ticket, fact: c.RecordTry, head: str) -> Notice:
    """A try by message is the message; after the last try by telephone an SMS follows (domain.md section 5)."""
    if fact.result is TryResult.SENT:
        return Notice(text=f"{head}{_ASKED}。", rating=True)
    reachable = bool(ticket.appeal.citizen.phone) and fact.result is not TryResult.WRONG_NUMBER
    if reachable and ticket.clocks.follow_up_next is None:
        why = "" if fact.result is TryResult.REFUSED else "回访电话未能接通,"
        return Notice(text=f"{head}{why}{_ASKED}。", rating=True, sms=True)
    return NOTHING
