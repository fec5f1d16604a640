"""What the city's data platform gets of the event log: one flat row for each event, personal data masked. Pure.

A row holds the whole ticket as it stood after the event: whoever keeps the row with the highest `version` of a number
has the ticket, and whoever keeps all has their history. What was told of the matter stands in the row of the receipt
only, without telephone numbers, identity documents and the citizen's name; of confidential tickets and 举报 nothing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from agent_ui.masking import mask_name, mask_text
from hotline.events import Receive, TicketEvent
from hotline.summary import Summary
from hotline.terms import Kind

MAX_ROWS = 5000


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `cursor` grows without ever going back; ask with the last one for what comes after it."""

    cursor: int
    at: datetime
    type: str
    actor_role: str
    number: str
    version: int
    state: str
    channel: str
    kind: str
    priority: str
    verdict: str
    l1: str
    l2: str
    town: str
    department: str
    assisting: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    supervision: int
    needs_person: bool
    title: str = ""
    text: str = ""
    happened_at: str = ""
    grid: str = ""


def row_of(
    cursor: int, at: datetime, kind: str, actor: str, summary: Summary, receipt: TicketEvent | None
) -> ExportRow:
    """Return the row of an event.

    Args:
        actor: `role:name` as the log has it; the name stays here.
        summary: the ticket after the event.
        receipt: the event itself where it is the receipt.
    """
    l1, _, l2 = summary.category.partition("/")
    title, text, happened_at, grid = _words(receipt)
    return ExportRow(
        cursor=cursor, at=at, type=kind, actor_role=actor.partition(":")[0], number=summary.number,
        version=summary.version, state=summary.state, channel=summary.channel, kind=summary.kind,
        priority=summary.priority, verdict=summary.verdict, l1=l1, l2=l2, town=summary.town, department=summary.lead,
        assisting=summary.assisting, created_at=summary.created_at, updated_at=summary.updated_at, due_at=summary.due,
        supervision=summary.supervision, needs_person=summary.needs_person, title=title, text=text,
        happened_at=happened_at, grid=grid,
    )


def _words(receipt: TicketEvent | None) -> tuple[str, str, str, str]:
    if receipt is None or not isinstance(receipt.fact, Receive):
        return _NO_WORDS
    fact = receipt.fact
    appeal, kind = fact.appeal, fact.appeal.kind or fact.triage.kind
    if appeal.confidential or kind is Kind.REPORT:
        return _NO_WORDS
    title = appeal.title or fact.triage.title
    name, grid = appeal.citizen.name, appeal.place.grid
    return _masked(title, name), _masked(appeal.text, name), _masked(appeal.happened_at, name), _masked(grid, name)


_NO_WORDS = ("", "", "", "")


def _masked(text: str, name: str) -> str:
    masked = mask_text(text)
    return masked.replace(name, mask_name(name)) if len(name) > 1 else masked
