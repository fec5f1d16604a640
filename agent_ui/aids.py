"""What helps an agent to judge a ticket: the city's words, proposed departments, who else looks at it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from hotline.appeal import Category, Triage
from hotline.errors import InvalidInput
from hotline.terms import Kind
from routing.directory import Directory
from routing.dispatch import Dispatch, choose_department


class CategoryTerm(msgspec.Struct, frozen=True, kw_only=True):
    """事项分类: a second-level category under its first level."""

    l1: str
    l1_name: str
    l2: str


class QueueTerm(msgspec.Struct, frozen=True, kw_only=True):
    """技能组: a queue of the telephone, and what people call it."""

    name: str
    title: str


class CityTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The city's own words: categories, units of the directory in force, which of them are towns and parks, queues."""

    city: str
    categories: tuple[CategoryTerm, ...]
    units: tuple[str, ...]
    towns: tuple[str, ...]
    queues: tuple[QueueTerm, ...] = ()


class Proposal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom the directory names for a category, kind and place, with its reasons. `lead` is "" where it names nobody;
    `sure` is false where a person must decide and this is the best guess."""

    reasons: tuple[str, ...]
    directory_version: str
    lead: str = ""
    assisting: tuple[str, ...] = ()
    sure: bool = False


class Looking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody has a ticket before them since `at`; with `away` no more. Who is not heard for 90 seconds has gone."""

    staff: str
    number: str
    at: datetime
    away: bool = False


def proposal_of(
    directory: Directory, l1: str, l2: str, kind: Kind, towns: Sequence[str], confidence: float = 1.0
) -> Proposal:
    """Return whom the directory proposes; raises InvalidInput for a place that it does not know."""
    strange = [town for town in towns if town not in directory.units]
    if strange:
        raise InvalidInput(f"the directory knows no {'、'.join(strange)}; towns are as the request `terms` tells them")
    found = choose_department(Triage(category=Category(l1, l2, confidence), kind=kind, towns=tuple(towns)), directory)
    if isinstance(found, Dispatch):
        return Proposal(
            lead=found.lead, assisting=found.assisting, reasons=found.reasons, sure=True,
            directory_version=found.directory_version,
        )
    guess = found.suggestion
    return Proposal(
        reasons=found.reasons + (guess.reasons if guess else ()), directory_version=found.directory_version,
        lead=guess.lead if guess else "", assisting=guess.assisting if guess else (),
    )


def present(looks: Iterable[Looking], *, but: str) -> tuple[Looking, ...]:
    """Return who looks now, by the last word on each, without `but`."""
    latest = {look.staff: look for look in sorted(looks, key=lambda look: look.at)}
    return tuple(look for look in latest.values() if not look.away and look.staff != but)
