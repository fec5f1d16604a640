-- name: page
-- The next $2 events above position $1 that no open transaction can still come before; $3: whole documents wanted.
-- Both branches walk their primary key, so an idle poll costs two index look-ups.
SELECT position, at, type, actor, topics, summary, doc
FROM (
    (SELECT position, at, type, actor, topics, summary,
            CASE WHEN $3 THEN doc END AS doc
     FROM ticket_events
     WHERE position > $1 AND position < event_horizon()
     ORDER BY position LIMIT $2)
    UNION ALL
    (SELECT position, at, type, doc ->> 'actor', ARRAY[topic], NULL, doc::text
     FROM presence_events
     WHERE position > $1 AND position < event_horizon()
     ORDER BY position LIMIT $2)
) AS events
ORDER BY position LIMIT $2;

-- name: health
-- Where the horizon stands, and the age in seconds of the oldest committed event that it still hides.
SELECT event_horizon() AS horizon, extract(epoch FROM now() - min(at))::float8 AS held_back
FROM (
    SELECT at FROM ticket_events WHERE position >= event_horizon()
    UNION ALL
    SELECT at FROM presence_events WHERE position >= event_horizon()
) AS hidden;

-- name: holder
-- Whose transaction holds the horizon back: the oldest one that writes.
SELECT pid, datname AS database, application_name AS application, state, xact_start::text AS since, left(query, 80) AS query
FROM pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY age(backend_xid) DESC LIMIT 1;
