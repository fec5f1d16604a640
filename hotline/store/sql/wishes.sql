-- Micro-wishes for the public.

-- name: page
SELECT id, created_at FROM tickets
WHERE kind = 'wish' AND (created_at, id) < ($1::timestamptz, $2::bigint) ORDER BY created_at DESC, id DESC LIMIT $3;

-- name: one
SELECT id FROM tickets WHERE number = $1 AND kind = 'wish';

-- name: histories
SELECT ticket_id, doc, sealed FROM ticket_events WHERE ticket_id = ANY ($1::bigint[]) ORDER BY ticket_id, version;
