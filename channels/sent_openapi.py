"""What we send to others – 110's desk, the gateway for SMS, the app's push – as the OpenAPI document tells it. Pure.

Each goes to an address of the configuration; a webhook of the document has a name instead of a path.
"""

from __future__ import annotations

from typing import Any

from channels.openapi_document import Operation
from channels.police_codec import Outcome
from channels.sms_codec import Letter
from hotline.ports import DeskAnswer
from hotline.terms import Channel, Service

_JSON = "application/json"
_SIGNED = ("timestamp", "hmac", "key")
_TEXT = {"type": "string"}
_CITIZEN: dict[str, Any] = {
    "type": "object", "required": ["name", "phone"], "additionalProperties": False,
    "properties": {"name": _TEXT, "phone": {"type": "string", "description": "E.164, empty where none was told"}},
}
_DEGREES = {"type": ["number", "null"]}
_PLACE: dict[str, Any] = {
    "type": "object", "additionalProperties": False,
    "required": ["town", "village", "grid", "address", "lat", "lon", "datum"],
    "properties": {
        "town": _TEXT, "village": _TEXT, "grid": _TEXT, "address": _TEXT, "lat": _DEGREES, "lon": _DEGREES,
        "datum": {"type": "string", "description": "what lat and lon are counted by: GCJ-02"},
    },
}
_ALWAYS: dict[str, Any] = {
    "number": {"type": "string", "description": "工单号"},
    "channel": {"type": "string", "enum": [channel.value for channel in Channel]},
    "occurred_at": {"type": "string", "format": "date-time", "description": "when it was handed off"},
    "services": {"type": "array", "items": {"type": "string", "enum": [service.value for service in Service]}},
    "text": {"type": "string", "description": "the appeal; behind 补充: what raised the verdict later"},
    "title": _TEXT,
    "happened_at": {"type": "string", "description": "when it happened, as it was told"},
    "about": {"type": "string", "description": "被反映对象, as it was told"},
    "evidence": {"type": "string", "description": "the words of danger"},
    "risk_alert": {"type": "boolean", "description": "群体性事件"}, "citizen": _CITIZEN, "place": _PLACE,
}
INCIDENT: dict[str, Any] = {
    "type": "object", "additionalProperties": False, "required": [*_ALWAYS],
    "properties": _ALWAYS | {
        "speaker": {"type": "string", "description": "工单号 of the merged ticket whose citizen said it"},
        "leading": {
            "type": "object", "required": ["citizen", "place"], "additionalProperties": False,
            "properties": {"citizen": _CITIZEN, "place": _PLACE}, "description": "those of the pushed ticket itself",
        },
    },
}
WEBHOOKS: tuple[Operation, ...] = (
    Operation(
        method="post", path="incident", tag="110", parameters=_SIGNED, body={_JSON: INCIDENT},
        answers={200: (_JSON, DeskAnswer)},
        summary="POST {police_url}/incidents: an emergency; the same key may come again and is one incident. What is "
        "answered otherwise is tried again",
    ),
    Operation(
        method="post", path="outcome", tag="110", parameters=_SIGNED, body={_JSON: Outcome}, answers={204: ("", None)},
        summary="POST {police_url}/outcomes: what became of a transfer; 2xx takes it",
    ),
    Operation(
        method="post", path="letter", tag="短信", parameters=_SIGNED, body={_JSON: Letter}, answers={204: ("", None)},
        summary="POST {sms_url} or {push_url}: a notice to a citizen; 2xx takes it",
    ),
)
