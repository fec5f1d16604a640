"""What `check` says of the database."""

from __future__ import annotations

import contextlib

from hotline.cli.base import city_of
from hotline.config import Settings
from hotline.errors import HotlineError, Unavailable

_LEAST_POSTGRES = 16


def _code(chosen: Settings) -> str:
    """Return the city's code; "" where its files are wrong, which the check of the city tells."""

    with contextlib.suppress(HotlineError):
        return city_of(chosen).code
    return ""


async def database(chosen: Settings) -> str:
    """The version, what is to be migrated, and whether reports find their replica."""
    from hotline.core import database_dsn
    from hotline.store.database import open_pool
    from hotline.store.migrate import pending

    dsn = database_dsn(chosen)
    missing = await pending(dsn, city=_code(chosen))
    async with await open_pool(dsn, size=1) as pool:
        version, number = await pool.fetchrow("SELECT version(), current_setting('server_version_num')::int")
    name = " ".join(version.split()[:2])
    if number < _LEAST_POSTGRES * 10_000:
        raise Unavailable(f"{name} is too old: PostgreSQL {_LEAST_POSTGRES} or newer is needed")
    if missing:
        raise Unavailable(f"{len(missing)} migrations are missing: run `python -m hotline migrate`")
    if away := await _replica_away(chosen):
        return f"warn: {name}, up to date; reports_dsn: {away}; reports are read from the primary meanwhile"
    return f"{name}, up to date"


async def _replica_away(chosen: Settings) -> str:
    """Return why reports cannot be read from their replica; "" where they can, or where there is none."""
    from hotline.store.database import open_pool

    if chosen.reports_dsn:
        try:
            async with await open_pool(chosen.reports_dsn, size=1):
                return ""
        except Unavailable as error:
            return error.detail
    return ""
