"""Open311's two notations of the same rows: JSON lists, and XML with a name for the list and for each row. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from channels.clean import clean
from hotline.errors import HotlineError

Row = dict[str, str | bool | float | None]
CONTENT_TYPES = {"json": "application/json", "xml": "text/xml"}
STATUS: dict[str, int] = {
    "not_found": 404, "forbidden": 403, "unauthenticated": 403, "rate_limited": 429, "overloaded": 503,
    "unavailable": 503, "idempotency_key_reused": 422, "too_large": 413, "method_not_allowed": 405,
    "unsupported_media_type": 415, "internal": 500,
}


def encode_rows(rows: Sequence[Row], *, form: str, many: str, one: str) -> bytes:
    """Return rows as a JSON list, or as XML `<many><one>…</one></many>`; `form` is `json` or `xml`."""
    if form == "json":
        return msgspec.json.encode(rows)
    root = ET.Element(many)
    for row in rows:
        _fill(ET.SubElement(root, one), row)
    return _bytes(root)


def encode_definition(definition: Mapping[str, Any], *, form: str) -> bytes:
    """Return a service definition; the lists within have their own element names."""
    if form == "json":
        return msgspec.json.encode(definition)
    root = ET.Element("service_definition")
    ET.SubElement(root, "service_code").text = definition["service_code"]
    attributes = ET.SubElement(root, "attributes")
    for attribute in definition["attributes"]:
        element = ET.SubElement(attributes, "attribute")
        _fill(element, {name: value for name, value in attribute.items() if name != "values"})
        values = ET.SubElement(element, "values")
        for value in attribute["values"]:
            _fill(ET.SubElement(values, "value"), value)
    return _bytes(root)


def encode_error(error: HotlineError, *, form: str) -> tuple[int, bytes]:
    """Return status and body in Open311's own form of errors."""
    status = STATUS.get(error.error_id, 400)
    row: Row = {"code": status, "description": f"{error.error_id}: {error.detail}"}
    return status, encode_rows([row], form=form, many="errors", one="error")


def _fill(element: ET.Element, row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
        ET.SubElement(element, name).text = clean(text)


def _bytes(root: ET.Element) -> bytes:
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body
