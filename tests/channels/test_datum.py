"""Coordinates of two systems become those of one."""

from __future__ import annotations

import pytest

from channels.appeal_codec import PlaceBody, place_of
from channels.datum import Datum, gcj02
from channels.open311_codec import decode_request
from hotline import commands as c
from hotline.appeal import Appeal, Place
from hotline.effects import incident_payload
from hotline.terms import Service
from tests.channels.test_contract import CITY
from tests.hotline.test_decide import ticket


@pytest.mark.parametrize(("wgs84", "expected"), [
    ((31.1774276, 121.5272106), (31.175304, 121.531542)),  # Shanghai
    ((22.543847, 113.912316), (22.540796, 113.917176)),  # Shenzhen
    ((39.911954, 116.377817), (39.913345, 116.384047)),  # Beijing
])
def test_known_points(wgs84: tuple[float, float], expected: tuple[float, float]) -> None:
    assert gcj02(*wgs84) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("point", [(48.8584, 2.2945), (-33.8568, 151.2153), (0.0, 0.0), (90.0, 180.0)])
def test_far_outside_china_nothing_is_shifted(point: tuple[float, float]) -> None:
    assert gcj02(*point) == point


def test_a_client_says_which_system_it_sends() -> None:
    given = place_of(PlaceBody(lat=22.543847, lon=113.912316))
    device = place_of(PlaceBody(lat=22.543847, lon=113.912316, datum=Datum.WGS84))
    assert (given.lat, given.lon) == (22.543847, 113.912316)
    assert (device.lat, device.lon) == gcj02(22.543847, 113.912316)
    assert place_of(PlaceBody(town="南城", datum=Datum.WGS84)) == Place(town="南城")


def test_open311_sends_the_worlds_system() -> None:
    appeal, _ = decode_request({"service_code": "0307", "lat": "22.543847", "long": "113.912316"}, CITY)
    assert (appeal.place.lat, appeal.place.lon) == gcj02(22.543847, 113.912316)


def test_110_is_told_all_that_is_known_of_the_place_and_in_which_system() -> None:
    place = Place(village="石龙坑村", grid="G12", address="3栋", lat=22.540796, lon=113.917176)
    appeal = Appeal(text="着火了", place=place, happened_at="十分钟前", about="三楼租客")
    told = incident_payload(ticket(appeal=appeal), c.HandOff(services=(Service.FIRE,)), "2026-11-20T10:00:00+08:00")
    assert (told["place"]["lat"], told["place"]["datum"]) == (22.540796, "GCJ-02")
    assert [told["place"][name] for name in ("village", "grid", "address")] == ["石龙坑村", "G12", "3栋"]
    assert (told["happened_at"], told["about"]) == ("十分钟前", "三楼租客")
