"""Degrees of the world's system (WGS-84) → those of Chinese maps (GCJ-02), the one system that is kept. Pure.

The formula was never published by the state; this is the one that all open implementations share (EvilTransform of
2013, coordtransform, PRCoords), on the ellipsoid of Krasovsky; what map services answer differs from it by a metre or
so. docs/decisions/0029-one-datum.md.
"""

from __future__ import annotations

from enum import StrEnum
from math import cos, pi, radians, sin, sqrt

_RADIUS, _FLAT = 6_378_245.0, 0.00669342162296594323
"""Krasovsky's ellipsoid: metres, and the square of its eccentricity."""
_NORTH, _SOUTH, _WEST, _EAST = 55.8271, 0.8293, 72.004, 137.8347
"""Outside these the formula knows no shift."""
_DIGITS = 6  # a tenth of a metre


class Datum(StrEnum):
    """What degrees are counted by: `gcj02` as Chinese maps and WeChat have them, `wgs84` as devices and the world."""

    GCJ02 = "gcj02"
    WGS84 = "wgs84"


KEPT = "GCJ-02"
"""What `Place` is in, as it is named to others."""


def kept(lat: float, lon: float, datum: Datum) -> tuple[float, float]:
    """Return degrees as they are kept, whatever they were counted by."""
    return (lat, lon) if datum is Datum.GCJ02 else gcj02(lat, lon)


def gcj02(lat: float, lon: float) -> tuple[float, float]:
    """Return the degrees of GCJ-02 for those of WGS-84; unchanged far outside China."""
    if not (_SOUTH <= lat <= _NORTH and _WEST <= lon <= _EAST):
        return lat, lon
    north, east = _metres(lon - 105.0, lat - 35.0)
    bend = 1 - _FLAT * sin(radians(lat)) ** 2
    along = pi * _RADIUS * (1 - _FLAT) / bend**1.5  # metres of half a meridian here
    across = pi * _RADIUS * cos(radians(lat)) / sqrt(bend)
    return round(lat + 180 * north / along, _DIGITS), round(lon + 180 * east / across, _DIGITS)


def _metres(x: float, y: float) -> tuple[float, float]:
    """Return the shift to the north and to the east, in metres, `x` and `y` degrees from 105° E 35° N."""
    shared = 20 * sin(6 * pi * x) + 20 * sin(2 * pi * x)
    north = shared + _waves(y, 160, 320)
    east = shared + _waves(x, 150, 300)
    crossed = 0.1 * x * y
    return (
        -100 + 2 * x + 3 * y + 0.2 * y * y + crossed + 0.2 * sqrt(abs(x)) + north * 2 / 3,
        300 + x + 2 * y + 0.1 * x * x + crossed + 0.1 * sqrt(abs(x)) + east * 2 / 3,
    )


def _waves(at: float, longer: float, longest: float) -> float:
    return 20 * sin(pi * at) + 40 * sin(pi * at / 3) + longer * sin(pi * at / 12) + longest * sin(pi * at / 30)
