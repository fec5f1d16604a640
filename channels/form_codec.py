"""Form posts (urlencoded, or the fields of multipart) → `AppealBody`; the receipt as a small page. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import parse_qsl

import msgspec

from channels.appeal_codec import AppealBody, PlaceBody
from channels.message import Receipt
from channels.wording import local_time
from hotline.errors import InvalidInput

FIELDS = (
    "text", "title", "kind", "name", "phone", "town", "address", "grid", "lat", "lon", "datum", "happened_at", "about",
    "company", "id_document", "confidential",
)
"""In the order in which `/openapi.json` describes them."""
KEY_FIELD = "key"
_TRUE = frozenset({"1", "true", "on", "yes", "是"})


def decode_urlencoded(body: bytes) -> list[tuple[str, str]]:
    """Return the pairs of an urlencoded body in UTF-8; raises InvalidInput."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise InvalidInput(f"the form cannot be read: {error}; send it in UTF-8") from error


def decode_fields(pairs: Iterable[tuple[str, str]]) -> tuple[AppealBody, str]:
    """Return the appeal and the form's idempotency key ("" without one).

    Empty fields count as absent, as browsers send every field. Raises InvalidInput for unknown or repeated fields and
    wrong values.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in FIELDS and name != KEY_FIELD:
            raise InvalidInput(f"unknown field {name[:40]!r}; known are {', '.join(sorted(FIELDS))} and {KEY_FIELD}")
        if name in given:
            raise InvalidInput(f"field {name} is given twice")
        given[name] = value
    key = given.pop(KEY_FIELD, "")
    return _body({name: value for name, value in given.items() if value.strip()}), key


def _body(given: dict[str, str]) -> AppealBody:
    place = {name: given.pop(name) for name in PlaceBody.__struct_fields__ if name in given}
    fields: dict[str, object] = dict(given)
    if "confidential" in given:
        fields["confidential"] = given["confidential"].strip().lower() in _TRUE
    if place:
        fields["place"] = place
    try:
        return msgspec.convert(fields, AppealBody, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the form is not as described: {error}") from error


def encode_page(receipt: Receipt) -> bytes:
    """Return the page that a browser without scripts sees after a form post."""
    expected = f"{local_time(receipt.expected_by, '%Y年%m月%d日')}前" if receipt.expected_by else "以承办单位答复为准"
    rows = (
        ("工单号", receipt.number), ("查询码", receipt.code), ("事项", receipt.category or "待人工确认"),
        ("承办单位", receipt.department or "待人工确认"), ("预计办结", expected),
    )
    lines = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>诉求已受理</title>'
        f"<h1>诉求已受理</h1><p>请记下工单号和查询码,可随时查询进度。</p><dl>{lines}</dl></html>"
    ).encode()
