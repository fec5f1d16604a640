-- Units' own systems: registration, webhooks out.

-- name: put_system
-- Registers a system or changes its address; the secrets stay unless new ones are given.
INSERT INTO unit_systems (unit, url, active, secret, token_hash, created_at, updated_at, updated_by)
VALUES ($1, $2, $3, coalesce($4, ''), $5, $6, $6, $7)
ON CONFLICT (unit) DO UPDATE
SET url = excluded.url, active = excluded.active, secret = coalesce($4, unit_systems.secret),
    token_hash = coalesce($5, unit_systems.token_hash), updated_at = excluded.updated_at,
    updated_by = excluded.updated_by, failures = 0, resting_until = '-infinity'
RETURNING unit;

-- name: renew_secrets
UPDATE unit_systems SET secret = $2, token_hash = $3, updated_at = $4, updated_by = $5 WHERE unit = $1
RETURNING url, active;

-- name: is_registered
SELECT EXISTS (SELECT FROM unit_systems WHERE unit = $1);

-- name: systems
SELECT u.unit, u.url, u.active, u.updated_at, u.updated_by, u.failures,
       CASE WHEN u.resting_until > $1 THEN u.resting_until END AS resting_until,
       (SELECT count(*) FROM webhook_deliveries d WHERE d.unit = u.unit AND d.state = 'pending') AS pending,
       (SELECT count(*) FROM webhook_deliveries d WHERE d.unit = u.unit AND d.state = 'dead') AS dead
FROM unit_systems u ORDER BY u.unit;

-- name: unit_of_token
SELECT unit FROM unit_systems WHERE token_hash = $1 AND active;

-- name: anything_new
-- Whether the reader has something to read; an idle poll takes no lock and writes nothing.
SELECT EXISTS (
    SELECT FROM ticket_events WHERE position > r.position AND position < event_horizon()
) FROM readers r WHERE r.name = 'webhooks';

-- name: hold_reader
-- One process at a time; the others come back later.
SELECT position FROM readers WHERE name = 'webhooks' FOR UPDATE SKIP LOCKED;

-- name: systems_told
SELECT unit, id FROM unit_systems WHERE active AND url <> '';

-- name: events_after
-- The next events of the log, at most $2, whoever they concern.
SELECT position, ticket_id, at, type, actor, summary, topics, NULL AS doc
FROM ticket_events WHERE position > $1 AND position < event_horizon() ORDER BY position LIMIT $2;

-- name: horizon
SELECT event_horizon() - 1;

-- name: move_reader
UPDATE readers SET position = $1 WHERE name = 'webhooks';

-- name: add_deliveries
INSERT INTO webhook_deliveries (id, unit, ticket_id, event, payload, created_at, started_at)
SELECT id, unit, ticket_id, event, payload, $6, $6
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[]) AS d (id, unit, ticket_id, event, payload)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: begin_delivery
-- $3: what began before is tried even while the system rests, for it is the last time.
UPDATE webhook_deliveries d SET attempts = d.attempts + 1, last_attempt_at = $2
FROM unit_systems u
WHERE d.id = $1 AND d.state = 'pending' AND u.unit = d.unit AND u.active AND u.url <> ''
  AND (u.resting_until <= $2 OR d.started_at <= $3)
RETURNING u.url, u.secret, d.unit, d.payload, d.attempts, d.started_at;

-- name: why_not
-- Why `begin_delivery` found nothing: settled, resting, or nowhere to go.
SELECT d.state, u.resting_until, coalesce(u.active AND u.url <> '', false) AS reachable
FROM webhook_deliveries d LEFT JOIN unit_systems u ON u.unit = d.unit WHERE d.id = $1;

-- name: settle_delivery
WITH sent AS (
    UPDATE webhook_deliveries SET state = 'sent', sent_at = $3, last_status = $2, last_error = ''
    WHERE id = $1 AND state = 'pending' RETURNING unit
)
UPDATE unit_systems u SET failures = 0, resting_until = '-infinity' FROM sent WHERE u.unit = sent.unit AND u.failures > 0;

-- name: fail_delivery
-- $5 now, $6 whether the system is left alone for 2 s, 4 s … 5 minutes.
WITH failed AS (
    UPDATE webhook_deliveries
    SET last_status = $2, last_error = $3, state = CASE WHEN $4 THEN 'dead' ELSE state END
    WHERE id = $1 AND state = 'pending' RETURNING unit
)
UPDATE unit_systems u
SET failures = u.failures + 1, resting_until = $5::timestamptz + make_interval(secs => least(2 ^ least(u.failures + 1, 20), 300))
FROM failed WHERE u.unit = failed.unit AND $6;

-- name: deliveries
-- In a state, newest first; ($2, $3) the last row of the page before.
SELECT d.id, d.unit, t.number, d.event, d.state, d.attempts, d.created_at, d.last_attempt_at, d.sent_at, d.last_status,
       d.last_error
FROM webhook_deliveries d JOIN tickets t ON t.id = d.ticket_id
WHERE d.state = $1 AND (d.created_at, d.id) < ($2::timestamptz, $3::text)
ORDER BY d.created_at DESC, d.id DESC LIMIT $4;

-- name: deliveries_of
-- As `deliveries`, of the unit $5.
SELECT d.id, d.unit, t.number, d.event, d.state, d.attempts, d.created_at, d.last_attempt_at, d.sent_at, d.last_status,
       d.last_error
FROM webhook_deliveries d JOIN tickets t ON t.id = d.ticket_id
WHERE d.unit = $5 AND d.state = $1 AND (d.created_at, d.id) < ($2::timestamptz, $3::text)
ORDER BY d.created_at DESC, d.id DESC LIMIT $4;

-- name: resend
-- What was given up is tried anew for 24 hours, under the same id; the system's rest ends, for somebody thinks it well.
WITH again AS (
    UPDATE webhook_deliveries SET state = 'pending', attempts = 0, started_at = $3, last_error = ''
    WHERE id = $1 AND ($2 = '' OR unit = $2) AND state = 'dead' RETURNING id, unit
), rested AS (
    UPDATE unit_systems u SET failures = 0, resting_until = '-infinity' FROM again WHERE u.unit = again.unit
)
SELECT id FROM again;

-- name: waiting_deliveries
SELECT id FROM webhook_deliveries WHERE state = 'pending' AND created_at < $1 ORDER BY created_at LIMIT 500;

-- name: forget_sent
DELETE FROM webhook_deliveries WHERE state = 'sent' AND sent_at < $1;
