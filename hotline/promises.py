"""What a city promises to close sooner than its rules ask: categories, in versions that hold from a day on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from hotline.appeal import Category
from hotline.deadlines import ZONE, Unit, WorkingTime
from hotline.terms import Kind

UNITS: Mapping[Unit, str] = {
    Unit.MINUTES: "分钟", Unit.WORKING_MINUTES: "工作分钟", Unit.WORKING_DAYS: "个工作日",
}


class Matter(NamedTuple):
    """What is promised: a category, of one kind or of every kind (None)."""

    l1: str
    l2: str
    kind: Kind | None = None


class Promises(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a city's promises, for what is dispatched from its day on: `matters`, each with its basis."""

    version: str
    effective_from: date
    completion: WorkingTime
    matters: Mapping[Matter, str]


class Promise(NamedTuple):
    """How soon a matter is promised to be closed, and why."""

    completion: WorkingTime
    reason: str


def held(versions: Sequence[Promises], at: datetime) -> Promises | None:
    """Return the newest version that holds for what is dispatched `at`, None before the first."""
    day = at.astimezone(ZONE).date()
    begun = [one for one in versions if one.effective_from <= day]
    return max(begun, key=lambda one: one.effective_from, default=None)


def promised(versions: Sequence[Promises], category: Category | None, kind: Kind, at: datetime) -> Promise | None:
    """Return what is promised of a matter that is dispatched `at`, by the newest version that holds then."""
    if category is None or (one := held(versions, at)) is None:
        return None
    for matter in (Matter(category.l1, category.l2, kind), Matter(category.l1, category.l2)):
        if matter in one.matters:
            span = f"{one.completion.amount}{UNITS[one.completion.unit]}"
            return Promise(one.completion, f"{one.matters[matter] or '城市承诺'}:{span}办结({one.version})")
    return None
