"""The hot queries at 1,000,000 tickets: each uses its index and reads about what it returns, however it is planned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from hotline.store.database import statements
from hotline.store.migrate import migrate
from hotline.summary import CENTRE_STATES
from hotline.terms import State
from tests.volume import fill

TICKETS = 1_000_000
LATEST = datetime.fromisoformat("2026-11-21T00:00:00+00:00")
FIRST_PAGE = (LATEST + timedelta(days=1), 2**62)
DEEP_PAGE = (LATEST - timedelta(days=100), 2**62)
ALL = sorted(State)
CENTRE = sorted(CENTRE_STATES)
OPEN = ["received", "pending_sign", "handling"]

CALLBACKS = {"callbacks_open", "callbacks_by_phone", "callbacks_waiting"}
"""All of them hold only what is not done, a few hundred rows: any serves."""

QUERIES: dict[str, tuple[str, str, tuple[object, ...], set[str]]] = {
    "list by state": ("console", "list_states", (CENTRE, *FIRST_PAGE, 50, "centre"), {"tickets_by_state"}),
    "list of everything, deep": ("console", "list_states", (ALL, *DEEP_PAGE, 50, "tickets"), {"tickets_by_state"}),
    "list of a department": (
        "console", "list_department", (OPEN, *FIRST_PAGE, 50, "单位7"), {"tickets_by_lead", "tickets_by_assisting"},
    ),
    "list of an agent": ("console", "list_agent", (ALL, *FIRST_PAGE, 50, "agent0"), {"tickets_by_agent"}),
    "list of emergencies": ("console", "list_emergency", (ALL, *FIRST_PAGE, 50, "x"), {"tickets_emergency"}),
    "list of alarms": ("console", "list_alarms", (ALL, *FIRST_PAGE, 50, "x"), {"tickets_alarmed"}),
    "list of what is supervised": (
        "console", "list_supervised", (ALL, *FIRST_PAGE, 50, "x"), {"tickets_supervised"},
    ),
    "callbacks that wait": ("callbacks", "waiting", (LATEST - timedelta(days=900), 0, 50), CALLBACKS),
    "a callback with others": ("callbacks", "hold_with_others", (1,), {"callbacks_by_phone", "callbacks_pkey"}),
    "the next callback": ("callbacks", "hold_next", (LATEST,), {"callbacks_waiting"}),
    "one ticket": ("console", "find", ("DG20261121300000010",), {"tickets_number_key"}),
    "its history": ("console", "history", (77,), {"ticket_events_ticket_id_version_key"}),
    "search by citizen": (
        "console", "search", (ALL, *FIRST_PAGE, 50, "", "+8613800000123", ""), {"tickets_by_citizen"},
    ),
    "search by words": (
        "console", "search_words", (ALL, *FIRST_PAGE, 50, "", "", "", "'{block}~词77' & '{block}~街77'"),
        {"ticket_search_words", "ticket_search_pkey"},
    ),
    "search by a word that all have": (
        "console", "search_words", (ALL, *FIRST_PAGE, 50, "", "", "", "'{block}~路灯'"),
        {"ticket_search_words", "ticket_search_pkey"},
    ),
    "search by words in a department": (
        "console", "search_words", (ALL, *FIRST_PAGE, 50, "", "", "单位7", "'{block}~词77' & '{block}~~d单位7'"),
        {"ticket_search_words", "ticket_search_pkey"},
    ),
    "event tail": ("tail", "page", (TICKETS - 40, 500, False), {"ticket_events_pkey"}),
    "event tail, idle": ("tail", "page", (TICKETS, 500, False), {"ticket_events_pkey"}),
    "what a console missed": ("console", "replay", (TICKETS - 300, ["centre"], 500), {"ticket_events_pkey"}),
    "how much it missed": ("console", "count_after", (TICKETS - 9_000, 15_000), {"ticket_events_pkey"}),
    "a followed ticket": (
        "console", "list_ticket", (ALL, *FIRST_PAGE, 50, "DG20261121300000010"), {"tickets_number_key"},
    ),
    "public tickets": ("channels", "public", (None, None, None, 50, 0), {"tickets_public"}),
    "public tickets, the last page": ("channels", "public", (None, None, None, 100, 9900), {"tickets_public"}),
    "public tickets of a rare category": (
        "channels", "public_of", (None, None, None, 50, 0, ["03/井盖", "03/无"]), {"tickets_public_by_category"},
    ),
    "public tickets of a category, the last page": (
        "channels", "public_of", (None, None, None, 100, 9900, ["03/路灯"]), {"tickets_public_by_category"},
    ),
    "public tickets by number": (
        "channels", "public_numbered", (["DG20261121300000010", "DG1"], 100), {"tickets_number_key"},
    ),
    "incidents left silent": ("jobs", "silent", (LATEST,), {"incidents_waiting"}),
    "incidents left unsigned": ("jobs", "unsigned", (LATEST,), {"incidents_unsigned"}),
    "what time has to do": ("sweep", "due", (LATEST, 200), {"tickets_by_attention"}),
    "what a unit pulls": (
        "unit_pages", "events_of", (TICKETS - 5000, 5000, "department:单位7"), {"ticket_events_pkey"},
    ),
    "webhooks' reader": ("units", "events_after", (TICKETS - 400, 500), {"ticket_events_pkey"}),
    "relatives of a ticket": ("relatives", "relatives", (77, "单位7", 100), {"tickets_by_parent"}),
    "receipts to link": ("relatives", "next_receipts", (500,), {"ticket_events_pkey"}),
    "citizens of a family": ("tickets", "children", (77,), {"tickets_by_parent"}),
    "what tickets are like": (
        "likeness", "nearest",
        ([100_007, 100_011, 7, 17, 23, 200_077, 200_099, 300_077], LATEST - timedelta(days=60), LATEST, 77, 40, 12),
        {"ticket_keys_pkey"},
    ),
    "what is proposed": (
        "likeness", "similar", ("DG20261121300000010", 10), {"merge_proposals_pkey", "merge_proposals_other"},
    ),
    "how old the log of hot spots is": ("likeness", "since", (LATEST,), {"ticket_traits_by_time"}),
    "counts for hot spots": ("likeness", "counts", (LATEST, 5), {"ticket_traits_by_time"}),
    "what neighbours have to be told": ("neighbours", "page", (["department:单位7"], 500), {"ticket_events_pkey"}),
    "a citizen's tickets at the portal": (
        "portal", "mine", ("p-1", "+8613800000123", *FIRST_PAGE, 51), {"tickets_by_citizen"},
    ),
    "micro-wishes": ("wishes", "page", (*FIRST_PAGE, 50), {"tickets_wishes"}),
    "the data platform's page": ("export", "page", (TICKETS - 300, 1000), {"ticket_events_pkey"}),
    "a nuisance's last hour": (
        "nuisance", "recent", ("+8613800000123", LATEST, "app", "x", OPEN),
        {"tickets_by_citizen", "tickets_by_channel_key"},
    ),
    "what grows too old": (
        "persons", "old", (LATEST - timedelta(days=100), 77, LATEST, 500), {"tickets_by_age"},
    ),
    "a page of what new keys seal, deep": ("reseal", "events_page", (TICKETS - 5000, 500), {"ticket_events_pkey"}),
    "what is due": ("plans", "", (), {"tickets_by_due"}),
}
DUE = "SELECT number FROM tickets WHERE due_at IS NOT NULL AND due_at < $1 ORDER BY due_at LIMIT 100"
LARGE = {"tickets", "ticket_events", "incidents", "ticket_keys", "ticket_traits"}
READ = {"counts for hot spots": 120_000}
"""Most rows that a query may read, 20,000 where nothing is said: hot spots count five weeks, once a minute."""
# The store plans it anew each time.
ONLY_CUSTOM = {"search by citizen"}


@pytest.fixture(scope="module")
def city(postgres: str) -> Iterator[str]:
    dsn = postgres.replace("/postgres?", "/city_of_a_million?", 1)

    async def make() -> None:
        admin = await asyncpg.connect(postgres)
        await admin.execute("CREATE DATABASE city_of_a_million")
        await admin.close()
        await migrate(dsn)
        await fill(dsn, TICKETS, likeness=True)

    async def drop() -> None:
        admin = await asyncpg.connect(postgres)
        await admin.execute("DROP DATABASE city_of_a_million WITH (FORCE)")
        await admin.close()

    asyncio.run(make())
    yield dsn
    asyncio.run(drop())


@pytest.fixture
async def connection(city: str) -> AsyncIterator[asyncpg.Connection]:
    found = await asyncpg.connect(city)
    yield found
    await found.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", QUERIES)
async def test_the_plan(connection: asyncpg.Connection, name: str, mode: str) -> None:
    if mode == "force_generic_plan" and name in ONLY_CUSTOM:
        return
    file, statement, parameters, indexes = QUERIES[name]
    sql = statements(file)[statement] if statement else DUE
    await connection.execute(f"SET plan_cache_mode = {mode}")
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *(parameters or (LATEST,)))
    plan = list(nodes(json.loads(explained)[0]["Plan"]))
    used = {node["Index Name"] for node in plan if "Index Name" in node}
    found = used >= indexes if name.startswith("search by words") else used & indexes
    assert found, f"{name}: used {used or 'no index'}"
    scans = [n["Relation Name"] for n in plan if n["Node Type"] == "Seq Scan"]
    assert not LARGE & set(scans), f"{name} reads a whole table"
    read = max(
        (n["Actual Rows"] + n.get("Rows Removed by Filter", 0)) * n["Actual Loops"] for n in plan if "Index Name" in n
    )
    assert read <= READ.get(name, 20_000), f"{name} reads {read} rows"
