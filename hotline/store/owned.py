"""Whose files a data directory holds: a note in it names the database that was served, or restored, with them last.

A backup that is tried out on a spare database must not bring recordings and files back into the directory in service:
what was deleted there since, by age or for an erased citizen, would stay for ever, as no row leads to it any more.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from hotline.durable import write_durably
from hotline.errors import InvalidInput
from hotline.store.database import reached
from hotline.store.hosts import connect

log = structlog.get_logger(__name__)
NOTE = "database.txt"


async def identity(dsn: str) -> str:
    """Return which database it is, wherever it is reached and whichever of its servers answers. Raises Unavailable."""
    with reached(dsn):
        connection = await connect(dsn)
        try:
            return str(await connection.fetchval(
                "SELECT format('%s on server %s', current_database(), system_identifier) FROM pg_control_system()"
            ))
        finally:
            await connection.close()


def check_owner(data: Path, database: str) -> None:
    """Raise InvalidInput where the files of the data directory are another database's."""
    noted = _noted(data)
    if noted and noted != database:
        raise InvalidInput(
            f"the files in {data} are those of another database ({noted}): set another HOTLINE_DATA_DIR for this one; "
            f"where that database is gone for good, take {data / NOTE} away first", error_id="other_database",
        )


def own(data: Path, database: str) -> None:
    """Note that the files of the data directory are this database's."""
    noted = _noted(data)
    if noted == database:
        return
    if noted:
        log.warning("data_dir_of_another_database", folder=str(data), before=noted, now=database)
    write_durably(data / NOTE, database.encode())


def _noted(data: Path) -> str:
    file = data / NOTE
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""
