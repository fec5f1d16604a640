"""Who may use what: one table for the HTTP routes, one for what consoles ask. Pure.

The gate (`agent_ui.gate`) and `agent_ui.requests` hold everybody to it before anything else is looked at; what is not
in it is refused, and a test walks the real routes. What a role may do with one ticket is decided with that ticket
(`hotline.permissions`, `agent_ui.staff`).

The three administrators are separated (等保三级): the system administrator sets the house up and proposes people, the
security administrator grants roles, resets and locks, the audit administrator reads what all have done. None of them
sees a ticket, and none can do another's work.
"""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

from agent_ui import protocol as p
from agent_ui.staff import Staff, StaffRole
from hotline.errors import Forbidden

AGENT, SUPERVISOR, DEPARTMENT = StaffRole.AGENT, StaffRole.SUPERVISOR, StaffRole.DEPARTMENT
SYSTEM, SECURITY, AUDIT = StaffRole.SYSTEM_ADMIN, StaffRole.SECURITY_ADMIN, StaffRole.AUDIT_ADMIN


class Door(StrEnum):
    """How one gets in."""

    PUBLIC = "public"
    """Anybody; where it costs something, limited by address. Number and code, or a signed link, open single tickets."""
    CREDENTIAL = "credential"
    """Who holds a secret that is no member of staff's: an app, a unit's system, the operation centre, 110, WeChat."""
    OWN = "own"
    """Whoever has logged in, for their own account, also before a duty is done (a new password, a second factor)."""
    STAFF = "staff"
    """Members of staff of these roles."""


class Access(msgspec.Struct, frozen=True):
    """Who may use a route; `roles` where staff may."""

    door: Door
    roles: frozenset[StaffRole] = frozenset()


def staff(*roles: StaffRole) -> Access:
    """Return that these roles may."""
    return Access(Door.STAFF, frozenset(roles))


PUBLIC, CREDENTIAL, OWN = Access(Door.PUBLIC), Access(Door.CREDENTIAL), Access(Door.OWN, frozenset(StaffRole))
CENTRE, WORK = staff(AGENT, SUPERVISOR), staff(AGENT, SUPERVISOR, DEPARTMENT)


def of_host(origin: str, host: str, *, port: bool = False) -> bool:
    """Tell whether an `Origin` is a page of the host that was asked; `port`: of the same port too.

    The console's WebSocket has a port of its own, so there the name must do.
    """
    try:
        there, here = urlsplit(origin), urlsplit(f"//{host}")
    except ValueError:
        return False
    if not host or there.scheme not in ("http", "https"):
        return False
    return there.netloc == here.netloc if port else there.hostname == here.hostname


_CENTRE, _WORK = CENTRE.roles, WORK.roles
REQUESTS: dict[type[p.Ask], frozenset[StaffRole]] = {
    p.TakeSnapshot: _WORK, p.RunCommand: _WORK, p.Open: _WORK, p.Search: _WORK, p.Consult: _WORK,
    p.ReadArticle: _WORK, p.SetPresence: _CENTRE, p.PhoneAppeal: _CENTRE, p.OrderCall: _CENTRE,
    p.MergeTickets: _CENTRE, p.TakeCallback: _CENTRE, p.GiveBackCallback: _CENTRE, p.RecordCallback: _CENTRE,
    p.DialCall: _CENTRE, p.ReadCall: _CENTRE, p.ReadFloor: frozenset({SUPERVISOR}),
    p.FindSimilar: _CENTRE, p.DismissSimilar: _CENTRE, p.ListHotSpots: _CENTRE, p.NextFollowUp: _CENTRE,
    p.ReadTerms: _WORK, p.Propose: _CENTRE, p.Explain: _CENTRE, p.Look: _CENTRE,
}
"""What a console asks → whose. Following topics is `agent_ui.staff.check_topic`'s."""


def check_request(asking: Staff, kind: type[p.Ask]) -> None:
    """Raise Forbidden unless this role may ask this."""
    if kind not in REQUESTS:
        raise Forbidden(f"nobody has said who may ask for {kind.__name__}: say it in agent_ui/access.py")
    if asking.role not in REQUESTS[kind]:
        raise Forbidden(f"the role {asking.role} may not ask for {kind.__struct_config__.tag}")
