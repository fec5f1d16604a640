"""Where a request of Open311 says that it happened: a form → `Place`. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from channels.clean import clean_line
from channels.datum import gcj02
from hotline.appeal import Place
from hotline.errors import InvalidInput

TOWN = "town"
"""The attribute of every service."""


def place_of(form: Mapping[str, str], towns: Collection[str]) -> Place:
    """Return the place; raises InvalidInput without coordinates (WGS-84) and address, and where the town is none.

    Args:
        towns: the values of the attribute; empty where the service asks for none.
    """
    lat, lon = _degrees(form, "lat", 90), _degrees(form, "long", 180)
    if (lat is None) != (lon is None):
        raise InvalidInput("lat and long come together")
    address = clean_line(form.get("address_string"), field="address_string")
    address = address or clean_line(form.get("address_id"), field="address_id")
    if lat is None and not address:
        raise InvalidInput("where is it? give lat and long, or address_string")
    town = clean_line(form.get(f"attribute[{TOWN}]"), field=TOWN)
    if town and towns and town not in towns:
        raise InvalidInput(f"attribute[{TOWN}] is not one of the service's values")
    if lat is None or lon is None:
        return Place(town=town, address=address)
    lat, lon = gcj02(lat, lon)
    return Place(town=town, address=address, lat=lat, lon=lon)


def _degrees(form: Mapping[str, str], name: str, limit: float) -> float | None:
    if not form.get(name):
        return None
    try:
        value = float(form[name])
    except ValueError as error:
        raise InvalidInput(f"{name} is not a number") from error
    if not math.isfinite(value) or abs(value) > limit:
        raise InvalidInput(f"{name} is not in degrees between -{limit:g} and {limit:g}")
    return value
