-- Sealed values, page by page: `key` tells the row, `value` what is sealed. $1 the last key seen (NULL: the first page), $2
-- the size of a page; `put` replaces the values $2 of the rows $1 by $3 where they are still the same.

-- name: about
-- About how many rows there are to look at: counting them would read them all.
SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class WHERE oid = ANY (ARRAY[
    'ticket_events', 'incidents', 'outbox', 'parcels', 'callbacks', 'calls', 'unit_systems', 'staff', 'nuisance_marks',
    'chat_lines', 'presence_events', 'transcripts'
]::regclass[]);

-- name: come_to
-- How far the rotation named $1 has come in the event log; -1 where it begins.
SELECT coalesce((SELECT position FROM sweeps WHERE name = $1), -1);

-- name: go_on
UPDATE sweeps SET position = $2 WHERE name = $1;

-- name: end
-- Run again, it looks at the events since the rotation began: those before are done.
UPDATE sweeps SET at = now(), position = coalesce((SELECT position FROM sweeps WHERE name = $1 || ', from'), -1)
WHERE name = $1;

-- name: events_page
SELECT position AS key, sealed AS value, doc FROM ticket_events
WHERE sealed IS NOT NULL AND sealed <> '' AND position > coalesce($1::bigint, -1) ORDER BY position LIMIT $2;

-- name: events_put
UPDATE ticket_events AS t SET sealed = n.new
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS n (key, old, new)
WHERE t.position = n.key AND t.sealed = n.old;

-- name: incidents_page
SELECT key AS key, payload::text AS value FROM incidents
WHERE key > coalesce($1::text, '') ORDER BY key LIMIT $2;

-- name: incidents_put
UPDATE incidents AS t SET payload = n.new::jsonb
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.key = n.key AND t.payload::text = n.old;

-- name: messages_page
SELECT key AS key, message::text AS value FROM outbox
WHERE key > coalesce($1::text, '') ORDER BY key LIMIT $2;

-- name: messages_put
UPDATE outbox AS t SET message = n.new::jsonb
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.key = n.key AND t.message::text = n.old;

-- name: parcels_page
SELECT key AS key, payload AS value FROM parcels
WHERE key > coalesce($1::text, '') ORDER BY key LIMIT $2;

-- name: parcels_put
UPDATE parcels AS t SET payload = n.new
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.key = n.key AND t.payload = n.old;

-- name: callbacks_page
SELECT call AS key, doc AS value FROM callbacks
WHERE call > coalesce($1::text, '') ORDER BY call LIMIT $2;

-- name: callbacks_put
UPDATE callbacks AS t SET doc = n.new
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.call = n.key AND t.doc = n.old;

-- name: calls_page
SELECT id AS key, doc AS value FROM calls
WHERE doc IS NOT NULL AND id > coalesce($1::text, '') ORDER BY id LIMIT $2;

-- name: calls_put
UPDATE calls AS t SET doc = n.new
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.id = n.key AND t.doc = n.old;

-- name: callers_page
SELECT id AS key, caller_sealed AS value FROM calls
WHERE caller_sealed <> '' AND id > coalesce($1::text, '') ORDER BY id LIMIT $2;

-- name: callers_put
UPDATE calls AS t SET caller_sealed = n.new
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.id = n.key AND t.caller_sealed = n.old;

-- name: units_page
SELECT unit AS key, secret AS value FROM unit_systems
WHERE secret <> '' AND unit > coalesce($1::text, '') ORDER BY unit LIMIT $2;

-- name: units_put
UPDATE unit_systems AS t SET secret = n.new
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.unit = n.key AND t.secret = n.old;

-- name: second_factors_page
SELECT name AS key, totp_secret AS value FROM staff
WHERE totp_secret IS NOT NULL AND name > coalesce($1::text, '') ORDER BY name LIMIT $2;

-- name: second_factors_put
UPDATE staff AS t SET totp_secret = n.new
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS n (key, old, new)
WHERE t.name = n.key AND t.totp_secret = n.old;

-- name: marks_page
SELECT id AS key, sealed AS value FROM nuisance_marks
WHERE sealed <> '' AND id > coalesce($1::bigint, -1) ORDER BY id LIMIT $2;

-- name: marks_put
UPDATE nuisance_marks AS t SET sealed = n.new
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.id = n.key AND t.sealed = n.old;

-- name: lines_page
-- Of two columns: the key is the number in the session, a space, and the session.
SELECT seq || ' ' || session AS key, text AS value, session, chat_lines.key AS line FROM chat_lines
WHERE text <> '' AND (session, seq) > (
    substr(coalesce($1::text, '-1 '), strpos(coalesce($1::text, '-1 '), ' ') + 1),
    split_part(coalesce($1::text, '-1 '), ' ', 1)::int
)
ORDER BY session, seq LIMIT $2;

-- name: lines_put
UPDATE chat_lines AS t SET text = n.new
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.session = substr(n.key, strpos(n.key, ' ') + 1) AND t.seq = split_part(n.key, ' ', 1)::int AND t.text = n.old;

-- name: words_page
-- Likewise: the number in the call, a space, and the call.
SELECT n || ' ' || call AS key, text AS value, call, n FROM transcripts
WHERE text <> '' AND (call, n) > (
    substr(coalesce($1::text, '-1 '), strpos(coalesce($1::text, '-1 '), ' ') + 1),
    split_part(coalesce($1::text, '-1 '), ' ', 1)::int
)
ORDER BY call, n LIMIT $2;

-- name: words_put
UPDATE transcripts AS t SET text = n.new
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.call = substr(n.key, strpos(n.key, ' ') + 1) AND t.n = split_part(n.key, ' ', 1)::int AND t.text = n.old;

-- name: told_page
SELECT position AS key, doc::text AS value, topic FROM presence_events
WHERE type = 'transcript' AND position > coalesce($1::bigint, -1) ORDER BY position LIMIT $2;

-- name: told_put
UPDATE presence_events AS t SET doc = n.new::jsonb
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n (key, old, new)
WHERE t.position = n.key AND t.doc::text = n.old;
