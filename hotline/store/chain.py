"""What does not fit in a link of the audit's chain: the link itself, or a row that it was made over."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from hotline.audit import Fault, Kept, Link, content_hash, first_difference, link_hash
from hotline.errors import InvalidInput
from hotline.store import sealing

_details = msgspec.json.Decoder(dict[str, str])


def chained(row: asyncpg.Record, expected: int, previous: bytes, through: int | None) -> Fault | None:
    """Return what is wrong with a link itself."""
    n = row["n"]
    if n != expected:
        return Fault(link=expected, what=f"link {expected} is missing")
    if n == 0:
        return None
    link = Link(n, row["after"], row["through"], row["records"], row["events"], row["leaves"], row["linked_at"],
                row["key"])
    if row["after"] != through or link_hash(link, previous) != row["hash"]:
        return Fault(link=n, what="the link was changed, or what comes before it")
    if len(row["leaves"]) != 32 * (row["records"] + row["events"]):
        return Fault(link=n, what="the link does not have a leaf for each of its rows")
    code = sealing.ring().code(row["hash"], key=row["key"])
    if code is None:
        raise InvalidInput(f"link {n} was signed with key {row['key']}, which the key file does not have")
    if code != row["mac"]:
        return Fault(link=n, what="the link was not signed by this house: the chain was made anew by somebody else")
    return None


def anchored(row: asyncpg.Record, anchor: tuple[int, bytes] | None) -> Fault | None:
    """Return what is wrong where the link is the one that was kept elsewhere."""
    if anchor is not None and row["n"] == anchor[0] and row["hash"] != anchor[1]:
        return Fault(link=row["n"], what="the chain is another one than the anchor was taken from")
    return None


def difference(
    link: asyncpg.Record, name: str, leaves: bytes, rows: Sequence[asyncpg.Record], found: Sequence[bytes]
) -> Fault | None:
    """Return the first row of the log `name` that is not what the link was made over; `found`: the rows' leaves."""
    differs = first_difference(leaves, found)
    if differs is None:
        return None
    index, how = differs
    if index < len(rows):
        row = rows[index]
        own = row["id"] if name == "audit_records" else row["ticket_id"]
        where = "before this row" if how == "deleted" else "this row"
        return Fault(link=link["n"], what=f"{how}: {where}", log=name, position=row["position"], number=own)
    return Fault(link=link["n"], what=f"{how}: the end of the stretch", log=name, position=link["through"])


def own_hashes(link: asyncpg.Record, records: Sequence[asyncpg.Record]) -> Fault | None:
    """Return the first record that does not fit its own hash: it was changed before it was chained."""
    for row in records:
        if not is_own(row):
            return Fault(link=link["n"], what="changed: before it was chained", log="audit_records",
                         position=row["position"], number=row["id"])
    return None


def is_own(row: asyncpg.Record) -> bool:
    """Tell whether a record's own hash fits its content."""
    return bool(content_hash(kept(row), row["detail"]) == row["hash"])


def kept(row: asyncpg.Record) -> Kept:
    """Return a row of `audit_records` as a record."""
    return Kept(
        position=row["position"], id=row["id"], at=row["at"], actor=row["actor"], act=row["act"],
        subject=row["subject"], result=row["result"], detail=_details.decode(row["detail"]),
    )
