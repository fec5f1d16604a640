-- The telephone at this moment, and what was heard in a call.

-- name: calls
SELECT id, doc, caller, caller_sealed, alarm FROM calls WHERE doc IS NOT NULL AND ended_at IS NULL
ORDER BY started_at LIMIT $1;

-- name: one
-- The call $1 if it is under way, or without it the latest that $2 has, had last or is brought into, at most $3.
SELECT id, doc, alarm FROM calls
WHERE doc IS NOT NULL AND ended_at IS NULL AND CASE WHEN $1::text = '' THEN $2::text IN (agent, colleague) ELSE id = $1::text END
ORDER BY started_at DESC LIMIT $3;

-- name: agents
SELECT p.staff, p.state, p.reason, p.since, a.skills
FROM presence p JOIN agent_phones a USING (staff)
WHERE p.state <> 'offline' ORDER BY p.staff;

-- name: words
SELECT call, n, side, text FROM transcripts WHERE call = $1 ORDER BY n LIMIT $2;

-- name: add_words
INSERT INTO transcripts (call, n, side, at, text) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (call, n) DO UPDATE SET text = excluded.text;

-- name: heard
SELECT call, n, side, text FROM transcripts WHERE call = $1 ORDER BY n;

-- name: alarm
UPDATE calls SET alarm = $2 WHERE id = $1 AND alarm = '' RETURNING agent;

-- name: forget_words
-- Those of a held call stay as its recording does.
DELETE FROM transcripts WHERE at < $1 AND NOT held_call(call);
