"""Who may use each HTTP route. A new route is refused until it stands here. Pure; the words are `agent_ui.access`'s."""

from __future__ import annotations

from collections.abc import Mapping

from agent_ui.access import (
    AGENT,
    AUDIT,
    CENTRE,
    CREDENTIAL,
    DEPARTMENT,
    OWN,
    PUBLIC,
    SECURITY,
    SUPERVISOR,
    SYSTEM,
    WORK,
    Access,
    staff,
)
from hotline.errors import Forbidden

_LEADING = staff(SUPERVISOR)
_SETTING_UP = staff(SYSTEM)
_READ_SETUP = staff(SUPERVISOR, SYSTEM)
_SECURING = staff(SECURITY)
_AUDITING = staff(AUDIT)
_PEOPLE = staff(SYSTEM, SECURITY)
_WORK_AND_SETUP = staff(AGENT, SUPERVISOR, DEPARTMENT, SYSTEM)

_PAGES: dict[str, Access] = {
    "GET /": PUBLIC, "GET /favicon.svg": PUBLIC, "GET /assets/{name}": PUBLIC, "GET /r/{token}": PUBLIC,
    **{f"GET /{area}{rest}": PUBLIC for area in ("console", "desk", "board", "admin", "login")
       for rest in ("", "/{tail}")},
}
_CITIZENS: dict[str, Access] = {
    "POST /api/v1/appeals": PUBLIC, "POST /api/v1/appeals/look": PUBLIC, "POST /api/v1/attachments": PUBLIC,
    "GET /api/v1/towns": PUBLIC, "GET /api/v1/tickets/{number}": PUBLIC,
    "POST /api/v1/tickets/{number}/joins": PUBLIC, "POST /api/v1/tickets/{number}/messages": PUBLIC,
    "POST /api/v1/tickets/{number}/urges": PUBLIC,
    "POST /api/v1/tickets/{number}/rating": PUBLIC, "POST /api/v1/tickets/{number}/withdrawal": PUBLIC,
    "POST /api/v1/ratings/{token}": PUBLIC, "GET /chat": PUBLIC,
    "GET /api/v1/wishes": PUBLIC, "GET /api/v1/wishes/{number}": PUBLIC,
    "GET /open311/v2/services.{form}": PUBLIC, "GET /open311/v2/services/{code}.{form}": PUBLIC,
    "POST /open311/v2/requests.{form}": PUBLIC, "GET /open311/v2/requests.{form}": PUBLIC,
    "GET /open311/v2/requests/{number}.{form}": PUBLIC, "GET /open311/v2/tokens/{token}.{form}": PUBLIC,
}
_SYSTEMS: dict[str, Access] = {
    "GET /wechat": CREDENTIAL, "POST /wechat": CREDENTIAL,
    "POST /api/v1/police/transfers": CREDENTIAL, "POST /api/v1/police/incidents/{key}": CREDENTIAL,
    "GET /api/v1/ioc/live": CREDENTIAL, "GET /api/v1/ioc/hot-spots": CREDENTIAL, "GET /api/v1/ioc/stream": CREDENTIAL,
    "POST /api/v1/neighbours/{code}/hand-overs": CREDENTIAL, "POST /api/v1/neighbours/{code}/updates": CREDENTIAL,
    **{f"POST /api/v1/portal/{act}": CREDENTIAL for act in (
        "appeals", "tickets", "progress", "messages", "ratings", "withdrawals")},
    "POST /api/v1/wishes": CREDENTIAL, "POST /api/v1/wishes/{number}/pledges": CREDENTIAL,
    "POST /api/v1/wishes/{number}/ends": CREDENTIAL, "GET /api/v1/export/tickets": CREDENTIAL,
    "GET /api/v1/units/{unit}/tickets": CREDENTIAL, "GET /api/v1/units/{unit}/tickets/{number}": CREDENTIAL,
    "POST /api/v1/units/{unit}/tickets/{number}/commands": CREDENTIAL,
    "GET /api/v1/units/{unit}/tickets/{number}/attachments/{key}": CREDENTIAL,
    "POST /api/v1/units/{unit}/attachments": CREDENTIAL, "GET /api/v1/units/{unit}/deliveries": CREDENTIAL,
    "POST /api/v1/units/{unit}/deliveries/{id}/resend": CREDENTIAL,
}
_RUNNING: dict[str, Access] = {
    "GET /healthz": PUBLIC, "GET /readyz": PUBLIC, "GET /metrics": PUBLIC, "GET /openapi.json": PUBLIC,
}
_IDENTITY: dict[str, Access] = {
    "POST /api/v1/login": PUBLIC, "GET /api/v1/sso": PUBLIC, "GET /api/v1/sso/start": PUBLIC,
    "GET /api/v1/sso/callback": PUBLIC, "GET /api/v1/session": OWN, "POST /api/v1/logout": OWN,
    "POST /api/v1/account/password": OWN, "POST /api/v1/account/second-factor": OWN,
    "PUT /api/v1/account/second-factor": OWN, "POST /api/v1/account/second-factor/removal": OWN,
    "POST /api/v1/account/recovery-codes": OWN, "GET /api/v1/account/sessions": OWN,
    "DELETE /api/v1/account/sessions/{id}": OWN, "DELETE /api/v1/account/sessions": OWN,
}
_WORK_ROUTES: dict[str, Access] = {
    "POST /api/v1/console-ticket": WORK, "POST /api/v1/calls/appeals": CENTRE,
    "POST /api/v1/staff/attachments": WORK, "GET /api/v1/staff/tickets/{number}/attachments/{key}": WORK,
    "GET /api/v1/staff/tickets/{number}/calls": CENTRE, "GET /api/v1/staff/calls/{call}/recording": CENTRE,
    "GET /api/v1/figures": WORK, "GET /api/v1/figures/live": WORK, "GET /api/v1/figures/report": CENTRE,
    "GET /api/v1/figures/exclusions": staff(SUPERVISOR, AUDIT), "POST /api/v1/figures/exclusions": _LEADING,
    "GET /api/v1/figures/tickets": WORK, "GET /api/v1/figures/standing": WORK, "GET /api/v1/figures/calls": CENTRE,
    "GET /api/v1/figures/heat": CENTRE, "GET /api/v1/hot-spots": CENTRE, "GET /api/v1/hot-spots/texts": CENTRE,
    "GET /api/v1/terms": WORK, "GET /api/v1/board": CENTRE, "GET /api/v1/board/stream": CENTRE,
    "GET /api/v1/nuisance/marks": _LEADING, "POST /api/v1/nuisance/marks": _LEADING,
    "POST /api/v1/nuisance/lifts": _LEADING, "POST /api/v1/nuisance/evidence": _LEADING,
    "GET /api/v1/nuisance/marks/{id}/case": _LEADING, "GET /api/v1/nuisance/tickets/{number}/case": _LEADING,
}
_KNOWLEDGE: dict[str, Access] = {
    f"{method} /api/v1/knowledge/{path}": access for method, path, access in (
        ("GET", "search", WORK), ("POST", "suggestions", WORK), ("GET", "articles", WORK), ("GET", "overdue", WORK),
        ("GET", "articles/{id}", WORK), ("POST", "articles", staff(SUPERVISOR, DEPARTMENT)),
        ("PUT", "articles/{id}", staff(SUPERVISOR, DEPARTMENT)), ("POST", "articles/{id}/publication", _LEADING),
        ("POST", "articles/{id}/withdrawal", _LEADING), ("POST", "articles/{id}/review", _LEADING),
    )
}
_DIRECTORY: dict[str, Access] = {
    "GET /api/v1/directory/versions": _WORK_AND_SETUP, "GET /api/v1/directory/versions/{version}": _WORK_AND_SETUP,
    "GET /api/v1/directory/diff": _WORK_AND_SETUP, "GET /api/v1/directory/history": _WORK_AND_SETUP,
    "GET /api/v1/directory/proposals": WORK, "GET /api/v1/directory/proposals/{id}": _LEADING,
    "PUT /api/v1/directory/versions/{version}": _READ_SETUP,
    "DELETE /api/v1/directory/versions/{version}": _READ_SETUP,
    "POST /api/v1/directory/adoptions": _LEADING, "POST /api/v1/directory/proposals/{id}/dismissal": _LEADING,
}
_PRIVACY: dict[str, Access] = {
    "POST /api/v1/persons/export": _LEADING, "POST /api/v1/persons/erasure": _LEADING,
    "GET /api/v1/persons/holds": _LEADING, "POST /api/v1/persons/holds": _LEADING,
    "POST /api/v1/persons/holds/{id}/release": _LEADING,
}
_ADMINISTRATION: dict[str, Access] = {
    "GET /api/v1/audit": _AUDITING, "GET /api/v1/audit/commands": _AUDITING, "GET /api/v1/audit/chain": _AUDITING,
    "POST /api/v1/audit/chain": _AUDITING,
    "GET /api/v1/unit-systems": _SETTING_UP, "PUT /api/v1/unit-systems/{unit}": _SETTING_UP,
    "POST /api/v1/unit-systems/{unit}/secrets": staff(DEPARTMENT),
    "GET /api/v1/deliveries": _SETTING_UP, "POST /api/v1/deliveries/{id}/resend": _SETTING_UP,
    "GET /api/v1/people": _PEOPLE, "POST /api/v1/people": _SETTING_UP, "PUT /api/v1/people/{name}": _SETTING_UP,
    "PUT /api/v1/people/{name}/role": _SECURING, "POST /api/v1/people/{name}/lock": _SECURING,
    "POST /api/v1/people/{name}/unlock": _SECURING, "POST /api/v1/people/{name}/password": _SECURING,
    "DELETE /api/v1/people/{name}/second-factor": _SECURING, "GET /api/v1/people/{name}/sessions": _SECURING,
    "DELETE /api/v1/people/{name}/sessions": _SECURING,
    "PUT /api/v1/people/{name}/phone": _SETTING_UP,
    "GET /api/v1/setup/categories": _READ_SETUP, "GET /api/v1/setup/thresholds": _READ_SETUP,
    "GET /api/v1/setup/calendar": _WORK_AND_SETUP, "PUT /api/v1/setup/calendar": _SETTING_UP,
    "GET /api/v1/setup/queues": _READ_SETUP, "PUT /api/v1/setup/queues": _SETTING_UP,
    "GET /api/v1/setup/models": _READ_SETUP, "GET /api/v1/setup/security": _SECURING,
    "GET /api/v1/setup/access": staff(SECURITY, AUDIT),
}
ROUTES: Mapping[str, Access] = {
    **_PAGES, **_CITIZENS, **_SYSTEMS, **_RUNNING, **_IDENTITY, **_WORK_ROUTES, **_KNOWLEDGE, **_DIRECTORY,
    **_ADMINISTRATION, **_PRIVACY,
}
"""`METHOD /path` → who may."""


NOWHERE = "/open311/v2/{tail}"
"""Where Open311 has no resource, whatever the method: told as 404 or 405 in its own form, to everybody."""


def access_of(method: str, path: str) -> Access:
    """Return who may use a route; raises Forbidden where nobody has said so."""
    access = PUBLIC if path == NOWHERE else ROUTES.get(f"{method} {path}")
    if access is None:
        raise Forbidden(f"nobody has said who may use {method} {path}: say it in agent_ui/routes.py")
    return access
