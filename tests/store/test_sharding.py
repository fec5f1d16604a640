"""Every table is distributed, a reference or of a moment, as docs/scale.md says; the distributed ones bear the key."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from hotline.errors import InvalidInput
from hotline.store import dump
from hotline.store.migrate import migrate, pending
from tests.conftest import _admin, _named
from tests.hotline.test_intake import all_rows, inbound, intake_over

TABLES = """
SELECT c.relname AS name, pg_get_expr(d.adbin, d.adrelid) AS told, a.attnotnull AS always
FROM pg_class c
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'city' AND a.atttypid = 'integer'::regtype
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'pgqueuer%'
"""


def groups() -> list[list[str]]:
    """Return the names in the three rows of the table in docs/scale.md: distributed, reference, of a moment."""
    section = Path("docs/scale.md").read_text(encoding="utf-8").partition("## The sharding key")[2]
    rows = re.findall(r"^\| (?:distributed|reference|of a process).*\| (.*) \|$", section, re.MULTILINE)
    return [[name.strip().replace("\\", "") for name in row.split(",") if "and " not in name] for row in rows]


async def test_every_table_has_its_place_and_the_distributed_ones_their_key(database: str) -> None:
    distributed, reference, moment = groups()
    for table in await all_rows(database, TABLES):
        homes = [place for place in (distributed, reference, moment)
                 if any(fnmatchcase(table["name"], name) for name in place)]
        assert len(homes) == 1, f"docs/scale.md: where does {table['name']} belong?"
        assert (table["told"], table["always"]) == (("0", True) if homes[0] is distributed else (None, None)), (
            f"{table['name']}: add city as migration 0017 does"
        )
    names = {table["name"] for table in await all_rows(database, TABLES)}
    for name in (*distributed, *reference, *moment):
        assert any(fnmatchcase(table, name) for table in names), f"docs/scale.md: there is no {name}"


async def test_rows_say_of_which_city_they_are(postgres: str) -> None:
    await _admin(postgres, "CREATE DATABASE hotline_city")
    dsn = _named(postgres, "hotline_city")
    try:
        await migrate(dsn, city="441900")
        async with intake_over(dsn) as intake:
            await intake.submit(inbound())
        for table in ("tickets", "ticket_events", "inbox"):
            assert {row["city"] for row in await all_rows(dsn, f"SELECT city FROM {table}")} == {441900}
        assert await pending(dsn, city="441900") == []
        for opened in (migrate, pending):  # as `serve` and `migrate` open it, and as `check` does
            with pytest.raises(InvalidInput, match="the city 441900, and city_dir has the files of 440100") as refused:
                await opened(dsn, city="440100")
            assert refused.value.error_id == "other_city"
        async with dump.snapshot(dsn) as moment:
            assert moment.about.city == "441900", "a backup tells it too"
    finally:
        await _admin(postgres, "DROP DATABASE hotline_city WITH (FORCE)")


async def test_a_key_that_is_no_code_is_refused(postgres: str) -> None:
    await _admin(postgres, "CREATE DATABASE hotline_nowhere")
    try:
        with pytest.raises(Exception, match="integer"):
            await migrate(_named(postgres, "hotline_nowhere"), city="东莞")
    finally:
        await _admin(postgres, "DROP DATABASE hotline_nowhere WITH (FORCE)")
