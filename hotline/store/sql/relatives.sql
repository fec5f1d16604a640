-- Tickets that belong together: merged ones, and repeats by the same citizen.

-- name: next_receipts
-- The next $1 receipts after the reader's cursor, and corrections, which may tell who the citizen is.
SELECT r.position AS cursor, e.position, e.ticket_id
FROM readers r
CROSS JOIN LATERAL (
    SELECT position, ticket_id FROM ticket_events
    WHERE position > r.position AND position < event_horizon() AND type IN ('receive', 'correct')
    ORDER BY position LIMIT $1
) AS e
WHERE r.name = 'repeats'
ORDER BY e.position;

-- name: link
-- Moves the reader from $1 to $2 and links the tickets $3 with the last $5 of the same citizen within $4 days, and with the
-- next $5 as far ahead: there are such where a correction told who it is. Links nothing if another process was quicker.
WITH moved AS (
    UPDATE readers SET position = $2 WHERE name = 'repeats' AND position = $1 RETURNING true
)
INSERT INTO ticket_repeats (ticket_id, earlier_id, same_matter)
SELECT o.ticket_id, o.earlier_id, t.l1 = o.l1 AND t.l2 = o.l2 AND t.l2 <> ''
FROM moved, tickets t
CROSS JOIN LATERAL (
    (SELECT t.id AS ticket_id, id AS earlier_id, l1, l2 FROM tickets
     WHERE citizen = t.citizen AND citizen <> '' AND created_at >= t.created_at - make_interval(days => $4::int)
       AND (created_at, id) < (t.created_at, t.id)
     ORDER BY created_at DESC LIMIT $5)
    UNION ALL
    (SELECT id, t.id, l1, l2 FROM tickets
     WHERE citizen = t.citizen AND citizen <> '' AND created_at <= t.created_at + make_interval(days => $4::int)
       AND (created_at, id) > (t.created_at, t.id)
     ORDER BY created_at LIMIT $5)
) AS o
WHERE t.id = ANY ($3::bigint[]) AND t.citizen <> ''
ON CONFLICT DO NOTHING;

-- name: relatives
-- Of the ticket $1 its parent, its children and the same citizen's tickets, at most $3 each. A department ($2) gets of
-- the citizen's only what is its own, and nothing where that would tell whose a report or a confidential ticket is.
(SELECT 'parent' AS part, p.number, p.summary, p.created_at, p.id
 FROM tickets t JOIN tickets p ON p.id = t.parent WHERE t.id = $1 AND t.state = 'merged')
UNION ALL
(SELECT 'child', number, summary, created_at, id
 FROM tickets WHERE parent = $1 AND state = 'merged' ORDER BY id DESC LIMIT $3)
UNION ALL
(SELECT 'related', o.number, o.summary, o.created_at, o.id
 FROM (SELECT earlier_id AS id FROM ticket_repeats WHERE ticket_id = $1
       UNION SELECT ticket_id FROM ticket_repeats WHERE earlier_id = $1) AS r
 JOIN tickets o ON o.id = r.id JOIN tickets t ON t.id = $1
 WHERE $2 = '' OR ((o.lead = $2 OR o.assisting @> ARRAY[$2::text]) AND o.kind <> 'report' AND NOT o.confidential
                   AND t.kind <> 'report' AND NOT t.confidential)
 ORDER BY o.created_at DESC, o.id DESC LIMIT $3)
ORDER BY part, created_at DESC, id DESC;

-- name: orphaning
-- Parents that ended without an answer and have children all the same.
SELECT DISTINCT p.id FROM tickets c JOIN tickets p ON p.id = c.parent
WHERE c.state = 'merged' AND p.state IN ('withdrawn', 'rejected') LIMIT 500;

-- name: children_of
SELECT number FROM tickets WHERE parent = $1 AND state = 'merged' ORDER BY id;
