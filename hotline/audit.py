"""The audit: who did what to whom, when, with which result; and the chain that shows what was changed later. Pure.

A record is written in the transaction of its act, with a hash of its content. Commands are events of tickets already
and are not written twice. One linker follows both logs behind the horizon, in commit order, and adds links to one
chain: a link holds the SHA-256 of every row of its stretch (its leaves), and its own hash over them and the previous
link's (docs/audit.md tells what that proves).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from hotline.errors import HotlineError

LEAF = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = "\x1f"
OK = "ok"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One act.

    Attributes:
        actor: `role:name`; `system:` for the house itself, `neighbour:code` for others' systems.
        act: what was done: `login`, `person.search`, `ticket.unmask`, `http.put /api/v1/unit-systems/{unit}` …
        subject: to whom or what: a ticket's number, an account, a phone as its blind index; never personal data.
        result: `ok`, or the error_id of the refusal.
        detail: more, as short texts: the reason given, how many were found. Never personal data.
    """

    at: datetime
    actor: str
    act: str
    subject: str = ""
    result: str = OK
    detail: dict[str, str] = {}


class Kept(Record, frozen=True, kw_only=True):
    """A record as it lies in the log. `position` is its place in commit order, `id` its number."""

    position: int
    id: int


class Link(NamedTuple):
    """A link of the chain: the rows above `after` up to `through`, records first."""

    n: int
    after: int
    through: int
    records: int
    events: int
    leaves: bytes
    linked_at: datetime
    key: str


def micros(at: datetime) -> int:
    """Return microseconds since 1970."""
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def detail_of(record: Record) -> str:
    """Return the detail as it is kept: JSON, keys in order."""
    return msgspec.json.encode(record.detail, order="sorted").decode()


def result_of(error: BaseException | None) -> str:
    """Return the result of an act that ended with this error; None is success."""
    if error is None:
        return OK
    return error.error_id if isinstance(error, HotlineError) else "internal"


def _joined(*parts: Any) -> bytes:
    """Texts bear their length, so that no two lists of parts give the same bytes."""
    fields = [f"{len(part.encode())}:{part}" if isinstance(part, str) else str(part) for part in parts]
    return _UNIT.join(fields).encode()


def content_hash(record: Record, detail: str) -> bytes:
    """Return the SHA-256 of a record's content; its own `hash`."""
    parts = (micros(record.at), record.actor, record.act, record.subject, record.result, detail)
    return hashlib.sha256(_joined(*parts)).digest()


def record_leaf(row: Any) -> bytes:
    """Return the leaf of a row of `audit_records`."""
    return hashlib.sha256(_joined(
        row["position"], row["id"], micros(row["at"]), row["actor"], row["act"], row["subject"], row["result"],
        row["detail"], row["hash"].hex(),
    )).digest()


def event_leaf(row: Any) -> bytes:
    """Return the leaf of a row of `ticket_events`. Its sealed part is not in it: rotation and erasure change that."""
    return hashlib.sha256(_joined(
        row["position"], row["ticket_id"], row["version"], micros(row["at"]), row["type"], row["actor"],
        ",".join(row["topics"]), row["doc"], row["summary"],
    )).digest()


def link_hash(link: Link, previous: bytes) -> bytes:
    """Return the SHA-256 of a link over its content and the hash before it."""
    head = _joined(link.n, link.after, link.through, link.records, link.events, micros(link.linked_at), link.key)
    return hashlib.sha256(b"%d\x1f%b%b%b" % (len(head), head, link.leaves, previous)).digest()


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that is wrong: at which link, and which row of which log where it is a row."""

    link: int
    what: str
    log: str = ""
    position: int = 0
    number: int = 0


NO_CHAIN = "there is no chain: all its links were deleted"


def head_text(number: int, digest: bytes) -> str:
    """Return a head as it is kept elsewhere and given to `audit verify --anchor`."""
    return f"{number}:{digest.hex()}"


def first_difference(leaves: bytes, found: Sequence[bytes]) -> tuple[int, str] | None:
    """Compare what was chained with what is there; return the index of the first row that differs, and how.

    Args:
        leaves: of the link, one after the other.
        found: leaves of the rows as they are now, in the same order.
    """
    chained = [leaves[at:at + LEAF] for at in range(0, len(leaves), LEAF)]
    for index, (before, now) in enumerate(zip(chained, found, strict=False)):
        if before != now:
            if now in chained[index + 1:]:
                return index, "deleted"
            return index, "inserted" if before in found[index + 1:] else "changed"
    if len(chained) == len(found):
        return None
    return min(len(chained), len(found)), "deleted" if len(found) < len(chained) else "inserted"
