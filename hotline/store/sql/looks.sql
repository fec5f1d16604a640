-- Who looks at which ticket (hotline.store.looks).

-- name: tell_look
WITH told AS (
    INSERT INTO presence_events (position, at, type, topic, doc)
    VALUES (event_position(0), $1, 'look', $2, $3::jsonb) RETURNING position
)
SELECT pg_notify('hotline_events', '') FROM told;

-- name: looks
-- The last word on each person since $2.
SELECT DISTINCT ON (doc ->> 'staff') doc::text AS doc
FROM presence_events WHERE type = 'look' AND topic = $1 AND at > $2
ORDER BY doc ->> 'staff', at DESC, position DESC;

-- name: forget_looks
-- A few at a time, those that nobody else deletes just now.
DELETE FROM presence_events WHERE position IN (
    SELECT position FROM presence_events WHERE type = 'look' AND at < $1
    ORDER BY at LIMIT 20 FOR UPDATE SKIP LOCKED
);
