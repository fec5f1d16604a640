"""Identifiers, and the ticket number with its check digit.

A number is `DG` + yyyyMMdd + channel digit + at least 6 digits of the day's sequence + check digit
(ISO 7064 MOD 11,10 over all digits): `DG20261121` `3` `000042` `3`. The check digit finds every
single wrong digit, so a misread number is refused instead of showing somebody else's ticket.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NewType

from stdnum.iso7064 import mod_11_10

from hotline.terms import Channel

TicketId = NewType("TicketId", int)
TicketNumber = NewType("TicketNumber", str)
DepartmentCode = NewType("DepartmentCode", str)
StaffName = NewType("StaffName", str)

CHANNEL_DIGITS: dict[Channel, int] = {
    Channel.CALL: 1, Channel.WECHAT: 2, Channel.WEB: 3, Channel.APP: 4, Channel.POLICE: 5,
    Channel.CITY: 6, Channel.PORTAL: 7,
}
_NUMBER = re.compile(r"[A-Z]{2}[0-9]{8}[1-9][0-9]{7,}")


def ticket_number(prefix: str, day: date, channel: Channel, sequence: int) -> TicketNumber:
    """Build a ticket number.

    Args:
        prefix: two capital letters of the city, `DG` for Dongguan.
        sequence: the day's running number, ≥ 0; from a million on the number grows by a digit.
    """
    digits = f"{day:%Y%m%d}{CHANNEL_DIGITS[channel]}{sequence:06d}"
    return TicketNumber(f"{prefix}{digits}{mod_11_10.calc_check_digit(digits)}")


def is_ticket_number(text: str) -> bool:
    """Tell whether `text` is a well-formed number with a right check digit."""
    return _NUMBER.fullmatch(text) is not None and bool(mod_11_10.is_valid(text[2:]))
