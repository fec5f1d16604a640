-- Parcels to neighbours, and who holds whose ticket.

-- name: page
-- The next $2 events after the reader's cursor; `concerns`: of a unit among $1 topics, or of another city's ticket.
SELECT r.position AS cursor, e.position, e.ticket_id, e.version, e.concerns
FROM readers r
CROSS JOIN LATERAL (
    SELECT position, ticket_id, version,
           topics && $1::text[] OR strpos(summary, '"channel":"city"') > 0 AS concerns
    FROM ticket_events WHERE position > r.position AND position < event_horizon() ORDER BY position LIMIT $2
) AS e
WHERE r.name = 'neighbours'
ORDER BY e.position;

-- name: history
SELECT doc, sealed FROM ticket_events WHERE ticket_id = $1 AND version <= $2 ORDER BY version;

-- name: move
-- Moves the reader from $1 to $2; no row: another process was quicker.
UPDATE readers SET position = $2 WHERE name = 'neighbours' AND position = $1 RETURNING true;

-- name: add_parcels
INSERT INTO parcels (key, neighbour, ticket_id, hand_over, path, payload, created_at)
SELECT key, neighbour, ticket_id, hand_over, path, payload, $7
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
     WITH ORDINALITY AS p (key, neighbour, ticket_id, hand_over, path, payload, ordinal)
ORDER BY ordinal
ON CONFLICT (key) DO NOTHING RETURNING key;

-- name: add_hand_overs
INSERT INTO hand_overs (key, neighbour, ticket_id, number, at)
SELECT key, neighbour, ticket_id, number, $5
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS h (key, neighbour, ticket_id, number)
ON CONFLICT (key) DO NOTHING;

-- name: begin_parcel
-- A parcel that waits; `blocked`: an earlier one of the same ticket has to leave first.
UPDATE parcels p SET attempts = attempts + CASE WHEN EXISTS (
    SELECT FROM parcels e WHERE e.ticket_id = p.ticket_id AND e.neighbour = p.neighbour AND e.state = 'pending' AND e.id < p.id
) THEN 0 ELSE 1 END
WHERE p.key = $1 AND p.state = 'pending'
RETURNING p.neighbour, p.hand_over, p.path, p.payload, p.attempts, p.created_at,
          (SELECT number FROM tickets t WHERE t.id = p.ticket_id) AS number,
          EXISTS (SELECT FROM parcels e WHERE e.ticket_id = p.ticket_id AND e.neighbour = p.neighbour
                                          AND e.state = 'pending' AND e.id < p.id) AS blocked;

-- name: settle_parcel
UPDATE parcels SET state = $2, last_error = $3, sent_at = $4 WHERE key = $1 AND state = 'pending';

-- name: fail_parcel
UPDATE parcels SET last_error = $2 WHERE key = $1;

-- name: arrived
UPDATE hand_overs SET theirs = $2, told_at = $3, state = CASE WHEN state = 'waiting' THEN 'arrived' ELSE state END
WHERE key = $1;

-- name: told
UPDATE hand_overs SET state = $2, told_at = $3 WHERE key = $1;

-- name: held_by
SELECT number FROM hand_overs WHERE key = $2 AND neighbour = $1;

-- name: taken_from
SELECT t.number FROM inbox i JOIN tickets t ON t.id = i.ticket_id WHERE i.channel = 'city' AND i.external_id = $1;

-- name: waiting_parcels
SELECT key FROM parcels WHERE state = 'pending' AND created_at < $1 ORDER BY created_at, id LIMIT 500;

-- name: parcels
SELECT p.key, p.neighbour, t.number, p.path, p.state, p.attempts, p.created_at, p.sent_at, p.last_error
FROM parcels p JOIN tickets t ON t.id = p.ticket_id
WHERE p.state = $1 ORDER BY p.created_at DESC, p.id DESC LIMIT $2;

-- name: resend
-- One that was emptied has nothing to tell, and stays as it is; false for it.
UPDATE parcels SET state = CASE WHEN payload = '' THEN state ELSE 'pending' END, created_at = $2, last_error = ''
WHERE key = $1 AND state = 'dead' RETURNING payload <> '';
