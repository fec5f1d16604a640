"""What the routes of figures share: who sees whose, and reading a question from the query."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date

from aiohttp import web

from agent_ui.staff import Staff, StaffRole
from hotline.errors import Forbidden, InvalidInput
from hotline.metric_views import By, Question

Session = Callable[[web.Request], Awaitable[Staff]]
_NARROWED = ("department", "town", "channel", "kind", "agent")


def department_of(staff: Staff) -> str:
    """Return to whose figures somebody is limited, "" for none; raises Forbidden."""
    if staff.role in (StaffRole.AGENT, StaffRole.SUPERVISOR):
        return ""
    if staff.role is StaffRole.DEPARTMENT:
        return staff.department
    raise Forbidden(f"the role {staff.role} sees no figures")


def question_of(request: web.Request, *, today: date, department: str = "") -> Question:
    """Read a question from the query; without days it is today's. Raises InvalidInput, Forbidden."""
    query = request.query
    last = _day(query.get("to")) or today
    given = {name: query.get(name, "") for name in _NARROWED}
    if department and given["department"] not in ("", department):
        raise Forbidden("a department sees its own figures")
    given["department"] = department or given["department"]
    try:
        by = By(query.get("by", By.TOTAL))
    except ValueError as error:
        raise InvalidInput(f"by is one of {', '.join(By)}") from error
    if department and (by is By.AGENT or given["agent"]):
        raise Forbidden("a department sees its own figures, not those of agents")
    return Question(first=_day(query.get("from")) or last, last=last, by=by, **given).checked()


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no day such as 2026-10-31") from error


def whole(text: str | None, default: int, most: int) -> int:
    """Return a whole number of the query from 1 to `most`; raises InvalidInput."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20) or not 1 <= int(text) <= most:
        raise InvalidInput(f"{text[:40]!r} is no whole number from 1 to {most}")
    return int(text)
