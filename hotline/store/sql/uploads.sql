-- Files that were uploaded: for a day, or for good where a ticket or evidence has them (hotline/store/uploads.py).

-- name: keep
-- The same content again lives on; what is claimed stays so.
INSERT INTO attachments (key, doc, created_at, expires_at) VALUES ($1, $2::jsonb, $3, $4)
ON CONFLICT (key) DO UPDATE
SET expires_at = CASE WHEN attachments.expires_at IS NULL THEN NULL ELSE excluded.expires_at END;

-- name: hold
-- Who asks for a file is about to claim it: it lives until $2. One statement, so a sweep comes before it or after.
UPDATE attachments SET expires_at = CASE WHEN expires_at IS NULL THEN NULL ELSE $2::timestamptz END WHERE key = $1 RETURNING doc;

-- name: claim
-- In the order of their keys, so that two who claim the same never wait for each other. What was claimed before is held too:
-- who just erases a citizen lets it go when nobody else has it, and must know of us, or we of that.
WITH held AS MATERIALIZED (
    SELECT key, expires_at FROM attachments WHERE key = ANY ($1::text[]) ORDER BY key FOR UPDATE
)
UPDATE attachments SET expires_at = NULL WHERE key = ANY (ARRAY(SELECT key FROM held WHERE expires_at IS NOT NULL));

-- name: sweep
-- At most $2 that expired before $1; those that somebody holds or claims just now are passed over.
DELETE FROM attachments WHERE key = ANY (ARRAY(
    SELECT key FROM attachments WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
)) RETURNING key;
