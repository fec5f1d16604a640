"""`/metrics` tells operators what waits, and how old it is; figures of a lost database are gone. Logs bear a trace."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import structlog
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from hotline import logs, roles
from hotline.appeal import UNTRIAGED, Triage
from hotline.audit import Record
from hotline.city import load_city
from hotline.config import Settings
from hotline.core import Core, open_core
from hotline.errors import Unavailable
from hotline.handoff import Later
from hotline.operation import counted, exposed, watch
from hotline.roles import Role
from hotline.serve import check_ports
from hotline.store.database import open_pool
from tests.hotline.test_intake import inbound
from tests.ports import free_port


def untriaged(texts: Sequence[str]) -> Sequence[Triage]:
    return [UNTRIAGED] * len(texts)


@pytest.fixture
async def core(database: str, tmp_path: Path) -> AsyncIterator[Core]:
    settings = Settings(http_port=free_port(), data_dir=str(tmp_path))
    city = load_city(Path("cities/441900"))
    async with open_core(settings, triage=untriaged, city=city, dsn=database) as core, roles.intake_role(core):
        yield core


async def get(core: Core, path: str, **headers: str) -> tuple[str, dict[str, str]]:
    url = f"http://127.0.0.1:{core.settings.http_port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return await answer.text(), {name.lower(): value for name, value in answer.headers.items()}


async def figures(core: Core) -> dict[tuple[str, ...], float]:
    """Return (name, label values…) → value."""
    text, _ = await get(core, "/metrics")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text) for sample in family.samples
    }


async def execute(core: Core, statement: str, *given: object) -> None:
    await core.pool.execute(statement, *given)


async def test_what_waits_is_told_with_its_age(core: Core) -> None:
    await core.intake.submit(inbound())
    (core.settings.data_path / "spool").mkdir()
    for name in ("a.json", "b.refused", "c.unreadable"):
        (core.settings.data_path / "spool" / name).write_text("{}")
    ago = datetime.now(UTC) - timedelta(seconds=90)
    await execute(core, "INSERT INTO incidents (key, ticket_id, payload, created_at, alarmed_at) "
                  "SELECT 'k', id, '{}', $1, $1 FROM tickets", ago)
    await execute(core, "INSERT INTO outbox (key, channel, message, created_at) VALUES ('m', 'web', '{}', $1)", ago)
    await execute(core, "INSERT INTO webhook_deliveries (id, unit, ticket_id, event, payload, state, created_at, "
                  "started_at) VALUES ('w', 'u', 1, 'sign', '', 'dead', $1, $1)", ago)
    await execute(core, "UPDATE tickets SET due_at = $1", ago)
    for id_, talk in (("c1", 60.0), ("c2", 0.2)):  # of a talk of a moment there may be no recording
        await execute(core, "INSERT INTO calls (id, direction, started_at, answered_at, ended_at, recording) VALUES "
                      "($1, 'in', $2::timestamptz, $2 - make_interval(secs => $3::float8), $2, $1)", id_, ago, talk)
    found = await figures(core)
    assert found["hotline_backlog", "incident"] == found["hotline_backlog", "message"] == 1
    assert 90 <= found["hotline_backlog_oldest_seconds", "incident"] < 300
    assert found["hotline_backlog_oldest_seconds", "callback"] == 0
    assert found["hotline_backlog", "recording"] == 1
    assert 90 <= found["hotline_backlog_oldest_seconds", "recording"] < 300
    assert found["hotline_given_up", "webhook"] == 1
    for one in ("hotline_incidents_silent", "hotline_tickets_overdue", "hotline_spool_waiting"):
        assert found[one,] == 1
    assert found["hotline_spool_set_aside",] == 2
    assert found["hotline_database_up",] == 1
    assert {key[1] for key in found if key[0] == "hotline_reader_lag_seconds"} >= {"search", "figures"}
    assert found["hotline_reader_lag_seconds", "search"] > 0, "nobody has indexed the ticket"


async def test_what_the_night_owes_is_told_with_its_age(core: Core) -> None:
    async def noted(act: str, result: str, ago: timedelta) -> None:
        await core.audit.note(Record(at=datetime.now(UTC) - ago, actor="command_line:x", act=act, result=result))

    await noted("backup", "ok", timedelta(hours=40))
    await noted("backup", "unavailable", timedelta(hours=1))
    await noted("audit.verify", "ok", timedelta(hours=2))
    await noted("audit.verify", "status_1", timedelta(hours=1))
    await execute(core, "INSERT INTO staff (name, display_name, role, password_hash, created_at, "
                  "locked_until) VALUES ('x', 'x', 'agent', '', now(), now() + interval '1 hour')")
    found = await figures(core)
    assert 40 * 3600 <= found["hotline_upkeep_seconds", "backup"] < 41 * 3600
    assert found["hotline_upkeep_seconds", "audit.verify"] >= 2 * 3600
    assert found["hotline_audit_broken",] == found["hotline_accounts_locked",] == 1
    assert found["hotline_audit_unchained_seconds",] > 3600


async def test_a_new_house_is_not_told_off_for_its_first_night(core: Core) -> None:
    await execute(core, "UPDATE schema_migrations SET applied_at = now() - interval '2 hours'")
    found = await figures(core)
    for what in ("backup", "audit.verify"):
        assert 7200 <= found["hotline_upkeep_seconds", what] < 10_800
    assert found["hotline_audit_broken",] == found["hotline_audit_unchained_seconds",] == 0


async def test_an_open_transaction_that_hides_events_is_seen(core: Core) -> None:
    async with await open_pool(core.dsn, size=3) as other, other.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT pg_current_xact_id()")
        await core.intake.submit(inbound(received_at=datetime.now(UTC) - timedelta(seconds=30)))
        held = (await figures(core))["hotline_event_log_held_back_seconds",]
        await transaction.rollback()
    assert held > 0


async def test_without_a_database_there_are_no_stale_figures(core: Core) -> None:
    core.pool.terminate()
    found = await figures(core)
    assert found["hotline_database_up",] == 0
    assert not [key for key in found if key[0] in ("hotline_backlog", "hotline_reader_lag_seconds")]
    overdue = found["hotline_tickets_overdue",]
    assert overdue != overdue, "not a number"


def test_a_process_that_never_asks_the_database_says_nothing_of_it() -> None:
    """A 0 of a gateway would be an answer: `max` over all processes would show no emergency while nobody can look."""
    asked = "import hotline.operation, prometheus_client; print(prometheus_client.generate_latest().decode())"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    for one in ("database_up", "incidents_silent", "tickets_overdue", "audit_broken", "event_log_held_back_seconds"):
        assert re.search(rf"^hotline_{one} NaN$", told, re.MULTILINE), one


async def test_what_a_pool_can_still_give_is_told_by_every_process(database: str) -> None:
    def free() -> float | None:
        return REGISTRY.get_sample_value("hotline_database_connections", {"state": "free"})

    async with await open_pool(database, size=3) as pool:
        watch(pool)
        assert free() == 3, "only two are open yet: it opens the others when they are needed"
        async with pool.acquire(), pool.acquire():
            assert (free(), pool.get_idle_size()) == (1, 0)
            async with pool.acquire():
                assert free() == 0


async def test_requests_are_counted_by_route_and_never_by_what_was_asked(core: Core) -> None:
    await get(core, "/api/v1/tickets/DG2026112140000009?code=123456")
    await get(core, "/no/such/13812345678")
    found = await figures(core)
    assert found["hotline_http_requests_total", "GET", "/api/v1/tickets/{number}", "404"] >= 1
    assert not [key for key in found if any("13812345678" in part or "DG2026" in part for part in key)]


@pytest.mark.parametrize(("error", "outcome"), [(None, "done"), (Later(timedelta(1), "x"), "later"),
                                                (OSError("gone"), "later"), (ValueError("a mistake"), "failed")])
async def test_jobs_are_counted_by_outcome(error: Exception | None, outcome: str) -> None:
    async def run() -> None:
        if error is not None:
            raise error

    labels = {"job": "test", "outcome": outcome}
    before = REGISTRY.get_sample_value("hotline_jobs_total", labels) or 0.0
    if error is None:
        await counted("test", run(), later=(Later, OSError))
    else:
        with pytest.raises(type(error)):
            await counted("test", run(), later=(Later, OSError))
    assert REGISTRY.get_sample_value("hotline_jobs_total", labels) == before + 1


async def test_a_process_without_http_has_a_page_of_its_own() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    async with aiohttp.ClientSession() as session:
        with exposed("127.0.0.1", port):
            async with session.get(url) as answer:
                told = set(re.findall(r"^# TYPE (\w+)", await answer.text(), re.MULTILINE))
            assert {"hotline_jobs_total", "hotline_role_failures_total"} <= told
            with pytest.raises(Unavailable, match="metrics_port"):
                check_ports(Settings(metrics_port=port), [Role.JOBS])
        with pytest.raises(aiohttp.ClientError):
            await session.get(url)
    with exposed("127.0.0.1", 0):
        pass


# ── trace ────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the production configuration of logs writes."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    structlog.reset_defaults()
    logs.configure("info")
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def logged(stream: io.StringIO, event: str) -> list[dict[str, object]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if line["event"] == event]


async def appealed(core: Core, text: str, **headers: str) -> aiohttp.ClientResponse:
    url = f"http://127.0.0.1:{core.settings.http_port}/api/v1/appeals"
    async with aiohttp.ClientSession() as session, session.post(url, json={"text": text}, headers=headers) as answer:
        await answer.read()
        return answer


async def test_a_request_id_leads_from_the_channel_to_the_ticket(core: Core, lines: io.StringIO) -> None:
    answer = await appealed(core, "路灯不亮", **{"X-Request-Id": "app-42"})
    assert answer.headers["X-Request-Id"] == "app-42"
    [line] = logged(lines, "taken")
    assert (line["trace"], line["number"]) == ("app-42", json.loads(await answer.text())["number"])


@pytest.mark.parametrize("forged", ["", "x" * 65, "a b", "日志", 'a","level":"x'])
async def test_an_id_that_could_forge_a_log_is_replaced(core: Core, forged: str) -> None:
    url = f"http://127.0.0.1:{core.settings.http_port}/healthz"
    given = {"X-Request-Id": forged}
    async with aiohttp.ClientSession() as session, session.get(url, headers=given) as first, session.get(url) as second:
        ids = {first.headers["X-Request-Id"], second.headers["X-Request-Id"]}
    assert len(ids) == 2
    assert all(len(one) == 16 for one in ids)


async def test_errors_bear_the_id_too(core: Core) -> None:
    _, headers = await get(core, "/api/v1/tickets/x", **{"X-Request-Id": "lost-1"})
    assert headers["x-request-id"] == "lost-1"


async def test_nothing_personal_is_logged(core: Core, lines: io.StringIO) -> None:
    phone, identity = "13812345678", "441900199001011234"
    await appealed(core, f"我叫王小明, 电话{phone}, 身份证{identity}", **{"X-Request-Id": phone})
    structlog.get_logger("test").warning("seen", phone=phone, nested=[{"id": identity}], error=ValueError(phone))
    written = lines.getvalue()
    assert "138****5678" in written
    assert (phone in written, identity in written, "王小明" in written) == (False, False, False)


async def test_a_job_says_what_it_works_on(lines: io.StringIO) -> None:
    from pgqueuer.domain.models import Job as QueuedJob

    from hotline.jobs import _entrypoint

    async def handler(key: str) -> None:
        structlog.get_logger("test").info("working")

    job = QueuedJob.model_construct(payload=b"DG2026112140000009-1")
    await _entrypoint(handler, "push_incident")(job)
    [line] = logged(lines, "working")
    assert (line["job"], line["trace"]) == ("push_incident", "DG2026112140000009-1")


async def test_the_queries_of_figures_go_by_indexes(core: Core) -> None:
    """A scrape each few seconds must not read whole tables."""
    from hotline.store.database import statements

    async with core.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        for name, statement in statements("backlog").items():
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement}"))
            scanned = [table for table in ("tickets", "ticket_events", "incidents", "outbox", "webhook_deliveries",
                                           "parcels", "callbacks") if f"Seq Scan on {table} " in plan]
            assert scanned == [], (name, plan)
