"""A city's worth of tickets made inside the database, quickly: for plans and lists at size. Synthetic, and seeded.

Rows have the shape and the distribution of real ones (most closed, few open, few emergencies); documents are short.
"""

from __future__ import annotations

from collections.abc import Callable

import asyncpg

_TICKETS = """
INSERT INTO tickets (number, code, version, state, channel, kind, l1, l2, verdict, priority, town, lead, assisting,
                     agent, alarmed, citizen, created_at, updated_at, due_at, summary, attention_at,
                     supervised)
SELECT 'DG' || to_char(at, 'YYYYMMDD') || '3' || lpad(n::text, 7, '0') || '0', lpad((n % 1000000)::text, 6, '0'), 3,
       state, 'web', kind, '03', CASE WHEN n % 5000 = 7 THEN '井盖' ELSE '路灯' END, verdict, 'P3',
       (ARRAY['南城', '东城', '虎门', '长安'])[1 + n % 4], lead,
       CASE WHEN n % 9 = 0 THEN ARRAY['单位' || ((n + 7) % 60)] ELSE '{}' END,
       CASE WHEN n % 3000 = 0 THEN 'agent' || (n % 300) ELSE '' END, n % 20000 = 0,
       key, at, at,
       CASE WHEN state IN ('closed', 'archived') THEN NULL ELSE at + interval '5 days' END, doc,
       CASE WHEN state IN ('archived', 'received') THEN NULL ELSE at + interval '9 days' END,
       state = 'handling' AND n % 30 = 0
FROM (
    SELECT n, timestamptz '2026-11-21 00:00Z' - make_interval(secs => ($1 - n) * 30) AS at,
           CASE WHEN n > $1 - 20000 THEN
               (ARRAY['received', 'pending_sign', 'handling', 'pending_follow_up', 'handed_off'])[1 + n % 5]
           ELSE (ARRAY['closed', 'archived', 'archived', 'rejected'])[1 + n % 4] END AS state,
           CASE WHEN n % 30 = 0 THEN 'report' ELSE 'complaint' END AS kind,
           CASE WHEN n % 200 = 0 THEN 'emergency' ELSE 'non_emergency' END AS verdict, '单位' || (n % 60) AS lead,
           jsonb_build_object('number', n, 'title', '体育路路灯不亮')::text AS doc
    FROM generate_series(1, $1::int) AS n
) AS made JOIN keys_of_citizens ON citizen = n % 700000
"""
_CITIZENS = 700_000
_EVENTS = """
INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics)
SELECT n, id, 1, created_at, 'receive', 'citizen:', summary, summary, ARRAY['centre', 'department:' || lead, 'tickets']
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM tickets) AS t
"""
_CALLBACKS = """
INSERT INTO callbacks (call, phone, missed_at, state, next_at, due_at, doc)
SELECT 'call' || n, '+86138' || lpad((n % 70000)::text, 8, '0'), at, state, CASE WHEN state = 'owed' THEN at END,
       at + interval '30 minutes', '{}'
FROM (
    SELECT n, timestamptz '2026-11-21 00:00Z' - make_interval(mins => $1 - n) AS at,
           CASE WHEN n > $1 - 200 THEN 'owed' ELSE 'done' END AS state
    FROM generate_series(1, $1::int) AS n
) AS made
"""
_WORDS = """
INSERT INTO ticket_search (ticket_id, words)
SELECT id, search_words(id, ARRAY['路灯', '词' || (id % 5000), '词' || (id % 4999 + 5000), '街' || (id % 300),
    chr(20000 + abs(hashint8(id)) % 5000) || '词',
    chr(30000 + abs(hashint8(id + 7)) % 300) || '街' -- these two as a search asks for them
    ], lead, assisting)
FROM tickets
"""

_TRAITS = """
INSERT INTO ticket_traits (ticket_id, at, town, spot, matter, citizen)
SELECT id, created_at, town, '村' || (id % 60), (ARRAY['停水', '路灯', '违停', '占道经营'])[1 + id % 4], citizen
FROM tickets
"""
_KEYS = """
INSERT INTO ticket_keys (key, at, ticket_id)
SELECT key, created_at, id FROM tickets
CROSS JOIN LATERAL (VALUES (id % 997), (100000 + id % 60), (200000 + id % 40009), (300000 + id)) AS k (key)
ORDER BY key, created_at, id
"""
"""Keys from those that thousands of tickets have to those that one has."""

_PROPOSALS = """
INSERT INTO merge_proposals
SELECT id, id - 3, 1.5, '["同一地点:南城"]', created_at FROM tickets WHERE id % 5 = 0 AND id > 3
"""


async def fill(
    dsn: str, count: int, *, likeness: bool = False, key_of: Callable[[str], str] = str
) -> None:
    """Make `count` tickets with one event each, then gather statistics as autovacuum would.

    Args:
        key_of: what a citizen is looked up by, from the phone; the service looks up by a blind index.
        likeness: with traits, keys and proposals to merge too: five more rows a ticket.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
        indexes = await connection.fetch(
            "SELECT indexdef, indexname FROM pg_indexes WHERE tablename = 'tickets' AND indexdef NOT LIKE '%UNIQUE%'"
        )
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["indexname"]}"')
        await connection.execute("CREATE TEMP TABLE keys_of_citizens (citizen int PRIMARY KEY, key text)")
        await connection.copy_records_to_table(
            "keys_of_citizens", records=((n, key_of(f"+86138{n:08}")) for n in range(min(_CITIZENS, count + 1)))
        )
        await connection.execute(_TICKETS, count)
        await connection.execute(_EVENTS)
        await connection.execute(_CALLBACKS, count // 20)
        await connection.execute("DROP INDEX ticket_search_words")
        await connection.execute(_WORDS)
        await connection.execute("CREATE INDEX ticket_search_words ON ticket_search USING gin (words)")
        if likeness:
            for statement in (_TRAITS, _KEYS, _PROPOSALS):
                await connection.execute(statement)
            await connection.execute("VACUUM ANALYZE ticket_traits, ticket_keys, merge_proposals, hotspots")
        for index in indexes:  # building an index at the end is several times faster than growing it
            await connection.execute(index["indexdef"])
        await connection.execute("VACUUM ANALYZE tickets, ticket_events, ticket_search, callbacks")
    finally:
        await connection.close()
