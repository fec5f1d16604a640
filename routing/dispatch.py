"""Which unit handles an appeal: a pure look-up in the directory, with reasons that a dispatcher can read."""

from __future__ import annotations

import msgspec

from hotline.appeal import Category, Triage
from hotline.ids import DepartmentCode
from hotline.terms import label
from routing.directory import PERSON, PLACE, Directory, Rule


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """派单: lead (主办), assisting units (协办), the reasons, and the version of the directory they come from."""

    lead: DepartmentCode
    assisting: tuple[DepartmentCode, ...] = ()
    reasons: tuple[str, ...] = ()
    directory_version: str = ""


class NeedsPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatcher must decide. `suggestion` is the best guess, None where there is none."""

    reasons: tuple[str, ...]
    directory_version: str
    suggestion: Dispatch | None = None


def choose_department(triage: Triage, directory: Directory) -> Dispatch | NeedsPerson:
    """Return the dispatch, or why a person must decide.

    A person decides when triage asks for one, when there is no category or no rule for it, and when the place would
    lead but is unknown or contested by units that share ground.
    """
    if triage.category is None:
        return _refuse(directory, "未能判定事项分类, 请人工判定")
    found = _dispatch(triage, triage.category, directory)
    if isinstance(found, NeedsPerson) or not triage.needs_person:
        return found
    confidence = f"{triage.category.confidence:.0%}"
    reason = f"分类把握不足({triage.category.l2} {confidence}), 请人工确认"
    return _refuse(directory, reason, suggestion=found)


def best_guess(triage: Triage, directory: Directory) -> Triage:
    """Return `triage` with the units of the best guess, also where `needs_person` is set."""
    found = choose_department(triage, directory)
    guess = found.suggestion if isinstance(found, NeedsPerson) else found
    needs_person = isinstance(found, NeedsPerson)
    if guess is None:
        return msgspec.structs.replace(triage, needs_person=needs_person)
    return msgspec.structs.replace(
        triage, department=guess.lead, assisting=guess.assisting, needs_person=needs_person
    )


def _refuse(directory: Directory, *reasons: str, suggestion: Dispatch | None = None) -> NeedsPerson:
    return NeedsPerson(reasons=reasons, directory_version=directory.version, suggestion=suggestion)


def _dispatch(triage: Triage, category: Category, directory: Directory) -> Dispatch | NeedsPerson:
    places = tuple(town for town in triage.towns if town in directory.units)
    rule = directory.find(category.l1, category.l2, triage.kind, places)
    if rule is None:
        return _refuse(directory, f"派单目录中没有“{category.l2}”, 请人工派单")
    if rule.lead == PERSON:
        reason = f"“{category.l2}”没有固定的承办单位, 请人工判定: 答复、派单或不予受理"
        return _unled(reason, rule, category, triage, directory)
    led_by_place = rule.lead == PLACE
    if led_by_place and not places:
        reason = f"“{category.l2}”由属地办理, 尚不知发生在哪个镇街"
        return _unled(reason, rule, category, triage, directory)
    found = _filled(rule, category, triage, places, directory)
    rivals = directory.overlapping(places)
    if led_by_place and rivals is not None:
        return _refuse(directory, f"{rivals[0]}与{rivals[1]}辖区重叠, 请人工确认属地", suggestion=found)
    return found


def _unled(
    reason: str, rule: Rule, category: Category, triage: Triage, directory: Directory
) -> NeedsPerson:
    """Nobody leads, or the place would and is unknown: suggest the first assisting unit that is no place."""
    reasons = (reason, f"说明: {rule.note}") if rule.note else (reason,)
    stand_in = next((name for name in rule.assisting if name != PLACE), None)
    if stand_in is None:
        return _refuse(directory, *reasons)
    guess = _filled(msgspec.structs.replace(rule, lead=stand_in), category, triage, (), directory)
    return _refuse(directory, *reasons, suggestion=guess)


def _filled(
    rule: Rule, category: Category, triage: Triage, places: tuple[str, ...], directory: Directory
) -> Dispatch:
    lead, *rest = places if rule.lead == PLACE else (rule.lead,)
    assisting = [*rest]
    for name in rule.assisting:
        assisting.extend(places if name == PLACE else (name,))
    unique = tuple(DepartmentCode(name) for name in dict.fromkeys(assisting) if name != lead)
    return Dispatch(
        lead=DepartmentCode(lead),
        assisting=unique,
        reasons=_reasons(rule, category, triage, places),
        directory_version=directory.version,
    )


def _reasons(rule: Rule, category: Category, triage: Triage, places: tuple[str, ...]) -> tuple[str, ...]:
    where = "、".join(places) if places else "未知"
    owner = "属地主办" if rule.lead == PLACE else f"由{rule.lead}主办"
    lines = [
        f"事项: {category.l2}(把握{category.confidence:.0%}); 诉求类型: {label(triage.kind)}; 发生地: {where}",
        f"派单目录第{rule.line}行: {owner}",
    ]
    return (*lines, f"说明: {rule.note}") if rule.note else tuple(lines)
