"""When and what citizens report in a year: the volumes of domain.md section 10, seeded.

A day has a peak hour of three times its mean, a week a quiet Sunday, and a year some storm days of five times the mean.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import accumulate

from channels.message import Inbound
from hotline.appeal import Appeal, Category, Citizen, Evidence, Place, Triage
from hotline.city import City
from hotline.deadlines import ZONE
from hotline.terms import Channel, Kind, Service, Verdict
from routing.priority import priority_of

FIRST = date(2026, 1, 1)
DAYS = 365
_HOURS = [3, 2, 1, 1, 1, 2, 6, 14, 60, 100, 88, 60, 34, 42, 74, 72, 62, 46, 34, 32, 28, 20, 12, 6]
"""Weights of the hours of a day; the highest is three times the mean."""
_WEEK = [1.15, 1.1, 1.05, 1.05, 1.05, 0.85, 0.75]
_STORMS = {date(2026, 5, 18), date(2026, 6, 9), date(2026, 7, 21), date(2026, 8, 13), date(2026, 9, 4)}
_STORM = 5.0
_MARGIN = 1.01
_CHANNELS = {Channel.CALL: 68, Channel.WECHAT: 13, Channel.APP: 9, Channel.WEB: 7, Channel.POLICE: 3}
_KINDS = {
    Kind.ENQUIRY: 38, Kind.ASSISTANCE: 24, Kind.COMPLAINT: 25, Kind.REPORT: 5, Kind.SUGGESTION: 4,
    Kind.COMMENDATION: 2, Kind.OTHER: 2,
}
_VERDICTS = {Verdict.NON_EMERGENCY: 978, Verdict.EMERGENCY: 13, Verdict.UNCLEAR: 9}


def _pick(r: random.Random, weights: dict) -> object:  # type: ignore[type-arg]
    return r.choices(list(weights), list(weights.values()))[0]


class Arrivals:
    """Draws appeals of a city. `count` is how many the year is to bring at least, nearly surely."""

    def __init__(self, city: City, count: int, seed: int) -> None:
        self._city, self._random = city, random.Random(seed)
        days = [FIRST + timedelta(days=n) for n in range(DAYS)]
        weights = [_WEEK[day.weekday()] * (_STORM if day in _STORMS else 1.0) for day in days]
        self._expected = dict(zip(days, (_MARGIN * count * weight / sum(weights) for weight in weights), strict=True))
        self._towns = [unit.name for unit in city.directory.units.values() if unit.is_place]
        self._popular = list(accumulate(1.0 / (n + 8) for n in range(len(city.categories))))
        self._sequence = 0

    def of_day(self, day: date) -> Iterator[tuple[datetime, Inbound, Triage]]:
        """Yield moment, message and triage of each appeal of a day, in order of time."""
        r = self._random
        count = max(0, round(r.gauss(self._expected[day], math.sqrt(self._expected[day]))))
        hours = r.choices(range(24), _HOURS, k=count)
        start = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        for moment in sorted(start + timedelta(hours=hour, seconds=r.randrange(3600)) for hour in hours):
            self._sequence += 1
            yield moment, self._inbound(moment), self._triage()

    def _inbound(self, moment: datetime) -> Inbound:
        channel = _pick(self._random, _CHANNELS)
        appeal = Appeal(
            text="体育路路灯不亮,已经三天了", citizen=self._citizen(channel),  # type: ignore[arg-type]
            place=Place(town=self._town()), confidential=self._random.random() < 0.01,
        )
        return Inbound(channel=channel, external_id=f"y{self._sequence}", appeal=appeal, received_at=moment)  # type: ignore[arg-type]

    def _town(self) -> str:
        return self._random.choice(self._towns) if self._random.random() < 0.8 else ""

    def _citizen(self, channel: Channel) -> Citizen:
        r = self._random
        phone = f"+861{r.randrange(3, 10)}{r.randrange(10**9):09d}"
        match channel:
            case Channel.CALL:
                return Citizen(phone=phone, key=phone)
            case Channel.APP:
                return Citizen(phone=phone, key=phone) if r.random() < 0.9 else Citizen()
            case Channel.WECHAT:
                return Citizen(key=f"openid{r.randrange(10**9)}", phone=phone if r.random() < 0.3 else "")
            case Channel.WEB:
                given = r.random()
                if given < 0.25:
                    return Citizen(key=f"chat:{r.randrange(10**12)}")
                return Citizen(phone=phone, key=phone) if given < 0.85 else Citizen()
            case Channel.POLICE:
                return Citizen(phone=phone if r.random() < 0.8 else "", key=f"J{self._sequence}")

    def _triage(self) -> Triage:
        r, city = self._random, self._city
        label = r.choices(city.categories, cum_weights=self._popular)[0]
        kind, verdict = _pick(r, _KINDS), _pick(r, _VERDICTS)
        known = r.random() < 0.97
        town = self._town()
        emergency = verdict is Verdict.EMERGENCY
        return Triage(
            category=Category(l1=label.l1, l2=label.l2, confidence=0.9) if known else None, kind=kind,  # type: ignore[arg-type]
            verdict=verdict, services=(Service.POLICE,) if emergency else (), towns=(town,) if town else (),  # type: ignore[arg-type]
            priority=priority_of(verdict, label.l2, kind, city.priorities),  # type: ignore[arg-type]
            needs_person=not known or r.random() < (0.65 if kind is Kind.ENQUIRY else 0.15), title=label.l2,
            model="year", evidence=(Evidence(rule="violence", text="正在打架"),) if emergency else (),
        )
