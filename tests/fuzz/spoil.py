"""Real documents spoilt by a case's bytes: what is nearly right gets further than what is not right at all."""

from __future__ import annotations

import copy
import json
import random
from typing import Any


def spliced(document: bytes, data: bytes) -> bytes:
    """Return a document with these bytes somewhere in it, in place of a few of its own."""
    rng = random.Random(data)
    at = rng.randrange(len(document) + 1)
    return document[:at] + data + document[at + rng.randrange(9):]


def grafted(document: Any, data: bytes) -> bytes:
    """Return a JSON document with what these bytes say (JSON, else a text) in place of one of its values."""
    rng, made = random.Random(data), copy.deepcopy(document)
    holder, key = rng.choice(_places(made))
    holder[key] = _said(data)
    return json.dumps(made).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every value below, as what holds it and its key there."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def _said(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")
