"""The routes of Open311 as the OpenAPI document tells them, with every field of what they take and answer. Pure."""

from __future__ import annotations

from typing import Any

from channels.openapi_document import FORM, JSON, Operation

_TEXT, _YES = {"type": "string"}, {"type": "boolean"}
_DEGREES = {"type": ["number", "null"], "description": "null: coordinates are never shown"}
_MOMENT = {"type": "string", "format": "date-time"}


def _rows(**fields: dict[str, Any]) -> dict[str, Any]:
    """Return a list of rows of these fields; in XML each has its own element."""
    return {"type": "array", "items": _row(**fields)}


def _row(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": [*fields]}


def _optional(rows: dict[str, Any], *names: str) -> dict[str, Any]:
    required = [name for name in rows["items"]["required"] if name not in names]
    return rows | {"items": rows["items"] | {"required": required}}


_SERVICES = _rows(
    service_code=_TEXT, service_name=_TEXT, description=_TEXT, metadata=_YES, type={"const": "realtime"},
    keywords=_TEXT, group=_TEXT,
)
_DEFINITION = _row(service_code=_TEXT, attributes=_rows(
    variable=_YES, code=_TEXT, datatype=_TEXT, required=_YES, datatype_description=_TEXT, order={"type": "integer"},
    description=_TEXT, values=_rows(key=_TEXT, name=_TEXT),
))
_NOTICE = {"type": "string", "description": "tells the query code"}
_NAMED = _rows(service_request_id=_TEXT, token=_TEXT, service_notice=_NOTICE, account_id=_TEXT)
_SENT = _optional(_NAMED, "service_request_id", "token")
_FOUND = _rows(service_request_id=_TEXT, token=_TEXT, service_notice=_NOTICE)
_REQUESTS = _rows(
    service_request_id=_TEXT, status={"enum": ["open", "closed"]}, status_notes=_TEXT, service_name=_TEXT,
    service_code=_TEXT, description={"const": ""}, agency_responsible=_TEXT, service_notice={"const": ""},
    requested_datetime=_MOMENT, updated_datetime=_MOMENT,
    expected_datetime={"type": "string", "description": "empty while a person decides"},
    address={"type": "string", "description": "the town"}, address_id={"const": ""}, zipcode={"const": ""},
    lat=_DEGREES, long=_DEGREES, media_url={"const": ""},
)
_BODY = {
    "type": "object", "required": ["service_code"],
    "properties": {name: {"type": "string"} for name in (
        "service_code", "jurisdiction_id", "api_key", "lat", "long", "address_string", "address_id", "description",
        "media_url", "email", "device_id", "account_id", "first_name", "last_name", "phone", "attribute[town]", "token",
    )},
}


def _operation(
    method: str, path: str, summary: str, answer: dict[str, Any], *parameters: str, status: int = 200, **rest: Any
) -> Operation:
    return Operation(
        method=method, path=f"/open311/v2{path}.{{form}}", summary=summary, tag="Open311 GeoReport v2", problem=False,
        xml=True, parameters=(*parameters, "form", "jurisdiction"), answers={status: (JSON, answer)},
        errors=("not_found", *rest.pop("errors", ())), **rest,
    )


OPERATIONS: tuple[Operation, ...] = (
    _operation("get", "/services", "All services", _SERVICES),
    _operation("get", "/services/{code}", "A service's attributes", _DEFINITION, "service"),
    _operation(
        "post", "/requests", "Send a request", _SENT, "key", status=201, body={FORM: _BODY},
        errors=("forbidden", "rate_limited", "idempotency_key_reused", "overloaded", "unsupported_media_type"),
    ),
    _operation("get", "/tokens/{token}", "The number behind a token", _FOUND, "token"),
    _operation(
        "get", "/requests", "Public requests", _REQUESTS, "service_request_id", "service_code", "start_date",
        "end_date", "status", "page", "page_size", "api_key", errors=("rate_limited",),
    ),
    _operation(
        "get", "/requests/{number}", "One public request", _REQUESTS, "number", "api_key", errors=("rate_limited",),
    ),
)
