"""Where a citizen is written to: on the channel they used, by SMS where that is a telephone. Pure.

`channel` CALL in an `Outbound` means the telephone network: what is written to a telephone is an SMS.
"""

from __future__ import annotations

import msgspec

from channels.message import Outbound
from hotline.appeal import Citizen
from hotline.ids import TicketNumber
from hotline.notices import Notice
from hotline.terms import Channel


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Where the citizen of a ticket is told of it."""

    number: TicketNumber
    channel: Channel
    citizen: Citizen


def address(contact: Contact) -> tuple[Channel, str] | None:
    """Return channel and address to write to first, None for who left neither an account nor a telephone.

    An app knows its users by what they sent: where it gave us no key of its own, the ticket's number is one.
    """
    citizen, channel = contact.citizen, contact.channel
    known = citizen.key if citizen.key != citizen.phone else ""
    match channel:
        case Channel.WECHAT | Channel.WEB | Channel.POLICE if known:
            return channel, known
        case Channel.APP:
            return channel, citizen.key or contact.number
        case _:
            return (Channel.CALL, citizen.phone) if citizen.phone else None


def letter(contact: Contact, notice: Notice, *, key: str) -> Outbound | None:
    """Return the message that carries a notice, None where there is nothing to say or nobody to say it to.

    Who came to us through another city's hotline is told by that one (`hotline.neighbours`), and not twice.
    """
    if contact.channel is Channel.CITY:
        return None
    phone = contact.citizen.phone
    found = (Channel.CALL, phone) if notice.sms and phone else address(contact)
    if found is None or not notice.text:
        return None
    channel, to = found
    return Outbound(
        channel=channel, key=key, to=to, text=notice.text, number=contact.number, rating=notice.rating,
        asks=notice.asks, phone=phone if channel not in (Channel.CALL, Channel.POLICE) else "",
    )


def letters(contact: Contact, notice: Notice, *, key: str) -> tuple[Outbound, ...]:
    """Return every message that carries a notice: of a transfer from 110, 110 is told and the citizen too."""
    first = letter(contact, notice, key=key)
    if first is None:
        return ()
    citizen = contact.citizen
    if first.channel is not Channel.POLICE or not citizen.phone:
        return (first,)
    by_phone = Contact(number=contact.number, channel=Channel.CALL, citizen=citizen)
    second = letter(by_phone, notice, key=f"{key}-sms")
    return (first, second) if second is not None else (first,)


def addressed(contact: Contact, text: str, *, key: str) -> Outbound | None:
    """Return a message with these words."""
    return letter(contact, Notice(text=text), key=key)
