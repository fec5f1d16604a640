-- The telephone at this moment, and what was heard in a call.

-- name: calls
SELECT id, doc, caller, caller_sealed, alarm FROM calls WHERE doc IS NOT NULL ORDER BY started_at LIMIT $1;

-- name: one
-- The call $1 if it is under way, or without it the latest that $2 has or is brought into.
SELECT id, doc, alarm FROM calls
WHERE doc IS NOT NULL AND CASE WHEN $1::text = '' THEN $2::text IN (agent, colleague) ELSE id = $1::text END
ORDER BY started_at DESC LIMIT 1;

-- name: agents
SELECT p.staff, p.state, p.reason, p.since, a.skills
FROM presence p JOIN agent_phones a USING (staff)
WHERE p.state <> 'offline' ORDER BY p.staff;

-- name: words
SELECT n, side, text FROM transcripts WHERE call = $1 ORDER BY n LIMIT $2;

-- name: add_words
INSERT INTO transcripts (call, n, side, at, text) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (call, n) DO UPDATE SET text = excluded.text;

-- name: heard
-- The number of the next sentence, and what the citizen has said so far.
SELECT coalesce(max(n), 0) + 1 AS next, coalesce(string_agg(text, '' ORDER BY n) FILTER (WHERE side = 'citizen'), '') AS said
FROM transcripts WHERE call = $1;

-- name: alarm
UPDATE calls SET alarm = $2 WHERE id = $1 AND alarm = '' RETURNING agent;

-- name: forget_words
DELETE FROM transcripts WHERE at < $1;
