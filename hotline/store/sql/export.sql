-- The event log for the city's data platform.

-- name: page
SELECT position, at, type, actor, summary, CASE WHEN type = 'receive' THEN doc END AS doc
FROM ticket_events WHERE position > $1 AND position < event_horizon()
ORDER BY position LIMIT $2;

-- name: horizon
SELECT event_horizon();
