"""A record of the audit over a connection of its own, for who has none open."""

from __future__ import annotations

import asyncpg

from hotline.audit import Record
from hotline.errors import InvalidInput
from hotline.store.audit import keep
from hotline.store.database import open_pool, reached


async def keep_apart(dsn: str, record: Record) -> None:
    """Write a record.

    Raises:
        Unavailable: no connection can be had.
        InvalidInput: the database has no audit yet.
    """
    with reached(dsn):
        async with await open_pool(dsn, size=1) as pool:
            try:
                await keep(pool, record)
            except (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError) as error:
                raise InvalidInput(
                    "the database has no tables of the hotline: run `python -m hotline migrate`",
                    error_id="not_migrated",
                ) from error
