-- Recordings: fetched from the PBX after the call, kept under their SHA-256 until their time.

-- name: to_fetch
-- What was asked for in vain n times is asked for again n² seconds after the call: some 300 times in a day.
SELECT id, recording, ended_at, fetched_in_vain FROM calls
WHERE recording <> '' AND NOT fetched AND ended_at IS NOT NULL AND ended_at < $1
  AND ended_at < $1::timestamptz - make_interval(secs => fetched_in_vain::float8 ^ 2)
ORDER BY fetched_in_vain, ended_at LIMIT $2;

-- name: to_drop
-- Likewise.
SELECT c.id, c.recording, c.ended_at, c.fetched_in_vain FROM recordings_at_pbx p JOIN calls c ON c.id = p.call
WHERE c.ended_at < $1::timestamptz - make_interval(secs => c.fetched_in_vain::float8 ^ 2)
ORDER BY c.fetched_in_vain, c.ended_at LIMIT $2;

-- name: in_vain
UPDATE calls SET fetched_in_vain = fetched_in_vain + 1 WHERE id = ANY ($1::text[]);

-- name: one_at_a_time
-- Recordings of one content have one file: who keeps one and who deletes another do it one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('recording ' || $1, 12345));

-- name: keep
WITH kept AS (
    INSERT INTO recordings (call, sha256, bytes, kept_at, keep_until) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (call) DO NOTHING
), there AS (
    INSERT INTO recordings_at_pbx (call) VALUES ($1) ON CONFLICT DO NOTHING
)
UPDATE calls SET fetched = true WHERE id = $1;

-- name: dropped
DELETE FROM recordings_at_pbx WHERE call = $1;

-- name: gone
UPDATE calls SET fetched = true WHERE id = $1;

-- name: of
SELECT call, sha256, bytes, kept_at, keep_until, held_call(call) AS legal_hold, deleted_at FROM recordings WHERE call = $1;

-- name: of_ticket
-- The calls of a ticket with their recordings, the newest first.
SELECT c.id, c.direction, c.agent, c.started_at, c.answered_at, c.ended_at, c.caller, c.caller_sealed,
       r.sha256, r.bytes, r.keep_until, r.call IS NOT NULL AND held_call(c.id) AS legal_hold, r.deleted_at
FROM tickets t JOIN call_tickets k ON k.ticket_id = t.id JOIN calls c ON c.id = k.call LEFT JOIN recordings r ON r.call = c.id
WHERE t.number = $1 ORDER BY c.started_at DESC LIMIT $2;

-- name: hold
UPDATE recordings SET legal_hold = $2 WHERE call = $1 AND deleted_at IS NULL RETURNING call;

-- name: due
-- Holds are asked for here, and again by `delete`: one may have been put before the recording or its ticket was there.
SELECT call, sha256 FROM recordings
WHERE deleted_at IS NULL AND NOT legal_hold AND keep_until <= $1 AND NOT held_call(call)
ORDER BY keep_until LIMIT $2;

-- name: delete
-- Returns the hash where no other recording needs the file.
WITH deleted AS (
    UPDATE recordings SET deleted_at = $2
    WHERE call = $1 AND deleted_at IS NULL AND NOT legal_hold AND NOT held_call(call)
    RETURNING sha256
)
SELECT sha256 FROM deleted
WHERE NOT EXISTS (SELECT FROM recordings r WHERE r.sha256 = deleted.sha256 AND r.call <> $1 AND r.deleted_at IS NULL);

-- name: all
SELECT call, sha256, bytes FROM recordings WHERE deleted_at IS NULL AND call > $1 ORDER BY call LIMIT $2;
