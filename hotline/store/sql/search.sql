-- name: unindexed
-- The next $1 receipts after the reader's cursor.
SELECT r.position AS cursor, e.position, e.ticket_id, e.doc
FROM readers r
CROSS JOIN LATERAL (
    SELECT position, ticket_id, doc FROM ticket_events
    WHERE position > r.position AND position < event_horizon() AND type = 'receive'
    ORDER BY position LIMIT $1
) AS e
WHERE r.name = 'search'
ORDER BY e.position;

-- name: index
-- Moves the reader from $1 to $2 and adds the words; adds nothing if another process was quicker.
WITH moved AS (
    UPDATE readers SET position = $2 WHERE name = 'search' AND position = $1 RETURNING true
)
INSERT INTO ticket_search (ticket_id, words)
SELECT t.id, coalesce(search_words(t.id, string_to_array(w.words, ' '), t.lead, t.assisting), '')
FROM moved, unnest($3::bigint[], $4::text[]) AS w (ticket_id, words)
JOIN tickets AS t ON t.id = w.ticket_id
ON CONFLICT (ticket_id) DO NOTHING;

-- name: refresh_units
-- Adds the units of at most $1 tickets that went to others. One not indexed yet waits: whoever is indexing it may have
-- read it before it went.
WITH gone AS (
    DELETE FROM search_stale WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM search_stale AS s
        WHERE EXISTS (SELECT FROM ticket_search AS w WHERE w.ticket_id = s.ticket_id)
        LIMIT $1 FOR UPDATE SKIP LOCKED
    ))
    RETURNING ticket_id
), added AS (
    UPDATE ticket_search AS w SET words = w.words || search_words(t.id, '{}', t.lead, t.assisting)
    FROM tickets AS t
    WHERE t.id = w.ticket_id AND w.ticket_id IN (SELECT ticket_id FROM gone) AND (t.lead <> '' OR t.assisting <> '{}')
)
SELECT count(*) FROM gone;
