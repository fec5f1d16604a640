-- name: page
-- The next $2 events above position $1 by which people corrected triage or a dispatch.
SELECT position, ticket_id FROM ticket_events
WHERE position > $1 AND type IN ('correct', 'approve_return')
ORDER BY position LIMIT $2;

-- name: events
-- What is needed to learn from the tickets $1: the appeal, corrections, and where it was sent.
SELECT ticket_id, doc, sealed FROM ticket_events
WHERE ticket_id = ANY ($1::bigint[]) AND type IN ('receive', 'correct', 'approve_return', 'dispatch', 'rule')
ORDER BY ticket_id, version;
