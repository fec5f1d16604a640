-- What the retention sweep empties by its age, beside tickets: at most so many rows of each at a time.

-- name: calls
-- Who called, or was rung, before $1. A call stays as long as its ticket keeps its identity, and on hold. At most $2.
UPDATE calls SET caller = '', caller_sealed = '' WHERE id = ANY (ARRAY(
    SELECT c.id FROM calls c
    WHERE c.started_at < $1 AND c.caller <> '' AND c.doc IS NULL AND NOT held_call(c.id)
      AND coalesce((SELECT t.citizen FROM tickets t WHERE t.id = c.ticket_id), '') = ''
    ORDER BY c.started_at LIMIT $2 FOR UPDATE OF c SKIP LOCKED
));

-- name: callbacks
-- Callbacks that were made, of calls missed before $1. At most $2.
SELECT id, call, doc FROM callbacks
WHERE state = 'done' AND phone <> '' AND missed_at < $1 AND NOT held_callback(call)
ORDER BY missed_at LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: erase_callback
UPDATE callbacks SET phone = '', doc = $2 WHERE id = $1;

-- name: letters
-- Letters that were delivered before $1: the row stays, so that none is sent twice, the letter does not. At most $2.
UPDATE outbox SET message = '{}'
WHERE key IN (
    SELECT key FROM outbox
    WHERE state <> 'pending' AND created_at < $1 AND message <> '{}' AND NOT held_letter(key, channel) LIMIT $2
);
