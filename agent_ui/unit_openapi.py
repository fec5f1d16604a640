"""The routes of units' own systems, of their administrator and of staff's files, as the OpenAPI document tells them."""

from __future__ import annotations

from typing import Any

from agent_ui.protocol import Opened
from agent_ui.unit_admin import SystemBody, SystemList
from agent_ui.unit_kit import DeliveryPage
from channels.openapi_document import Operation
from hotline.appeal import Attachment
from hotline.events import TicketEvent
from hotline.summary import Summary
from hotline.ticket import Ticket
from hotline.units import Address, Registered
from routing.unit_codec import ActAnswer, ActBody, UnitEvent, UnitPage

_JSON = "application/json"
_UNIT, _SYSTEMS, _STAFF, _BOOK = "/api/v1/units/{unit}", "/api/v1/unit-systems", "/api/v1/staff", "/api/v1/deliveries"
_OCTETS = "application/octet-stream"
_BYTES: dict[str, Any] = {_OCTETS: {"type": "string", "contentMediaType": _OCTETS}}
_FILE = {200: (_OCTETS, _BYTES[_OCTETS])}
_AUTH = ("unauthenticated", "forbidden")
_TAKING = ("unsupported_media_type",)
_ACTING = (
    "not_found", "illegal_transition", "rule_violation", "personal_data", "version_conflict", "idempotency_key_reused",
    "unsupported_media_type",
)


def _unit(
    method: str, path: str, summary: str, *parameters: str, errors: tuple[str, ...] = (), **rest: Any
) -> Operation:
    return Operation(
        method=method, path=f"{_UNIT}{path}", tag="承办单位系统", security=("unit",), summary=summary,
        parameters=("unit", *parameters), errors=(*_AUTH, *dict.fromkeys(("not_found", *errors))), **rest,
    )


def _admin(
    method: str, path: str, summary: str, *parameters: str, errors: tuple[str, ...] = (), **rest: Any
) -> Operation:
    return Operation(
        method=method, path=path, tag="承办单位系统登记", security=("staff",), summary=summary, parameters=parameters,
        errors=(*_AUTH, *errors), **rest,
    )


OPERATIONS: tuple[Operation, ...] = (
    _unit("get", "/tickets", "The unit's open tickets, then what happens to its tickets: ask again with `next`",
          "cursor", "limit", answers={200: (_JSON, UnitPage)}),
    _unit("get", "/tickets/{number}", "One ticket with its events; masked unless a reason is given", "number",
          "since_version", "reason", answers={200: (_JSON, Opened)}, errors=("not_found",)),
    _unit("post", "/tickets/{number}/commands", "签收, 首次联系, 办复, 退单, 延期, 请补充, 协办意见", "number",
          "act_key", body={_JSON: ActBody}, answers={200: (_JSON, ActAnswer)}, errors=_ACTING),
    _unit("post", "/attachments", "Keep a file, to be named by its key in a command", "name", body=_BYTES,
          answers={201: (_JSON, Attachment)}, errors=_TAKING),
    _unit("get", "/tickets/{number}/attachments/{key}", "A file of a ticket", "number", "file_key", answers=_FILE,
          errors=("not_found",)),
    _unit("get", "/deliveries", "The unit's webhooks, newest first", "delivery_state", "cursor", "limit",
          answers={200: (_JSON, DeliveryPage)}),
    _unit("post", "/deliveries/{id}/resend", "Try a webhook anew for 24 hours", "delivery", answers={204: ("", None)},
          errors=("not_found",)),
    _admin("get", _SYSTEMS, "All units' systems", answers={200: (_JSON, SystemList)}),
    _admin("put", f"{_SYSTEMS}/{{unit}}", "Register a unit's system, or change where it is", "unit",
           body={_JSON: SystemBody}, answers={200: (_JSON, Address)}, errors=("not_found",)),
    _admin("post", f"{_SYSTEMS}/{{unit}}/secrets", "The unit's own account makes its secrets anew; they are told once",
           "unit", answers={200: (_JSON, Registered)}, errors=("not_found",)),
    _admin("get", _BOOK, "Webhooks, newest first", "of_unit", "delivery_state", "cursor", "limit",
           answers={200: (_JSON, DeliveryPage)}),
    _admin("post", f"{_BOOK}/{{id}}/resend", "Try a webhook anew for 24 hours", "delivery", answers={204: ("", None)},
           errors=("not_found",)),
    Operation(
        method="post", path=f"{_STAFF}/attachments", tag="坐席", security=("staff",), parameters=("name",), body=_BYTES,
        summary="Keep a file, to be named by its key in a command", answers={201: (_JSON, Attachment)},
        errors=(*_AUTH, *_TAKING),
    ),
    Operation(
        method="get", path=f"{_STAFF}/tickets/{{number}}/attachments/{{key}}", tag="坐席", security=("staff",),
        parameters=("number", "file_key"), summary="A file of a ticket", answers=_FILE, errors=(*_AUTH, "not_found"),
    ),
)
WEBHOOKS: tuple[Operation, ...] = (
    Operation(
        method="post", path="ticket", tag="承办单位系统", summary="What happened to a ticket of a unit; 2xx takes it",
        parameters=("timestamp", "hmac", "delivery_id", "key"), body={_JSON: UnitEvent}, answers={204: ("", None)},
    ),
)
TYPES: tuple[type, ...] = (Summary, Ticket, TicketEvent)
"""Told beside the routes: what stands as finished JSON in `Opened`."""
