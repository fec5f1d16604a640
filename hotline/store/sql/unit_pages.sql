-- name: events_of
-- Of the next $2 events of the log above position $1 those of the topic $3, with how far the log was read.
WITH page AS MATERIALIZED (
    SELECT position, at, type, actor, summary, topics
    FROM ticket_events WHERE position > $1 AND position < event_horizon() ORDER BY position LIMIT $2
)
SELECT r.scanned, r.through, p.position, p.at, p.type, p.actor, p.summary, p.topics, NULL AS doc
FROM (SELECT count(*) AS scanned, max(position) AS through FROM page) AS r
LEFT JOIN page p ON p.topics @> ARRAY[$3::text]
ORDER BY p.position;
