"""What triage reads of a delivery, and what its citizen has told of it that no model need guess. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from channels.message import Inbound
from hotline.appeal import Appeal, Category, Triage
from hotline.ids import DepartmentCode
from hotline.terms import Verdict
from routing.directory import Directory
from routing.dispatch import Dispatch, choose_department
from routing.priority import PriorityRules, priority_of

DOUBTED = 0.8
"""`[P]` How sure the model is of another category, at least, for a person to look at the one that the citizen chose."""
_MOST_ALTERNATIVES = 3
_LEFT_OUT = re.compile(r"…+|\.{3,}")
_SIGNS = re.compile(r"[\W_]+")
_ABOVE = re.compile(r"^(?:[^省]{2,3}省)?(?:[^市]{2,4}市)?")
_RANK = re.compile(r"(?:街道办事处|街道办|街道|镇政府|镇|高新区|功能区|新区|园区|区)$")


def judged_text(appeal: Appeal) -> str:
    """Return what triage judges: the text, and below it the title where that says more than the text shortened.

    Danger is told in a title too, and the matter is often told there only (110's 停水, a service of Open311).
    """
    text, title = appeal.text, appeal.title
    return text if _says(text, title) else f"{text}\n{title}"  # below it: evidence counts characters of the text


def _says(text: str, title: str) -> bool:
    bare = _SIGNS.sub("", text) if title else ""
    return all(_SIGNS.sub("", part) in bare for part in _LEFT_OUT.split(title))


def untold_address(inbound: Inbound) -> str:
    """Return the address in which a town is to be looked for: none was given, and the text does not hold it."""
    place = inbound.appeal.place
    return "" if place.town or place.address in inbound.appeal.text else place.address


def located(appeal: Appeal, directory: Directory) -> Appeal:
    """Return the appeal with its town as the directory calls it (南城街道 is 南城).

    What is no town of the city is none; people read it before the address. A directory without towns cannot tell.
    """
    place = appeal.place
    towns = [unit.name for unit in directory.units.values() if unit.is_place] if place.town else []
    if not towns or place.town in towns:
        return appeal
    town = _town_of(place.town, towns)
    address = place.address if town or place.town in place.address else f"{place.town}{place.address}"
    return msgspec.structs.replace(appeal, place=msgspec.structs.replace(place, town=town, address=address))


def _town_of(given: str, towns: Iterable[str]) -> str:
    bare = _bare_town(given)
    found = [town for town in towns if bare and _bare_town(town) == bare]
    return found[0] if len(found) == 1 else ""


def _bare_town(name: str) -> str:
    return _RANK.sub("", _ABOVE.sub("", name))


def placed(triage: Triage, towns: Iterable[str]) -> Triage:
    """Return the triage with the towns that the citizen gave before those of which the text only speaks."""
    return msgspec.structs.replace(triage, towns=tuple(dict.fromkeys((*towns, *triage.towns))))


def decided(triage: Triage, directory: Directory) -> tuple[Triage, Dispatch | None]:
    """Return the triage, where the matter is sure with the units that the directory names for it, and the dispatch.

    None where a person decides on it.
    """
    if not triage.sure:  # danger, and doubt about it, are not sent on by the machine
        harmless = triage.verdict is Verdict.NON_EMERGENCY
        return triage, _dispatch(triage, directory) if harmless else None
    asked = msgspec.structs.replace(triage, needs_person=False)
    if (dispatch := _dispatch(asked, directory)) is None:
        return msgspec.structs.replace(triage, department=DepartmentCode(""), assisting=(), needs_person=True), None
    return msgspec.structs.replace(asked, department=dispatch.lead, assisting=dispatch.assisting), dispatch


def _dispatch(triage: Triage, directory: Directory) -> Dispatch | None:
    found = choose_department(triage, directory)
    return found if isinstance(found, Dispatch) else None


def chosen(triage: Triage, category: Category, priorities: PriorityRules) -> Triage:
    """Return the triage of a matter whose category the citizen chose from a list.

    It is the category. Where the model is quite sure of another a person looks before it goes anywhere.
    """
    guesses = [one for one in (triage.category, *triage.alternatives) if one is not None]
    same = [one for one in guesses if _same(one, category)]
    others = tuple(one for one in guesses if not _same(one, category))
    doubted = bool(others) and others[0] is triage.category and others[0].confidence >= DOUBTED
    own = (same or [category])[0] if doubted else msgspec.structs.replace(category, confidence=1.0)
    priority = priority_of(triage.verdict, category.l2, triage.kind, priorities)
    return msgspec.structs.replace(
        triage, category=own, alternatives=others[:_MOST_ALTERNATIVES], priority=priority, sure=not doubted,
        needs_person=doubted, department=DepartmentCode(""), assisting=(),
    )


def _same(one: Category, other: Category) -> bool:
    return (one.l1, one.l2) == (other.l1, other.l2)
