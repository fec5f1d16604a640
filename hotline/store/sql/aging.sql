-- What the retention sweep empties by its age, beside tickets: at most so many rows of each at a time.

-- name: calls
-- Who called, or was rung, before $1. A call stays as long as one of its tickets keeps its identity, and on hold. At most $2.
UPDATE calls SET caller = '', caller_sealed = '' WHERE id = ANY (ARRAY(
    SELECT c.id FROM calls c
    WHERE c.started_at < $1 AND c.caller <> '' AND c.doc IS NULL AND NOT held_call(c.id)
      AND NOT EXISTS (
          SELECT FROM call_tickets k JOIN tickets t ON t.id = k.ticket_id WHERE k.call = c.id AND t.citizen <> ''
      )
    ORDER BY c.started_at LIMIT $2 FOR UPDATE OF c SKIP LOCKED
));

-- name: callbacks
-- Callbacks that were made, of calls missed before $1. At most $2.
SELECT id, call, doc FROM callbacks
WHERE state = 'done' AND phone <> '' AND missed_at < $1 AND NOT held_callback(call)
ORDER BY missed_at LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: erase_callback
-- With the letter that told of it, if that has left.
WITH letter AS (
    UPDATE outbox o SET message = '{}', last_error = '' FROM callbacks b
    WHERE b.id = $1 AND o.key = 'callback-' || b.call AND o.state <> 'pending' AND o.message <> '{}'
)
UPDATE callbacks SET phone = '', doc = $2 WHERE id = $1;

-- name: letters
-- Letters that were delivered before $1: the row stays, so that none is sent twice, the letter does not. At most $2.
UPDATE outbox SET message = '{}', last_error = ''
WHERE key IN (
    SELECT key FROM outbox
    WHERE state <> 'pending' AND created_at < $1 AND message <> '{}' AND NOT held_letter(key, channel) LIMIT $2
);

-- name: parcels
-- Parcels to neighbours that were sent, or given up, before $1; likewise.
UPDATE parcels SET payload = '', last_error = '' WHERE id = ANY (ARRAY(
    SELECT p.id FROM parcels p
    WHERE p.state <> 'pending' AND p.payload <> '' AND p.created_at < $1
      AND NOT held_ticket((SELECT t.number FROM tickets t WHERE t.id = p.ticket_id))
    ORDER BY p.created_at LIMIT $2 FOR UPDATE OF p SKIP LOCKED
));

-- name: ended_marks
-- Marks of nuisance, of the contact $1 or (NULL) of all, that ended by $2 and still have the contact. At most $3.
SELECT m.id FROM nuisance_marks m
WHERE m.sealed <> '' AND coalesce(m.lifted_at, m.until) <= $2 AND ($1::text IS NULL OR m.contact = $1)
  AND NOT EXISTS (
      SELECT FROM legal_holds h LEFT JOIN tickets t ON t.id = h.ticket_id
      WHERE h.lifted_at IS NULL AND (h.citizen = m.contact OR t.citizen = m.contact)
  )
ORDER BY m.id LIMIT $3 FOR UPDATE OF m SKIP LOCKED;

-- name: empty_marks
UPDATE nuisance_marks SET sealed = '' WHERE id = ANY ($1::bigint[]);
