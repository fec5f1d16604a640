"""Who sits at a console, and what they may see. Pure.

Three administrators are separated from the work itself (等保三级): none of them sees tickets.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hotline import commands as c
from hotline.errors import Forbidden, InvalidInput
from hotline.events import Actor, Role
from hotline.feed import CALLBACK_TOPIC, PRESENCE_TOPIC
from hotline.summary import Summary


class StaffRole(StrEnum):
    """Roles of an account; the three administrators manage the system and see no tickets."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    DEPARTMENT = "department"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


class Staff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A member of staff. `department` is the unit's name, only for the role `department`."""

    name: str
    display_name: str
    role: StaffRole
    department: str = ""


_ACTING = {
    StaffRole.AGENT: Role.AGENT, StaffRole.SUPERVISOR: Role.SUPERVISOR, StaffRole.DEPARTMENT: Role.DEPARTMENT,
}
_CENTRE_TOPICS = frozenset({"centre", "emergency", "alarms", "supervised", PRESENCE_TOPIC, CALLBACK_TOPIC})
_PLAIN_TOPICS = _CENTRE_TOPICS | {"tickets"}
_NAMED_TOPICS = ("ticket:", "department:", "agent:")


def acting_role(staff: Staff) -> Role:
    """Return the role in which they act on tickets; raises Forbidden for an administrator."""
    if staff.role not in _ACTING:
        raise Forbidden(f"the role {staff.role} does not work on tickets")
    return _ACTING[staff.role]


def actor_of(staff: Staff) -> Actor:
    """Return who an event names: the person, or for a department the unit. Raises Forbidden."""
    role = acting_role(staff)
    return Actor(role, staff.department if role is Role.DEPARTMENT else staff.name)


def check_topic(staff: Staff, topic: str) -> None:
    """Check that they may follow a topic.

    A department follows its own tickets, an agent the centre's lists and their own, a supervisor everything.

    Raises:
        InvalidInput: there is no such topic.
        Forbidden: there is, but not for them.
    """
    if topic not in _PLAIN_TOPICS and not any(topic.startswith(n) and topic != n for n in _NAMED_TOPICS):
        raise InvalidInput(f"there is no topic {topic!r}; topics are {', '.join(sorted(_PLAIN_TOPICS))}, "
                           "ticket:NUMBER, department:NAME and agent:NAME")
    if not _may_follow(staff, topic):
        raise Forbidden(f"{staff.name} ({staff.role}) may not follow {topic}")


def _may_follow(staff: Staff, topic: str) -> bool:
    match staff.role:
        case StaffRole.SUPERVISOR:
            return True
        case StaffRole.AGENT:
            return topic in _CENTRE_TOPICS or topic == f"agent:{staff.name}" or topic.startswith("ticket:")
        case StaffRole.DEPARTMENT:
            return topic == f"department:{staff.department}"
        case StaffRole.SYSTEM_ADMIN | StaffRole.SECURITY_ADMIN | StaffRole.AUDIT_ADMIN:
            return False


def check_ticket(staff: Staff, summary: Summary) -> None:
    """Raise Forbidden unless they may open this ticket."""
    role = acting_role(staff)
    if role is Role.DEPARTMENT and staff.department not in (summary.lead, *summary.assisting):
        raise Forbidden(f"ticket {summary.number} is not one of {staff.department}")


def check_command(staff: Staff, command: c.Command) -> None:
    """Raise Forbidden for a claim in somebody else's name, except by a supervisor, who assigns.

    What a role may do on a ticket is decided with the ticket under its lock (`hotline.service.check_permitted`).
    """
    acting_role(staff)
    if isinstance(command, c.Claim) and staff.role is not StaffRole.SUPERVISOR and command.agent != staff.name:
        raise Forbidden("a ticket is claimed in one's own name; a supervisor may assign it to others")
