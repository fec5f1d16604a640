-- Open public tickets about the same thing, for citizens before they send. Confidential ones, 举报 and emergencies are
-- never public; of the rest only what the city's own lists name is shown.

-- name: alike
-- The public open tickets that share most of the keys $1 between $2 and $3: at most $5, of the newest $4 a key.
SELECT t.id, t.number, t.state, t.l2, t.lead, t.created_at, r.town, r.spot, r.matter, e.doc, e.sealed,
       1 + (SELECT count(*) FROM tickets c WHERE c.parent = t.id AND c.state = 'merged') AS people
FROM (
    SELECT k.ticket_id, count(*) AS shared, max(k.at) AS at
    FROM unnest($1::bigint[]) AS asked (key)
    CROSS JOIN LATERAL (
        SELECT ticket_id, at FROM ticket_keys
        WHERE key = asked.key AND at BETWEEN $2 AND $3
        ORDER BY at DESC LIMIT $4
    ) AS k
    GROUP BY k.ticket_id
    ORDER BY shared DESC, at DESC
    LIMIT 4 * $5
) AS n
CROSS JOIN LATERAL (
    SELECT id, number, state, l2, lead, created_at FROM tickets
    WHERE id = n.ticket_id AND state = ANY ($6::text[])
      AND verdict = 'non_emergency' AND kind <> 'report' AND NOT confidential
) AS t
CROSS JOIN LATERAL (
    SELECT town, spot, matter FROM ticket_traits WHERE ticket_id = n.ticket_id
) AS r
CROSS JOIN LATERAL (
    SELECT doc, sealed FROM ticket_events WHERE ticket_id = n.ticket_id AND version = 1
) AS e
ORDER BY n.shared DESC, n.at DESC
LIMIT $5;

-- name: nearby
-- The newest public open tickets of the town $1 (and the spot $2 unless '') since $3, at most $4.
SELECT t.id, t.number, t.state, t.l2, t.lead, t.created_at, r.town, r.spot, r.matter,
       1 + (SELECT count(*) FROM tickets c WHERE c.parent = t.id AND c.state = 'merged') AS people
FROM (
    SELECT ticket_id, town, spot, matter, at FROM ticket_traits
    WHERE at > $3 AND town = $1 AND ($2 = '' OR spot = $2) AND matter <> ''
    ORDER BY at DESC LIMIT 20 * $4
) AS r
CROSS JOIN LATERAL (
    SELECT id, number, state, l2, lead, created_at FROM tickets
    WHERE id = r.ticket_id AND state = ANY ($5::text[])
      AND verdict = 'non_emergency' AND kind <> 'report' AND NOT confidential
) AS t
ORDER BY r.at DESC LIMIT $4;

-- name: joinable
-- The public ticket numbered $1, or the one in which its matter is handled.
SELECT coalesce(p.id, t.id) AS id, coalesce(p.number, t.number) AS number, coalesce(p.state, t.state) AS state
FROM tickets t LEFT JOIN tickets p ON p.id = t.parent AND t.state = 'merged'
WHERE t.number = $1 AND t.verdict = 'non_emergency' AND t.kind <> 'report' AND NOT t.confidential
  AND coalesce(p.verdict, t.verdict) = 'non_emergency' AND coalesce(p.kind, t.kind) <> 'report'
  AND NOT coalesce(p.confidential, t.confidential);
