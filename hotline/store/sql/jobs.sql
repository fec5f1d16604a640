-- name: begin_push
-- `end_incidents` leaves none pending whose ticket is not handed off; a process of older software may.
UPDATE incidents i SET attempts = attempts + 1, last_attempt_at = $2,
    state = CASE WHEN t.state = 'handed_off' THEN i.state ELSE 'closed' END
FROM tickets t WHERE i.key = $1 AND i.state = 'pending' AND t.id = i.ticket_id
RETURNING t.number, i.payload, i.attempts, i.state;

-- name: speaker
-- The history of the ticket $1, merged into another, whose citizen told of danger.
SELECT e.doc, e.sealed FROM tickets t JOIN ticket_events e ON e.ticket_id = t.id WHERE t.number = $1 ORDER BY e.version;

-- name: settle_push
-- What ended or was signed while the answer was under way stays so; a refusal is how its own return came about.
UPDATE incidents SET desk_number = $3, acknowledged_at = $4, last_error = '',
    state = CASE WHEN state = 'pending' OR (state, $2) = ('returned', 'refused') THEN $2 ELSE state END
WHERE key = $1 AND acknowledged_at IS NULL RETURNING key;

-- name: incident
SELECT t.number, i.state FROM incidents i JOIN tickets t ON t.id = i.ticket_id WHERE i.key = $1;

-- name: sign_incident
-- Only forward: words of the desk may come late, and twice. Tells whether the alarm for the missing signature was raised.
UPDATE incidents SET state = 'signed' WHERE key = $1 AND state IN ('pending', 'accepted', 'signed')
RETURNING unsigned_at IS NOT NULL;

-- name: fail_push
UPDATE incidents SET last_error = $2 WHERE key = $1;

-- name: silent
SELECT i.key, t.number FROM incidents i JOIN tickets t ON t.id = i.ticket_id
WHERE i.state = 'pending' AND i.created_at < $1 AND i.alarmed_at IS NULL ORDER BY i.created_at LIMIT 100;

-- name: mark_alarmed
UPDATE incidents SET alarmed_at = $2 WHERE key = $1 AND state = 'pending' AND alarmed_at IS NULL RETURNING key;

-- name: unsigned
SELECT i.key, t.number FROM incidents i JOIN tickets t ON t.id = i.ticket_id
WHERE i.state = 'accepted' AND i.acknowledged_at < $1 AND i.unsigned_at IS NULL ORDER BY i.acknowledged_at LIMIT 100;

-- name: mark_unsigned
-- Whoever marks first: a row is returned as long as the signature is missing.
UPDATE incidents SET unsigned_at = coalesce(unsigned_at, $2) WHERE key = $1 AND state = 'accepted' RETURNING key;

-- name: unmark_unsigned
UPDATE incidents SET unsigned_at = NULL WHERE key = $1;

-- name: begin_send
UPDATE outbox SET attempts = attempts + 1 WHERE key = $1 AND state = 'pending' RETURNING message, attempts;

-- name: settle_send
UPDATE outbox SET state = $2, last_error = $3, sent_at = $4 WHERE key = $1;

-- name: spare_send
-- Who is told to wait has not failed: the attempt is given back.
UPDATE outbox SET attempts = attempts - 1, last_error = $2 WHERE key = $1 AND state = 'pending';

-- name: fail_send
UPDATE outbox SET last_error = $2 WHERE key = $1;

-- name: waiting_incidents
SELECT key FROM incidents WHERE state = 'pending' AND created_at < $1 ORDER BY created_at LIMIT 500;

-- name: waiting_messages
SELECT key FROM outbox WHERE state = 'pending' AND created_at < $1 ORDER BY created_at LIMIT 500;

-- name: owe
INSERT INTO outbox (key, channel, message, created_at) VALUES ($1, $2, $3::jsonb, $4)
ON CONFLICT (key) DO NOTHING RETURNING key;
