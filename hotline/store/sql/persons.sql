-- A citizen's data: looked up by the blind index of the phone, handed out, held, erased.

-- name: tickets
-- Tickets of the citizen $1 with what decides about erasing, held until the end of the transaction. `matter`: the state in
-- which the matter is, of a merged ticket its parent's.
SELECT t.id, t.number, t.state, t.created_at,
       coalesce((SELECT p.state FROM tickets p WHERE p.id = t.parent AND t.state = 'merged'), t.state) AS matter,
       EXISTS (SELECT FROM legal_holds h WHERE h.lifted_at IS NULL
               AND (h.ticket_id = t.id OR (h.citizen = t.citizen AND h.citizen <> ''))) AS held,
       EXISTS (SELECT FROM nuisance_marks m WHERE m.contact = $1 AND m.lifted_at IS NULL AND m.until > $2) AS marked,
       coalesce((SELECT i.state FROM incidents i WHERE i.ticket_id = t.id ORDER BY i.created_at DESC LIMIT 1), '')
       AS incident
FROM tickets t WHERE t.citizen = $1 AND t.citizen <> '' ORDER BY t.created_at, t.id FOR UPDATE OF t;

-- name: old
-- The next $4 tickets, by age, after the sweep's cursor ($1, $2) that were received before $3, likewise.
SELECT t.id, t.number, t.state, t.created_at, t.citizen,
       coalesce((SELECT p.state FROM tickets p WHERE p.id = t.parent AND t.state = 'merged'), t.state) AS matter,
       EXISTS (SELECT FROM legal_holds h WHERE h.lifted_at IS NULL
               AND (h.ticket_id = t.id OR (h.citizen = t.citizen AND h.citizen <> ''))) AS held,
       false AS marked,
       coalesce((SELECT i.state FROM incidents i WHERE i.ticket_id = t.id ORDER BY i.created_at DESC LIMIT 1), '')
       AS incident
FROM tickets t
WHERE (t.created_at, t.id) > ($1, $2) AND t.created_at < $3 ORDER BY t.created_at, t.id LIMIT $4 FOR UPDATE OF t;

-- name: left
-- Tickets that the sweep had to leave, likewise.
SELECT t.id, t.number, t.state, t.created_at, t.citizen,
       coalesce((SELECT p.state FROM tickets p WHERE p.id = t.parent AND t.state = 'merged'), t.state) AS matter,
       EXISTS (SELECT FROM legal_holds h WHERE h.lifted_at IS NULL
               AND (h.ticket_id = t.id OR (h.citizen = t.citizen AND h.citizen <> ''))) AS held,
       false AS marked,
       coalesce((SELECT i.state FROM incidents i WHERE i.ticket_id = t.id ORDER BY i.created_at DESC LIMIT 1), '')
       AS incident
FROM retention_left l JOIN tickets t ON t.id = l.ticket_id
WHERE l.since < $1 ORDER BY l.since, t.id LIMIT $2 FOR UPDATE OF t;

-- name: erasing
-- Who erases: together with others who do, never while a hold is being put; asked for before any statement that reads holds.
SELECT pg_advisory_xact_lock_shared(12345, hashtext('holds'));

-- name: holding
-- Who puts a hold waits for what is just being erased; whoever comes later sees the hold.
SELECT pg_advisory_xact_lock(12345, hashtext('holds'));

-- name: hold_sweep
SELECT at, position FROM sweeps WHERE name = 'retention' FOR UPDATE SKIP LOCKED;

-- name: move_sweep
UPDATE sweeps SET at = $1, position = $2 WHERE name = 'retention';

-- name: leave
INSERT INTO retention_left (ticket_id, since) SELECT id, $2 FROM unnest($1::bigint[]) AS l (id)
ON CONFLICT (ticket_id) DO UPDATE SET since = excluded.since;

-- name: not_left
DELETE FROM retention_left WHERE ticket_id = ANY ($1::bigint[]);

-- name: erase_calls
-- Calls of the caller $1 that are over, of no ticket among $2 and on no hold; their recordings are due now.
WITH gone AS (
    SELECT c.id FROM calls c
    WHERE c.caller = $1 AND c.caller <> '' AND c.ended_at IS NOT NULL AND NOT held_call(c.id)
      AND NOT EXISTS (SELECT FROM call_tickets k WHERE k.call = c.id AND k.ticket_id = ANY ($2::bigint[]))
), due AS (
    UPDATE recordings r SET keep_until = least(r.keep_until, $3) FROM gone WHERE r.call = gone.id
), heard AS (
    DELETE FROM transcripts t USING gone WHERE t.call = gone.id
)
UPDATE calls c SET caller = '', caller_sealed = '' FROM gone WHERE c.id = gone.id;

-- name: callbacks
SELECT id, call, doc FROM callbacks WHERE phone = $1 AND phone <> '' AND state = 'done' AND NOT held_callback(call)
ORDER BY id FOR UPDATE;

-- name: all_callbacks
SELECT id, call, doc FROM callbacks WHERE phone = $1 AND phone <> '' ORDER BY id;

-- name: histories
SELECT ticket_id, doc, sealed FROM ticket_events WHERE ticket_id = ANY ($1::bigint[]) ORDER BY ticket_id, version;

-- name: calls
SELECT c.id, c.started_at, c.ended_at, r.call IS NOT NULL AND r.deleted_at IS NULL AS recorded
FROM calls c LEFT JOIN recordings r ON r.call = c.id WHERE c.caller = $1 AND c.caller <> '' ORDER BY c.started_at;

-- name: words
SELECT call, n, side, text FROM transcripts WHERE call = ANY ($1::text[]) ORDER BY call, n;

-- name: marks
SELECT reason, marked_at, until, lifted_at FROM nuisance_marks WHERE contact = $1 ORDER BY id;

-- name: looked_up
SELECT actor, count(*) AS times FROM audit_records WHERE subject = $1 AND subject <> '' GROUP BY actor ORDER BY actor;

-- name: ticket_id
SELECT id FROM tickets WHERE number = $1;

-- name: hold
INSERT INTO legal_holds (ticket_id, citizen, reason, held_by, held_at) VALUES ($1, $2, $3, $4, $5) RETURNING id;

-- name: follow_holds
-- Recordings follow the holds on their tickets and their caller: those of ticket $1 and citizen $2, after one is put or lifted.
UPDATE recordings r SET legal_hold = held_with(r.call)
WHERE (r.legal_hold OR r.deleted_at IS NULL) AND r.call IN (
    SELECT id FROM calls WHERE caller = $2 AND $2 <> ''
    UNION ALL SELECT call FROM call_tickets WHERE ticket_id = $1
    UNION ALL SELECT k.call FROM call_tickets k JOIN tickets t ON t.id = k.ticket_id WHERE t.citizen = $2 AND $2 <> ''
);

-- name: release
UPDATE legal_holds SET lifted_by = $2, lifted_at = $3, lift_reason = $4 WHERE id = $1 AND lifted_at IS NULL
RETURNING ticket_id, citizen;

-- name: holds
SELECT h.id, coalesce(t.number, '') AS number, h.reason, h.held_by, h.held_at, h.lifted_by, h.lifted_at, h.lift_reason
FROM legal_holds h LEFT JOIN tickets t ON t.id = h.ticket_id ORDER BY h.id DESC LIMIT 500;
