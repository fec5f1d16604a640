"""The OpenAPI 3.1 document, built from the same types that decode and encode the messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import GenericAlias
from typing import Any

import msgspec

from channels.problem import MEDIA_TYPE, STATUS, TITLES, Problem

_REF = "#/components/schemas/{name}"
_EVERYWHERE = ("invalid_input", "internal", "unavailable")
"""The last one while the database does not answer."""
_GUARDED = ("unauthenticated", "forbidden")
"""The gate answers these on every route of staff (agent_ui/routes.py says whose each is)."""
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One route as documented.

    Attributes:
        body: content type → type of the body, or a schema; empty for none.
        answers: status → (content type, type or schema); content type "" for none.
        errors: error ids that it can answer, beside those of every route, of every named path and of every body.
        parameters: names of parameters.
        query: parameters of the query told on the spot, name → description. Parameters in the path that none of
            `parameters` names are told by their place in it.
        security: names of security schemes, one of which is needed; "" means that none is.
        problem: errors are problem+json; Open311 has its own form.
        xml: every answer may come in XML instead.
    """

    method: str
    path: str
    summary: str
    tag: str
    body: Mapping[str, Any] = {}
    answers: Mapping[int, tuple[str, Any]]
    errors: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    query: Mapping[str, str] = {}
    security: tuple[str, ...] = ("",)
    problem: bool = True
    xml: bool = False


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """What operations refer to by name: parameters, security schemes, and types told of beside the routes."""

    parameters: Mapping[str, Mapping[str, Any]]
    security: Mapping[str, Mapping[str, Any]]
    types: tuple[type, ...] = ()


def document(
    operations: Sequence[Operation], vocabulary: Vocabulary, *, title: str, version: str, description: str = "",
    webhooks: Sequence[Operation] = (),
) -> dict[str, Any]:
    """Return the document; every type that is named becomes a component schema.

    `webhooks` are what we send: `path` is the webhook's name, the answers are those of who takes it.
    """
    types: list[Any] = [Problem, *vocabulary.types, *_types((*operations, *webhooks))]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    known = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        told = _operation(operation, known, vocabulary.parameters)
        paths.setdefault(operation.path, {})[operation.method] = told
    return {
        "openapi": "3.1.0", "info": {"title": title, "version": version, "description": description},
        "paths": paths,
        "webhooks": {one.path: {one.method: _webhook(one, known, vocabulary.parameters)} for one in webhooks},
        "components": {
            "schemas": components, "parameters": dict(vocabulary.parameters),
            "securitySchemes": dict(vocabulary.security),
        },
    }


def _types(operations: Iterable[Operation]) -> list[type | GenericAlias]:
    named = [kind for operation in operations for kind in operation.body.values()]
    named += [kind for operation in operations for _, kind in operation.answers.values()]
    return list(dict.fromkeys(kind for kind in named if isinstance(kind, type | GenericAlias)))


def _schema(kind: Any, known: Mapping[Any, dict[str, Any]]) -> Any:
    return known[kind] if isinstance(kind, type | GenericAlias) else kind


def _parameters(operation: Operation, known: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    in_path = {known[name]["name"] for name in operation.parameters if known[name]["in"] == "path"}
    places = [(name, "path", name) for name in re.findall(r"{(\w+)}", operation.path) if name not in in_path]
    places += [(name, "query", text) for name, text in operation.query.items()]
    return [{"$ref": f"#/components/parameters/{name}"} for name in operation.parameters] + [
        {"name": name, "in": place, "required": place == "path", "description": text, "schema": {"type": "string"}}
        for name, place, text in places
    ]


def _operation(
    operation: Operation, known: Mapping[Any, dict[str, Any]], parameters: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{operation.method} {operation.path}").strip("_"),
        "summary": operation.summary, "tags": [operation.tag],
        "security": [{name: []} if name else {} for name in operation.security],
        "responses": _answers(operation, known),
    }
    if given := _parameters(operation, parameters):
        told["parameters"] = given
    if operation.body:
        content = {kind: {"schema": _schema(body, known)} for kind, body in operation.body.items()}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _webhook(
    operation: Operation, known: Mapping[Any, dict[str, Any]], parameters: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Describe what we send; how the taker words its errors is its own matter."""
    told = _operation(operation, known, parameters)
    return told | {"responses": {code: answer for code, answer in told["responses"].items() if code < "300"}}


def _answers(operation: Operation, known: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        str(status): {"description": _MEANING[status]}
        | ({"content": {media_type: {"schema": _schema(kind, known)}}} if media_type else {})
        for status, (media_type, kind) in operation.answers.items()
    }
    by_status: dict[int, list[str]] = {}
    guarded = _GUARDED if "staff" in operation.security else ()
    named = ("not_found",) if "{" in operation.path else ()  # a name that no route takes
    sent = ("too_large", "overloaded") if operation.body else ()  # `channels.kit` reads it so
    counted = ("rate_limited",) if any(operation.security) else ()  # `token_rate`
    typed = ("unsupported_media_type",) if JSON in operation.body and "hmac" not in operation.parameters else ()
    for error_id in dict.fromkeys((*_EVERYWHERE, *guarded, *named, *sent, *typed, *counted, *operation.errors)):
        by_status.setdefault(STATUS[error_id], []).append(error_id)
    for status, ids in sorted(by_status.items()):
        text = "; ".join(f"`{error_id}` {TITLES[error_id]}" for error_id in ids)
        schema = known[Problem] if operation.problem else _TROUBLE
        media_type = MEDIA_TYPE if operation.problem else "application/json"
        told[str(status)] = {"description": text, "content": {media_type: {"schema": schema}}}
    if not operation.problem:  # what is not even HTTP has no form asked for
        told["400"]["content"][MEDIA_TYPE] = {"schema": known[Problem]}
    if FORM in operation.body:
        for code, answer in told.items():
            if code not in ("200", "201"):
                answer["content"]["text/html"] = {"schema": {"type": "string"}}  # a browser sent the form
    if operation.xml:
        for answer in told.values():
            answer["content"]["text/xml"] = {"schema": {"type": "string"}}
    return told


_TROUBLE = {
    "type": "array", "items": {
        "type": "object", "required": ["code", "description"],
        "properties": {"code": {"type": "integer"}, "description": {"type": "string"}},
    },
}
"""Open311's own form of errors."""
_MEANING = {
    200: "done; a repeat gets the first answer", 201: "created", 204: "noted", 101: "WebSocket", 303: "see there",
}
