"""Proposals to the owner of the dispatch directory (派单目录): what returns and rulings taught.

`propose` gathers examples, within the transaction of the ticket that gave them; `proposals` lists them with counts and
examples, `settle` records the owner's decision. Accepting one into a new version of the directory is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from hotline.errors import NotFound
from hotline.lessons import Lesson
from hotline.store.database import statements

_SQL = statements("proposals")
EXAMPLES = 20
"""Ticket numbers told with a proposal, the newest first; the count is of all."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets of a category and kind at `town` ("" where unknown) belong to `to_unit`, not to `from_unit`.

    Attributes:
        state: open, accepted or dismissed; `decided_by` and `note` are of the directory's owner.
        count: how many tickets said so; `returned` of them by an approved return, `ruled` by arbitration.
        examples: their numbers, the newest first, at most `EXAMPLES`. legal_basis: the last one given.
    """

    id: int
    l1: str
    l2: str
    kind: str
    town: str
    from_unit: str
    to_unit: str
    directory_version: str
    state: str
    first_at: datetime
    last_at: datetime
    count: int
    returned: int
    ruled: int
    examples: tuple[str, ...]
    legal_basis: str = ""
    decided_at: datetime | None = None
    decided_by: str = ""
    note: str = ""


async def propose(connection: asyncpg.Connection, lessons: Sequence[Lesson]) -> None:
    """Add each example to the open proposal of its change, or open one; the same event counts once."""
    for one in lessons:
        await connection.execute(
            _SQL["propose"], one.l1, one.l2, one.kind, one.town, one.from_unit, one.to_unit, one.directory_version,
            one.at, one.number, one.version, one.basis, one.legal_basis,
        )


async def proposals(pool: asyncpg.Pool, *, state: str = "open", limit: int = 200) -> list[Proposal]:
    """Return proposals in a state, those with the newest examples first."""
    found = await pool.fetch(_SQL["proposals"], state, limit, EXAMPLES)
    return [Proposal(**{**row, "examples": tuple(row["examples"])}) for row in found]


async def settle(
    connection: asyncpg.Connection, id_: int, *, accepted: bool, by: str, note: str, now: datetime
) -> None:
    """Record the owner's decision on an open proposal; a later example opens a new one.

    Raises:
        NotFound: there is no open proposal with this id.
    """
    state = "accepted" if accepted else "dismissed"
    if await connection.fetchval(_SQL["settle"], id_, state, now, by, note) is None:
        raise NotFound(f"there is no open proposal {id_}: it was decided already, or never made")
