"""Personal data hidden by default (domain.md section 8; GB/T 35273): 138****1234, 张*, 441900********1234. Pure.

A full view needs a reason, which is recorded with the ticket. 举报 and confidential tickets hide the citizen from the
handling department whatever the reason.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from agent_ui.staff import Staff, StaffRole
from hotline.terms import Kind
from hotline.ticket import Ticket

_MOBILE = re.compile(r"(?<![0-9A-Za-z])((?:\+?86[- ]?)?1[3-9]\d)[- ]?\d{4}[- ]?(\d{4})(?![0-9A-Za-z])")
_LANDLINE = re.compile(r"(?<![0-9A-Za-z])((?:\+86[- ]?|0)\d{2,3}[- ]?)\d{4}(\d{3,4})(?![0-9A-Za-z])")
_ID = re.compile(r"(?<![0-9A-Za-z])(\d{6})\d{8}(\d{3}[0-9Xx])(?![0-9A-Za-z])")
T = TypeVar("T", bound=msgspec.Struct)


def mask_text(text: str) -> str:
    """Hide telephone numbers and identity documents that stand in a text."""
    text = _ID.sub(r"\1********\2", text)
    text = _MOBILE.sub(r"\1****\2", text)
    return _LANDLINE.sub(r"\1****\2", text)


def mask_name(name: str) -> str:
    """Keep the family name: 张三 → 张*."""
    return name[:1] + "*" * (len(name) > 0)


def _mask_key(key: str) -> str:
    masked = mask_text(key)
    return masked if masked != key else key[:3] + "*" * (len(key) > 3)


def _citizen(value: dict[str, Any]) -> dict[str, Any]:
    rules = {"name": mask_name, "phone": mask_text, "key": _mask_key}
    return {name: rules[name](text) if name in rules else text for name, text in value.items()}


def _masked(value: Any) -> Any:
    match value:
        case str():
            return mask_text(value)
        case dict():
            return {key: _citizen(item) if key == "citizen" else _masked(item) for key, item in value.items()}
        case list() | tuple():
            return [_masked(item) for item in value]
        case _:
            return value


def masked(value: T) -> T:
    """Return a ticket, an event or any other frozen value with personal data hidden in every text."""
    return msgspec.convert(_masked(msgspec.to_builtins(value)), type(value))


def may_see_citizen(staff: Staff, ticket: Ticket) -> bool:
    """Tell whether a reason may show the citizen in full to this person."""
    hidden = ticket.appeal.confidential or ticket.kind is Kind.REPORT
    return staff.role is not StaffRole.DEPARTMENT or not hidden
