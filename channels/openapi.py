"""Every route of the channels as the OpenAPI document tells it. A test compares this table with the routes."""

from __future__ import annotations

from typing import Any

import msgspec

from channels import open311_openapi
from channels.appeal_codec import AppealAnswer, AppealBody
from channels.chat_codec import Ack, Failed, Hello, Line, QueuePlace, Say, Welcome
from channels.form_codec import FIELDS, KEY_FIELD
from channels.open311_codec import MAX_PAGE, MAX_PAGES, PAGE, SPAN
from channels.openapi_document import Operation, Vocabulary, document
from channels.phone_codec import CallAppealBody
from channels.police_codec import IncidentUpdate, TransferBody
from channels.rating_page import LinkRating
from channels.sent_openapi import WEBHOOKS
from channels.ticket_codec import MessageBody, RatingBody, UrgeBody, WithdrawalBody
from channels.views import Progress
from hotline.appeal import Attachment
from hotline.terms import Rating

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


def _parameter(name: str, place: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name, "in": place, "required": required or place == "path", "description": description,
        "schema": {"type": "string"},
    }


PARAMETERS: dict[str, dict[str, Any]] = {
    "key": _parameter("Idempotency-Key", "header", "1–200 printable ASCII characters; a repeat gets the first answer"),
    "number": _parameter("number", "path", "工单号"),
    "code": _parameter("code", "query", "查询码; in a POST it may stand in the body"),
    "name": _parameter("name", "query", "file name, for people"),
    "timestamp": _parameter("X-Timestamp", "header", "Unix seconds, at most five minutes off", required=True),
    "hmac": _parameter(
        "X-Signature", "header", "hex HMAC-SHA256 over X-Timestamp, a dot, and the body", required=True),
    "incident": _parameter("key", "path", "Idempotency-Key of the push"),
    "signature": _parameter("signature", "query", "SHA-1 over token, timestamp and nonce, sorted"),
    "wx_timestamp": _parameter("timestamp", "query", "as WeChat sends it"),
    "nonce": _parameter("nonce", "query", "as WeChat sends it"),
    "echostr": _parameter("echostr", "query", "sent back as it is"),
    "encrypt_type": _parameter("encrypt_type", "query", "aes in 安全模式 and 兼容模式"),
    "msg_signature": _parameter("msg_signature", "query", "the signature over the cipher text too"),
    "form": _parameter("form", "path", "json or xml") | {"schema": {"type": "string", "enum": ["json", "xml"]}},
    "service": _parameter("code", "path", "service_code"),
    "token": _parameter("token", "path", "token of a POST"),
    "link": _parameter("token", "path", "what stands after /r/ in the link"),
    "jurisdiction": _parameter("jurisdiction_id", "query", "the city's code"),
    "unit": _parameter("unit", "path", "承办单位, as the dispatch directory names it"),
    "delivery_id": _parameter("X-Delivery-Id", "header", "the same in every attempt: take it once", required=True),
    "proposal": _parameter("id", "path", "number of a proposal to the dispatch directory"),
    "file_key": _parameter("key", "path", "key of an attachment"),
    "delivery": _parameter("id", "path", "X-Delivery-Id of a webhook"),
    "delivery_state": _parameter("state", "query", "dead (the default), pending or sent"),
    "of_unit": _parameter("unit", "query", "of one unit only"),
    "act_key": _parameter("Idempotency-Key", "header", "as `key`, but needed", required=True),
    "of_number": _parameter("number", "query", "工单号"),
    **{name: _parameter(name, "query", text) for name, text in {
        "from": "first day, 2026-10-01; default the last", "to": "last day; default today", "department": "承办单位",
        "by": "total, department, town, channel, category, l1, kind, agent, hour, day or month", "town": "镇街",
        "channel": "call, wechat, web, app or police", "kind": "诉求类型", "agent": "log-in name of an agent",
        "format": "json, csv or xlsx", "metric": "one of docs/metrics.md", "before": "`next` of the page before",
        "month": "2026-10; default the last whole month",
        "cursor": "`next` of the page before", "limit": "1 to 500", "since_version": "only events after it",
        "reason": "why personal data is to be seen in full; recorded with the ticket",
        "service_request_id": f"numbers, by comma, {MAX_PAGE} at most; all other parameters are then ignored",
        "service_code": "service codes, by comma",
        "start_date": f"ISO 8601 with zone; default {SPAN.days} days before end_date",
        "end_date": "ISO 8601 with zone; default now",
        "status": "open, closed, or both by comma", "page": f"1 (the default) to {MAX_PAGES}; an empty one is the end",
        "api_key": "an app's secret; without one an address is limited",
        "page_size": f"1 to {MAX_PAGE}, default {PAGE}",
    }.items()},
}
SECURITY: dict[str, Any] = {
    "app": {"type": "http", "scheme": "bearer", "description": "token of an app; without it the route is the public's"},
    "unit": {"type": "http", "scheme": "bearer", "description": "token of a unit's own system"},
    "ioc": {"type": "http", "scheme": "bearer", "description": "read-only token of the operation centre (ioc_tokens)"},
    "staff": {"type": "apiKey", "in": "cookie", "name": "hotline_session", "description": "the console's session"},
}
_FORM_BODY: dict[str, Any] = {
    "type": "object", "required": ["text"],
    "properties": {name: {"type": "string"} for name in (*FIELDS, KEY_FIELD)},
}
_RATING_FORM: dict[str, Any] = {
    "type": "object", "required": ["rating"],
    "properties": {
        "rating": {"type": "string", "enum": [level.value for level in Rating]},
        "solved": {"type": "string", "enum": ["yes", "no"]}, "note": {"type": "string"},
    },
}
_FILES = {"file": {"type": "array", "items": {"type": "string", "contentMediaType": "application/octet-stream"}}}
_MULTIPART_BODY = _FORM_BODY | {"properties": _FORM_BODY["properties"] | _FILES}
_TAKEN = {201: (JSON, AppealAnswer), 200: (JSON, AppealAnswer)}
_INTAKE_ERRORS = ("idempotency_key_reused", "overloaded", "unavailable", "unsupported_media_type")
_TICKET_ERRORS = ("not_found", "unauthenticated", "rate_limited", "illegal_transition")
_WX = ("signature", "wx_timestamp", "nonce")
_XML_TEXT = {"text/xml": {"type": "string", "description": "the XML of WeChat's documentation, plain or encrypted"}}
_ANSWER = {"type": "string", "description": "the answer, or `success` as text/plain where there is none"}
_TICKET = "/api/v1/tickets/{number}"


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="post", path="/api/v1/appeals", tag="诉求", security=("app", ""), parameters=("key",), answers=_TAKEN,
        summary="Send an appeal (with a token as an app, without as the public)",
        body={JSON: AppealBody, FORM: _FORM_BODY, MULTIPART: _MULTIPART_BODY},
        errors=("unauthenticated", "rate_limited", "not_found", *_INTAKE_ERRORS),
    ),
    Operation(
        method="post", path="/api/v1/attachments", tag="诉求", security=("app", ""), parameters=("name",),
        summary="Keep a file for a later appeal", answers={201: (JSON, Attachment)},
        body={"application/octet-stream": {"type": "string", "contentMediaType": "application/octet-stream"}},
        errors=("unauthenticated", "rate_limited", "unsupported_media_type"),
    ),
    Operation(
        method="get", path=_TICKET, tag="工单", security=("app", ""), parameters=("number", "code"),
        summary="How a ticket stands", answers={200: (JSON, Progress)}, errors=_TICKET_ERRORS[:3],
    ),
    Operation(
        method="post", path=f"{_TICKET}/messages", tag="工单", security=("app", ""), summary="Add to a ticket",
        parameters=("number", "code", "key"), body={JSON: MessageBody}, answers=_TAKEN,
        errors=(*_TICKET_ERRORS, *_INTAKE_ERRORS),
    ),
    Operation(
        method="post", path=f"{_TICKET}/urges", tag="工单", security=("app", ""), parameters=("number", "code"),
        summary="催办: once in 24 hours for a matter, while it is open (else 429 with Retry-After)",
        body={JSON: UrgeBody}, answers={200: (JSON, Progress)}, errors=_TICKET_ERRORS,
    ),
    Operation(
        method="post", path=f"{_TICKET}/rating", tag="工单", security=("app", ""), summary="好差评",
        parameters=("number", "code"), body={JSON: RatingBody}, answers={200: (JSON, Progress)}, errors=_TICKET_ERRORS,
    ),
    Operation(
        method="post", path=f"{_TICKET}/withdrawal", tag="工单", security=("app", ""), summary="撤单",
        parameters=("number", "code"), body={JSON: WithdrawalBody}, answers={200: (JSON, Progress)},
        errors=_TICKET_ERRORS,
    ),
    Operation(
        method="post", path="/api/v1/ratings/{token}", tag="工单", summary="好差评 by a signed link (SMS, WeChat, app)",
        parameters=("link",), body={JSON: LinkRating, FORM: _RATING_FORM}, answers={200: (JSON, Progress)},
        errors=("not_found", "illegal_transition", "unsupported_media_type"),
    ),
    Operation(
        method="post", path="/api/v1/calls/appeals", tag="电话", security=("staff",), answers=_TAKEN,
        summary="An agent opens a ticket from a call", body={JSON: CallAppealBody},
        errors=("unauthenticated", "forbidden", "not_found", *_INTAKE_ERRORS),
    ),
    Operation(
        method="post", path="/api/v1/police/transfers", tag="110", parameters=("timestamp", "hmac", "key"),
        summary="A non-police transfer from 110, signed", body={JSON: TransferBody}, answers=_TAKEN,
        errors=("unauthenticated", "replayed", *_INTAKE_ERRORS),
    ),
    Operation(
        method="post", path="/api/v1/police/incidents/{key}", tag="110", parameters=("incident", "timestamp", "hmac"),
        summary="What 110 tells of an incident that we pushed, signed", body={JSON: IncidentUpdate},
        answers={204: ("", None)}, errors=("unauthenticated", "not_found", "illegal_transition", "rule_violation"),
    ),
    Operation(
        method="get", path="/chat", tag="网站",
        summary="Chat over WebSocket: Hello, Say → Welcome, Line, Ack, QueuePlace, Failed",
        answers={101: (JSON, {"type": "string"})}, errors=("overloaded",),
    ),
    Operation(
        method="get", path="/wechat", tag="微信公众号", summary="WeChat verifies the address", errors=("forbidden",),
        parameters=(*_WX, "echostr"), answers={200: ("text/plain", {"type": "string"})},
    ),
    Operation(
        method="post", path="/wechat", tag="微信公众号", summary="A message or an event", body=_XML_TEXT,
        parameters=(*_WX, "encrypt_type", "msg_signature"), answers={200: ("text/xml", _ANSWER)},
        errors=("forbidden",),
    ),
    *open311_openapi.OPERATIONS,
)
VOCABULARY = Vocabulary(
    parameters=PARAMETERS, security=SECURITY, types=(Hello, Say, Welcome, Line, Ack, QueuePlace, Failed)
)


def rendered(
    *extra: Operation, types: tuple[type, ...] = (), webhooks: tuple[Operation, ...] = (), version: str = "1"
) -> bytes:
    """Return the document of all channels, of `extra` operations, `webhooks` and `types` beside the routes, as JSON."""
    vocabulary = msgspec.structs.replace(VOCABULARY, types=(*VOCABULARY.types, *types))
    told = document(
        (*OPERATIONS, *extra), vocabulary, title="12345 hotline", version=version,
        webhooks=(*WEBHOOKS, *webhooks),
        description="Errors are problem+json (RFC 9457) with a stable `error_id`; Open311 has its own form of errors.",
    )
    return msgspec.json.encode(told)
