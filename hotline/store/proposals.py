"""Proposals to the owner of the dispatch directory (派单目录): what returns and rulings taught.

`propose` gathers examples, within the transaction of the ticket that gave them. The owner takes proposals up into a new
version of the directory (`hotline.store.directories`), or dismisses them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from hotline.errors import NotFound
from hotline.lessons import Lesson, Proposed
from hotline.store.database import statements

_SQL = statements("proposals")
EXAMPLES = 20
"""Ticket numbers told with a proposal, the newest first; the count is of all."""


async def propose(connection: asyncpg.Connection, lessons: Sequence[Lesson]) -> None:
    """Add each example to the open proposal of its change, or open one; the same event counts once."""
    for one in lessons:
        await connection.execute(
            _SQL["propose"], one.l1, one.l2, one.kind, one.town, one.from_unit, one.to_unit, one.directory_version,
            one.at, one.number, one.version, one.basis, one.legal_basis,
        )


class ProposalStore:
    """Proposals with their examples, and dismissing them. Fulfils `agent_ui.proposals_api.ProposalBook`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def proposals(self, *, state: str = "open", limit: int = 200) -> list[Proposed]:
        """Return proposals in a state, those with the newest examples first."""
        return [_proposal(row) for row in await self._pool.fetch(_SQL["proposals"], state, limit, EXAMPLES)]

    async def proposal(self, id_: int) -> Proposed:
        """Return one proposal in whatever state. Raises NotFound."""
        row = await self._pool.fetchrow(_SQL["proposal"], id_, EXAMPLES)
        if row is None:
            raise NotFound(f"there is no proposal {id_}")
        return _proposal(row)

    async def dismiss(self, id_: int, *, by: str, note: str, now: datetime) -> None:
        """Record that the directory stays as it is; a later example opens a new proposal.

        Raises:
            NotFound: there is no open proposal with this id.
        """
        if await self._pool.fetchval(_SQL["dismiss"], id_, now, by, note) is None:
            raise NotFound(f"there is no open proposal {id_}: it was decided already, or never made")


def _proposal(row: asyncpg.Record) -> Proposed:
    return Proposed(**{**row, "examples": tuple(row["examples"])})
