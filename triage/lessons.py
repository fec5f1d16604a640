"""What a ticket's events teach about the category of its text: corrections by people, and returns that were agreed to.

A correction names the category. After an agreed return the ticket goes to another unit; if nobody named the category
anew, it is the likeliest alternative of triage whose unit by the directory is that one. Where none is, nothing is
learnt. What triage thought itself, and what units did without objection, is no lesson; nor is a message without words.
A correction counts also where triage named no category. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hotline.appeal import has_words
from hotline.commands import ApproveReturn, Correct, Dispatch, Rule
from hotline.events import Receive, Role, TicketEvent
from hotline.judged import judged_text
from hotline.terms import Kind
from routing.directory import Directory

_PEOPLE = (Role.AGENT, Role.SUPERVISOR)


class Lesson(NamedTuple):
    """A text, as triage judges it, and its category as people decided."""

    text: str
    l1: str
    l2: str


def lesson_of(events: Sequence[TicketEvent], directory: Directory) -> Lesson | None:
    """Return what the telling events of one ticket, in order, teach; None where they teach nothing."""
    first = events[0].fact if events else None
    if not isinstance(first, Receive) or not has_words(text := judged_text(first.appeal)):
        return None
    category = _corrected(events) or _returned(events, first, directory)
    return Lesson(text, *category) if category else None


def _corrected(events: Sequence[TicketEvent]) -> tuple[str, str] | None:
    """Return the category that people named last."""
    found = None
    for event in events:
        fact = event.fact
        if isinstance(fact, Correct) and event.actor.role in _PEOPLE and fact.l1 and fact.l2:
            found = (fact.l1, fact.l2)
    return found


def _returned(events: Sequence[TicketEvent], first: Receive, directory: Directory) -> tuple[str, str] | None:
    """Return the alternative whose unit got the ticket after an agreed return."""
    agreed, lead = False, None
    for event in events:
        match event.fact:
            case ApproveReturn():
                agreed, lead = True, None
            case Dispatch(lead=unit) | Rule(lead=unit) if agreed:
                lead = unit
            case _:
                pass
    if lead is None or first.triage.category is None:
        return None
    kind = first.appeal.kind or first.triage.kind or Kind.OTHER
    for rival in first.triage.alternatives:
        rule = directory.find(rival.l1, rival.l2, kind, first.triage.towns)
        if rule is not None and rule.lead == lead:
            return rival.l1, rival.l2
    return None
