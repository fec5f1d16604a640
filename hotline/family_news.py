"""What the citizens of merged tickets (并单) hear of their parent: the same news, under their own number. Pure."""

from __future__ import annotations

import msgspec

from agent_ui.masking import mask_public
from hotline import commands as c
from hotline.events import TicketEvent
from hotline.ids import TicketNumber
from hotline.notices import Notice
from hotline.terms import State
from hotline.ticket import Ticket

# What concerns the matter and not the one citizen: questions, conversations and ratings are the parent's own.
_SHARED = (
    c.Answer, c.HandOff, c.PoliceReturn, c.Dispatch, c.Rule, c.Redispatch, c.Sign, c.RecordContact, c.RecordArrival,
    c.Reply, c.AcceptReply, c.GrantExtension, c.Close, c.SettleFollowUp, c.DisputeFollowUp, c.Reopen,
)


class FamilyNews(msgspec.Struct, frozen=True, kw_only=True):
    """News of a parent, to be told to each of its children. `text` names the parent by its number."""

    parent: TicketNumber
    version: int
    text: str


def news_of(ticket: Ticket, event: TicketEvent, told: str) -> tuple[FamilyNews, ...]:
    """Return what the children are told of an event; `told` is what is said of it to all, "" for nothing.

    `ticket` is the parent after the event. Its citizen's names and numbers are hidden.
    """
    if not ticket.children or not told or not is_shared(event):
        return ()
    text = mask_public(told, *ticket.names, phone=ticket.appeal.citizen.phone)
    return (FamilyNews(parent=ticket.number, version=event.version, text=text),)


def joined(told: Notice, event: TicketEvent, parent: Ticket) -> Notice:
    """Return what a citizen is told as their ticket is merged: also the result, where the parent's citizens have heard
    it before; nobody would tell it again."""
    if not isinstance(event.fact, c.Merge) or parent.state is not State.PENDING_FOLLOW_UP or not told.text:
        return told
    result = mask_public(parent.public_reply, *parent.names, phone=parent.appeal.citizen.phone)
    return msgspec.structs.replace(told, text=f"{told.text}办理结果:{result}")


def is_shared(event: TicketEvent) -> bool:
    """Tell whether an event of a parent is news for the citizens of merged tickets too."""
    return isinstance(event.fact, _SHARED)


def text_for(news: FamilyNews, child: TicketNumber) -> str:
    """Return the news as the citizen of `child` reads them."""
    own = f"{child}(与{news.parent}合并办理)"
    return news.text.replace(news.parent, own, 1) if news.parent in news.text else f"工单{own}:{news.text}"


def key_for(news: FamilyNews, child: TicketNumber) -> str:
    """Return the key under which the message to `child` goes out once."""
    return f"family-{child}-{news.parent}-{news.version}"


def ends_without_answer(ticket: Ticket, event: TicketEvent) -> bool:
    """Tell whether the parent ends for a reason of its own citizen: the others must be heard on their own."""
    return bool(ticket.children) and isinstance(event.fact, c.Withdraw | c.Reject)
