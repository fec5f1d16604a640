"""Figures at size for the tickets of `tests.volume`: rollup lines, standings, calls and agents' time, made in the
database.

Three lines a ticket, as a ticket's receipt, deadlines and closing fall on different days, over 60 departments, 36
places, 5 channels and 160 matters: about as many lines as real tickets make. Two calls a ticket, of the last 40 days.
"""

from __future__ import annotations

import asyncpg

CALL_DAYS = 40
_KEY = """
SELECT 1, 'day', (at AT TIME ZONE 'Asia/Shanghai')::date + later, -1, '',
       CASE WHEN later = 0 THEN '' ELSE lead END, '镇街' || (id % 36),
       (ARRAY['call', 'wechat', 'web', 'app', 'police'])[1 + id % 5],
       lpad((1 + id % 20)::text, 2, '0'), '事项' || (id % 160), kind
"""
_DAYS = f"""
INSERT INTO tally_rollup (generation, grain, day, hour, agent, department, town, channel, l1, l2, kind, received,
    dispatched, direct_den, accurate_num, accurate_den, returned_num, returned_den, contact_num, contact_den, sign_num,
    sign_den, completion_num, completion_den, followed_up_num, followed_up_den, solved_num, solved_den, satisfied_num,
    satisfied_den, one_pass_num, one_pass_den, closed, duration_num, duration_den)
{_KEY}, sum(n) FILTER (WHERE later = 0), sum(n) FILTER (WHERE later = 1), sum(n) FILTER (WHERE later = 0),
    sum(n) FILTER (WHERE later = 1), sum(n) FILTER (WHERE later = 1), NULL, sum(n) FILTER (WHERE later = 1),
    sum(n) FILTER (WHERE later = 1 AND id % 9 > 0), sum(n) FILTER (WHERE later = 1),
    sum(n) FILTER (WHERE later = 1 AND id % 20 > 0), sum(n) FILTER (WHERE later = 1),
    sum(n) FILTER (WHERE later = 6 AND id % 12 > 0), sum(n) FILTER (WHERE later = 6),
    sum(n) FILTER (WHERE later = 6), sum(n) FILTER (WHERE later = 6),
    sum(n) FILTER (WHERE later = 6 AND id % 13 > 0), sum(n) FILTER (WHERE later = 6),
    sum(n) FILTER (WHERE later = 6 AND id % 15 > 0), sum(n) FILTER (WHERE later = 6),
    sum(n) FILTER (WHERE later = 6), sum(n) FILTER (WHERE later = 6), sum(n) FILTER (WHERE later = 6),
    sum(400000) FILTER (WHERE later = 6), sum(n) FILTER (WHERE later = 6)
FROM (SELECT id, created_at AS at, lead, kind, 1 AS n, later FROM tickets, unnest(ARRAY[0, 1, 6]) AS later) AS made
GROUP BY 3, 6, 7, 8, 9, 10, 11
"""
_HOURS = """
INSERT INTO tally_rollup (generation, grain, day, hour, agent, department, town, channel, l1, l2, kind, received,
    dispatched, closed, sign_num, sign_den, completion_num, completion_den, solved_num, solved_den)
SELECT 1, 'hour', (created_at AT TIME ZONE 'Asia/Shanghai')::date,
       extract(hour FROM created_at AT TIME ZONE 'Asia/Shanghai'), '', '', '', '', '', '', '', count(*), count(*),
       count(*), count(*), count(*), count(*), count(*), count(*), count(*)
FROM tickets GROUP BY 3, 4
"""
_AGENTS = """
INSERT INTO tally_rollup (generation, grain, day, hour, agent, department, town, channel, l1, l2, kind, answered,
    direct_num, direct_den)
SELECT 1, 'agent', (created_at AT TIME ZONE 'Asia/Shanghai')::date, -1, 'agent' || (id % 300), '', '', '', '', '', '',
       count(*), count(*), count(*)
FROM tickets GROUP BY 3, 5
"""
_STANDING = """
INSERT INTO tally_standing (generation, state, department, town, late, tickets)
SELECT 1, state, lead, '镇街' || (id % 36), due_at IS NOT NULL AND id % 50 = 0, count(*)
FROM tickets GROUP BY 2, 3, 4, 5
"""
_WATCH = """
INSERT INTO tally_watch (generation, ticket_id, due_at) SELECT 1, id, due_at FROM tickets WHERE due_at IS NOT NULL
"""
_CALLS = f"""
INSERT INTO calls (id, direction, caller, agent, started_at, asked_at, queued_at, answered_at, abandoned_at, ended_at,
                   hold_seconds, wrap_up_seconds)
SELECT 'c' || n, 'in', '+8613800000000', CASE WHEN n % 25 = 0 THEN '' ELSE 'agent' || (n % 300) END, at, at, at,
       CASE WHEN n % 25 > 0 THEN at + make_interval(secs => n % 30) END,
       CASE WHEN n % 25 = 0 THEN at + interval '40 s' END, at + interval '200 s', n % 20, n % 60
FROM (SELECT n, timestamptz '2026-11-21 00:00Z' - make_interval(secs => n * 15) AS at
      FROM generate_series(1, least($1::int * 2, {CALL_DAYS} * 5760)) AS n) AS made
"""
_STAFF = f"""
INSERT INTO tally_staff (generation, hour, staff, there, busy)
SELECT 1, timestamptz '2026-11-21 00:00Z' - make_interval(hours => n), 'agent' || m, 3000000000, 2100000000
FROM generate_series(1, least($1::int / 100, {CALL_DAYS} * 24)) AS n, generate_series(0, 299) AS m
"""


async def fill_figures(dsn: str, count: int) -> None:
    """Make the figures of the `count` tickets that `tests.volume.fill` has made."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '512MB'")
        await connection.execute("ALTER TABLE tally_rollup DROP CONSTRAINT tally_rollup_pkey")
        for statement in (_DAYS, _HOURS, _AGENTS, _STANDING, _WATCH):
            await connection.execute(statement)
        await connection.execute(_CALLS, count)
        await connection.execute(_STAFF, count)
        await connection.execute(
            "ALTER TABLE tally_rollup ADD PRIMARY KEY "
            "(generation, grain, day, hour, agent, department, town, channel, l1, l2, kind)"
        )
        await connection.execute(
            "UPDATE tally_readers SET position = (SELECT max(position) FROM ticket_events), as_of = '2026-11-21Z'")
        await connection.execute(
            "VACUUM ANALYZE tally_rollup, tally_standing, tally_watch, tally_readers, calls, tally_staff")
    finally:
        await connection.close()
