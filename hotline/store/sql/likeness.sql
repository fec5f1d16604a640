-- Likeness of tickets: keys, proposals to merge, hot spots.

-- name: next_receipts
-- The next $1 receipts after the reader's cursor, with what hot spots need of the ticket.
SELECT r.position AS cursor, e.position, e.ticket_id, e.at, e.doc, e.sealed, t.citizen
FROM readers r
CROSS JOIN LATERAL (
    SELECT position, ticket_id, at, doc, sealed FROM ticket_events
    WHERE position > r.position AND position < event_horizon() AND type = 'receive'
    ORDER BY position LIMIT $1
) AS e
JOIN tickets t ON t.id = e.ticket_id
WHERE r.name = 'likeness'
ORDER BY e.position;

-- name: move
-- Moves the reader from $1 to $2; nothing if another process was quicker.
UPDATE readers SET position = $2 WHERE name = 'likeness' AND position = $1 RETURNING true;

-- name: add_traits
INSERT INTO ticket_traits (ticket_id, at, town, spot, matter, citizen)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[])
ON CONFLICT DO NOTHING;

-- name: add_keys
INSERT INTO ticket_keys (key, at, ticket_id) SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[])
ON CONFLICT DO NOTHING;

-- name: nearest
-- The open tickets that share most of the keys $1 between $2 and $3, without $4: at most $6, of the newest $5 a key.
SELECT t.id, t.number, t.created_at, e.doc, e.sealed, n.shared
FROM (
    SELECT k.ticket_id, count(*) AS shared, max(k.at) AS at
    FROM unnest($1::bigint[]) AS asked (key)
    CROSS JOIN LATERAL (
        SELECT ticket_id, at FROM ticket_keys
        WHERE key = asked.key AND at BETWEEN $2 AND $3
        ORDER BY at DESC LIMIT $5
    ) AS k
    WHERE k.ticket_id <> $4
    GROUP BY k.ticket_id
    ORDER BY shared DESC, at DESC
    LIMIT 4 * $6
) AS n
CROSS JOIN LATERAL (
    SELECT id, number, created_at FROM tickets
    WHERE id = n.ticket_id AND state NOT IN ('closed', 'archived', 'rejected', 'withdrawn', 'merged')
) AS t
CROSS JOIN LATERAL (
    SELECT doc, sealed FROM ticket_events WHERE ticket_id = n.ticket_id AND version = 1
) AS e
ORDER BY n.shared DESC, n.at DESC
LIMIT $6;

-- name: propose
INSERT INTO merge_proposals (ticket_id, other_id, score, reasons, at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::real[], $4::text[], $5::timestamptz[])
ON CONFLICT DO NOTHING;

-- name: similar
-- What is proposed for the ticket numbered $1, either way round, while both are open; likeliest first, at most $2. A 举报 or
-- confidential ticket is not merged with another citizen's.
WITH asked AS (SELECT id, citizen, kind = 'report' OR confidential AS discreet FROM tickets WHERE number = $1),
found AS (
    SELECT other_id AS id, score, reasons FROM merge_proposals, asked
    WHERE ticket_id = asked.id AND dismissed_at IS NULL
    UNION ALL
    SELECT ticket_id, score, reasons FROM merge_proposals, asked
    WHERE other_id = asked.id AND dismissed_at IS NULL
)
SELECT t.number, t.summary, found.score, found.reasons
FROM found JOIN tickets t USING (id) CROSS JOIN asked
WHERE t.state NOT IN ('closed', 'archived', 'rejected', 'withdrawn', 'merged')
  AND (NOT (asked.discreet OR t.kind = 'report' OR t.confidential) OR (t.citizen = asked.citizen AND t.citizen <> ''))
ORDER BY found.score DESC, t.id LIMIT $2;

-- name: dismiss
-- An agent ($3) finds that the tickets numbered $1 and $2 are about two things.
UPDATE merge_proposals SET dismissed_at = $4, dismissed_by = $3
FROM tickets one, tickets other
WHERE one.number = $1 AND other.number = $2 AND dismissed_at IS NULL
  AND ((ticket_id = one.id AND other_id = other.id) OR (ticket_id = other.id AND other_id = one.id))
RETURNING true;

-- name: counts
-- Citizens who told of a matter in a place within 6, 24 and 168 hours before $1, the tickets of the longest window, and
-- how many tickets there were in the 28 days before that. Only where at least $2 tell of it.
SELECT town, coalesce(spot, '') AS spot, matter,
       count(DISTINCT who) FILTER (WHERE at > $1::timestamptz - interval '6 hours') AS h6,
       count(DISTINCT who) FILTER (WHERE at > $1::timestamptz - interval '24 hours') AS h24,
       count(DISTINCT who) FILTER (WHERE at > $1::timestamptz - interval '7 days') AS h168,
       count(*) FILTER (WHERE at <= $1::timestamptz - interval '7 days') AS before,
       min(at) FILTER (WHERE at > $1::timestamptz - interval '7 days') AS began_at, max(at) AS last_at,
       (array_agg(ticket_id ORDER BY at DESC) FILTER (WHERE at > $1::timestamptz - interval '7 days'))[1:50] AS tickets
FROM (
    SELECT at, town, nullif(spot, '') AS spot, matter, ticket_id,
           CASE WHEN citizen = '' THEN ticket_id::text ELSE citizen END AS who
    FROM ticket_traits
    WHERE at > $1::timestamptz - interval '35 days' AND at <= $1::timestamptz AND town <> '' AND matter <> ''
) AS told
GROUP BY GROUPING SETS ((town, matter), (town, spot, matter))
HAVING (GROUPING(spot) = 1 OR spot IS NOT NULL)
   AND count(DISTINCT who) FILTER (WHERE at > $1::timestamptz - interval '7 days') >= $2;

-- name: since
-- When what is known of places and matters at $1 began.
SELECT min(at) FROM ticket_traits WHERE at <= $1;

-- name: keep_hotspot
-- A hot spot as it stands now; a new row unless one is active there. The last of its tickets carries its alarm.
INSERT INTO hotspots (town, spot, matter, hours, count, expected, began_at, last_at, found_at, tickets)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (town, spot, matter) WHERE ended_at IS NULL
DO UPDATE SET hours = excluded.hours, count = excluded.count, expected = excluded.expected,
              last_at = excluded.last_at,
              tickets = CASE WHEN hotspots.alarmed_at IS NULL THEN excluded.tickets ELSE array_append(
                  array_remove(excluded.tickets, hotspots.tickets[cardinality(hotspots.tickets)]),
                  hotspots.tickets[cardinality(hotspots.tickets)]) END;

-- name: end_hotspots
-- Ends what was active at $1 and is no longer among (town, spot, matter) = ($2, $3, $4).
UPDATE hotspots SET ended_at = $1
WHERE ended_at IS NULL AND found_at < $1
  AND (town, spot, matter) NOT IN (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]));

-- name: unalarmed
-- Hot spots nobody was told of, with the ticket that carries the alarm.
SELECT h.id, h.town, h.spot, h.matter, h.hours, h.count, h.expected, t.number
FROM hotspots h JOIN tickets t ON t.id = h.tickets[cardinality(h.tickets)]
WHERE h.alarmed_at IS NULL AND h.ended_at IS NULL ORDER BY h.id LIMIT 100;

-- name: mark_alarmed
-- The ticket numbered $3 carries its alarm.
UPDATE hotspots h SET alarmed_at = $2, tickets = array_append(array_remove(h.tickets, t.id), t.id)
FROM tickets t WHERE h.id = $1 AND h.alarmed_at IS NULL AND t.number = $3;

-- name: still_alarmed
-- Hot spots that are over and whose alarm has not been cleared, with the ticket that carries it; without one where somebody
-- has cleared it, or where it is also another's that goes on (a whole town's and one village's).
SELECT h.id, t.number
FROM hotspots h LEFT JOIN tickets t ON t.id = h.tickets[cardinality(h.tickets)] AND t.alarmed
    AND (t.summary::jsonb -> 'alarms') ? 'hot_spot'
    AND NOT EXISTS (
        SELECT FROM hotspots o
        WHERE o.ended_at IS NULL AND o.alarmed_at IS NOT NULL AND o.tickets[cardinality(o.tickets)] = t.id
    )
WHERE h.ended_at IS NOT NULL AND h.alarmed_at IS NOT NULL ORDER BY h.id LIMIT 100;

-- name: mark_cleared
UPDATE hotspots SET alarmed_at = NULL WHERE id = $1 AND ended_at IS NOT NULL;

-- name: hotspots
-- The active hot spots and those that ended within a day before $1, the newest first, at most $2.
SELECT h.*, ARRAY(
    SELECT number FROM unnest(h.tickets) WITH ORDINALITY AS k (id, place) JOIN tickets USING (id) ORDER BY place
) AS numbers
FROM hotspots h
WHERE ended_at IS NULL OR ended_at > $1::timestamptz - interval '1 day'
ORDER BY found_at DESC, id DESC LIMIT $2;

-- name: forget_keys
-- Keys older than $1: nothing so old is proposed.
DELETE FROM ticket_keys WHERE at < $1;
