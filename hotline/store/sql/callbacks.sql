-- name: owe
-- One entry for each missed call; no row where it is owed already.
INSERT INTO callbacks (call, phone, missed_at, state, next_at, due_at, doc)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (call) DO NOTHING
RETURNING id;

-- name: by_call
SELECT id, call, doc FROM callbacks WHERE call = $1;

-- name: hold
SELECT id, call, doc FROM callbacks WHERE id = $1 FOR UPDATE;

-- name: hold_next
-- The entry that has waited longest for its try, passing over those that somebody is just taking.
SELECT id, call, doc FROM callbacks WHERE state = 'owed' AND next_at <= $1
ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: hold_phone
-- All that is still owed to one telephone, in one order so that two processes cannot deadlock.
SELECT id, call, doc FROM callbacks WHERE phone = $1 AND state <> 'done' ORDER BY id FOR UPDATE;

-- name: hold_with_others
-- One entry, and all else that is still owed to its telephone, in the same order.
SELECT id, call, doc FROM callbacks
WHERE (id = $1 OR state <> 'done') AND id IN (
    SELECT $1::bigint UNION ALL
    SELECT o.id FROM callbacks o JOIN callbacks c ON c.id = $1 AND c.phone = o.phone WHERE o.state <> 'done'
)
ORDER BY id FOR UPDATE;

-- name: hold_lapsed
-- Entries that time has something to do to: held too long, or not tried in time; $2 of each at most. Every one of them
-- changes, or is marked by `mark_tried`, so that none stands in the way of others. Those of whom a call of ours tries or
-- speaks with the citizen just now, or is not noted yet, are left to it.
WITH under_way AS MATERIALIZED (
    SELECT callback FROM calls
    WHERE doc IS NOT NULL AND callback IS NOT NULL AND started_at > $1::timestamptz - interval '1 day'
)
SELECT id, call, doc FROM callbacks
WHERE id IN (
    (SELECT id FROM callbacks WHERE state = 'assigned' AND next_at <= $1 AND id NOT IN (SELECT callback FROM under_way)
     ORDER BY next_at LIMIT $2)
    UNION
    (SELECT id FROM callbacks WHERE state <> 'done' AND NOT alarmed AND NOT tried AND due_at <= $1
     AND id NOT IN (SELECT callback FROM under_way) ORDER BY due_at LIMIT $2)
)
ORDER BY id FOR UPDATE SKIP LOCKED;

-- name: mark_tried
-- What a process wrote that is older than the column.
UPDATE callbacks SET tried = true WHERE id = ANY ($1::bigint[]);

-- name: put_off
-- What cannot be read comes up again later. What it holds stays as it is, for whoever mends it.
UPDATE callbacks SET next_at = greatest(next_at, $2), due_at = greatest(due_at, $2) WHERE id = ANY ($1::bigint[]);

-- name: put
UPDATE callbacks
SET state = $2, agent = $3, next_at = $4, alarmed = $5, outcome = $6, done_at = $7, tried = $8, doc = $9
WHERE id = $1;

-- name: tell
INSERT INTO presence_events (position, at, type, topic, doc)
SELECT event_position(0) + ordinal - 1, $1, 'callback', 'callbacks', doc::jsonb
FROM unnest($2::text[]) WITH ORDINALITY AS told (doc, ordinal);

-- name: waiting
-- Everything that is not done, the longest waiting first, with the position that the rows contain.
SELECT h.seq, c.id, c.call, c.missed_at, c.doc
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT id, call, missed_at, doc FROM callbacks
    WHERE state <> 'done' AND (missed_at, id) > ($1::timestamptz, $2::bigint)
    ORDER BY missed_at, id LIMIT $3
) AS c ON true
ORDER BY c.missed_at, c.id;

-- name: message
INSERT INTO outbox (key, channel, message, created_at) VALUES ($1, $2, $3::jsonb, $4)
ON CONFLICT (key) DO NOTHING RETURNING key;
