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
-- ~a and ~b name the window of ids (sql/console.sql, search_words).
SELECT ticket_id, array_to_tsvector(
    string_to_array(words, ' ') || ARRAY['~a' || ticket_id / 20000, '~b' || ticket_id / 500000])
FROM moved, unnest($3::bigint[], $4::text[]) AS w (ticket_id, words)
ON CONFLICT (ticket_id) DO NOTHING;
