"""Connections: a pool with the hotline's settings, and named SQL from files."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import asyncpg

_SQL = Path(__file__).with_name("sql")
_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


async def open_pool(dsn: str, *, size: int = 10) -> asyncpg.Pool:
    """Open a pool of at most `size` connections.

    Statements are limited to 30 s and an open transaction to 10 s: one left open would hold back every reader of the
    event log.
    """
    settings = {
        "application_name": "hotline",
        "statement_timeout": "30000",
        "idle_in_transaction_session_timeout": "10000",
        "jit": "off",
        "TimeZone": "UTC",
    }
    return await asyncpg.create_pool(dsn, min_size=min(2, size), max_size=size, server_settings=settings)


@cache
def statements(name: str) -> dict[str, str]:
    """Return the statements of `sql/<name>.sql` by the names in their `-- name: …` lines."""
    text = (_SQL / f"{name}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {key: body.strip() for key, body in zip(parts[::2], parts[1::2], strict=True)}
