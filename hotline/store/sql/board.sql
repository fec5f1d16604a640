-- The supervisor's board. Each statement is asked a few times a second while somebody looks, so each uses an index.

-- name: calls
-- Calls under way that wait for an agent (again, where they were queued after an answer, calls of ours too), the longest
-- wait in seconds up to $1, and calls that talk.
SELECT count(*) FILTER (WHERE waits) AS waiting,
       extract(epoch FROM $1::timestamptz - min(coalesce(queued_at, asked_at)) FILTER (WHERE waits))::float8 AS longest,
       count(*) FILTER (WHERE NOT waits) AS talking
FROM calls, LATERAL (SELECT answered_at IS NULL OR coalesce(queued_at > answered_at, false) AS waits) AS w
WHERE doc IS NOT NULL AND coalesce(queued_at, asked_at) IS NOT NULL AND ended_at IS NULL;

-- name: agents
SELECT state, count(*) AS people FROM presence
WHERE state <> 'offline' AND lease_until > now() GROUP BY state ORDER BY state;

-- name: channels
-- Appeals of day $1 by channel.
SELECT channel, sum(received)::bigint AS appeals FROM tally_rollup
WHERE generation = (SELECT generation FROM tally_readers WHERE active) AND grain = 'day' AND day = $1
  AND received IS NOT NULL
GROUP BY channel ORDER BY 2 DESC, 1;

-- name: hours
-- Appeals by hour on day $1 and on day $2.
SELECT hour, coalesce(sum(received) FILTER (WHERE day = $1), 0)::bigint AS today,
       coalesce(sum(received) FILTER (WHERE day = $2), 0)::bigint AS week_ago
FROM tally_rollup
WHERE generation = (SELECT generation FROM tally_readers WHERE active) AND grain = 'hour' AND day IN ($1, $2)
GROUP BY hour ORDER BY hour;

-- name: due_soon
SELECT count(*) FROM tickets WHERE due_at >= $1 AND due_at < $1::timestamptz + interval '1 hour';

-- name: incidents
SELECT count(*) AS number, count(*) FILTER (WHERE alarmed_at IS NOT NULL) AS late,
       extract(epoch FROM $1::timestamptz - min(created_at))::float8 AS oldest
FROM incidents WHERE state = 'pending';

-- name: callbacks
SELECT count(*) AS number, count(*) FILTER (WHERE alarmed) AS late,
       extract(epoch FROM $1::timestamptz - min(missed_at))::float8 AS oldest
FROM callbacks WHERE state <> 'done';

-- name: alarms
-- Alarms of the newest 1,000 tickets that have one, and how many nobody has acknowledged.
SELECT alarm.name, count(*) AS tickets,
       count(*) FILTER (WHERE NOT coalesce(doc -> 'alarms_seen', '[]'::jsonb) ? alarm.name) AS unseen
FROM (SELECT summary::jsonb AS doc FROM tickets WHERE alarmed ORDER BY created_at DESC LIMIT 1000) AS t
CROSS JOIN LATERAL jsonb_array_elements_text(coalesce(doc -> 'alarms', '[]'::jsonb)) AS alarm (name)
GROUP BY alarm.name ORDER BY 2 DESC, 1;

-- name: hot_spots
SELECT count(*) FROM hotspots WHERE ended_at IS NULL;

-- name: watching
-- A session that has not ended, whoever touched it last: a wallboard shows figures and does nothing.
SELECT true FROM sessions AS s JOIN staff AS p ON p.name = s.staff
WHERE s.token_hash = $1 AND s.expires_at > $2 AND p.active;
