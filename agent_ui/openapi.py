"""The log-in's routes as the OpenAPI document tells them; `channels.openapi.rendered` takes them in."""

from __future__ import annotations

from agent_ui import account_api, sso_api
from agent_ui.auth import LoginAnswer, LoginBody, SessionAnswer, TicketAnswer
from channels.openapi_document import Operation

_JSON = "application/json"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="post", path="/api/v1/login", tag="坐席", summary="Log in; sets the session's cookie too",
        body={_JSON: LoginBody}, answers={200: (_JSON, LoginAnswer)},
        errors=("unauthenticated", "code_needed", "code_wrong", "forbidden", "rate_limited", "overloaded"),
    ),
    Operation(
        method="get", path="/api/v1/session", tag="坐席", security=("staff",), summary="Whose session it is",
        answers={200: (_JSON, SessionAnswer)}, errors=("unauthenticated",),
    ),
    Operation(
        method="post", path="/api/v1/logout", tag="坐席", security=("staff",), summary="Log out",
        answers={204: ("", None)}, errors=("unauthenticated", "forbidden"),
    ),
    Operation(
        method="post", path="/api/v1/console-ticket", tag="坐席", security=("staff",),
        summary="A one-time ticket for the console's WebSocket", answers={200: (_JSON, TicketAnswer)},
        errors=("unauthenticated", "forbidden", "password_change_needed", "second_factor_needed"),
    ),
    *account_api.OPERATIONS, *sso_api.OPERATIONS,
)
