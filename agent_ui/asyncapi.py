"""The console protocol as AsyncAPI 3.0, generated from the types of `agent_ui.protocol`.

`python -m agent_ui.asyncapi` prints the document; `docs/asyncapi.json` is that, and a test says it is current.
"""

from __future__ import annotations

import sys
from typing import Any, get_args

import msgspec

from agent_ui.aids import Looking
from agent_ui.protocol import ConsoleFrame, ServerFrame
from hotline.events import TicketEvent
from hotline.summary import Summary
from hotline.ticket import Ticket
from routing.call_news import CallNews, CallWords

_REFS = "#/components/schemas/{name}"


def _message(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "name": str(kind.__struct_config__.tag), "title": kind.__name__, "contentType": "application/json",
        "summary": " ".join((kind.__doc__ or "").split()), "payload": {"$ref": _REFS.format(name=kind.__name__)},
    }


def _operation(action: str, kinds: tuple[type[msgspec.Struct], ...], summary: str) -> dict[str, Any]:
    return {
        "action": action, "channel": {"$ref": "#/channels/console"}, "summary": summary,
        "messages": [{"$ref": f"#/channels/console/messages/{kind.__name__}"} for kind in kinds],
    }


def document() -> dict[str, Any]:
    """Return the AsyncAPI document; `receive` and `send` are seen from the gateway."""
    asks, answers = get_args(ConsoleFrame), get_args(ServerFrame)
    _, schemas = msgspec.json.schema_components(
        [ConsoleFrame, ServerFrame, Summary, Ticket, TicketEvent, CallNews, CallWords, Looking], ref_template=_REFS
    )
    kinds = (*asks, *answers)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "12345 console", "version": "1.0.0",
            "description": "Console ↔ gateway over one WebSocket; see docs/console-protocol.md.",
        },
        "servers": {"gateway": {"host": "localhost:8081", "protocol": "ws"}},
        "defaultContentType": "application/json",
        "channels": {"console": {
            "address": "/", "title": "One console",
            "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in kinds},
        }},
        "operations": {
            "fromConsole": _operation("receive", asks, "What a console asks."),
            "toConsole": _operation("send", answers, "What the gateway answers and tells."),
        },
        "components": {
            "messages": {kind.__name__: _message(kind) for kind in kinds},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def rendered() -> str:
    """Return the document as text."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
