-- The event log for the city's data platform.

-- name: page
-- No words of a ticket that is 举报 or confidential by now, whatever it was at its receipt.
SELECT e.position, e.at, e.type, e.actor, e.summary,
       CASE WHEN e.type = 'receive' AND NOT (t.confidential OR t.kind = 'report') THEN e.doc END AS doc
FROM ticket_events e JOIN tickets t ON t.id = e.ticket_id
WHERE e.position > $1 AND e.position < event_horizon()
ORDER BY e.position LIMIT $2;

-- name: horizon
SELECT event_horizon();
