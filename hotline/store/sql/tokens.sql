-- name: get
SELECT token FROM access_tokens WHERE name = $1 AND expires_at > $2;

-- name: lease
-- True for the one process that may fetch now: $4 is the token that is no good, $5 until when one must last. Whether
-- another process has put one there is asked here once more, under the row's lock: it may have come after `get`. A lease
-- beyond $6 was taken by a clock that was ahead, and would last until that moment comes.
INSERT INTO access_tokens (name, fetching_until) VALUES ($1, $3)
ON CONFLICT (name) DO UPDATE SET fetching_until = excluded.fetching_until
WHERE (access_tokens.fetching_until < $2 OR access_tokens.fetching_until > $6)
  AND (access_tokens.token IS NULL OR access_tokens.token = $4 OR access_tokens.expires_at <= $5)
RETURNING true;

-- name: put
UPDATE access_tokens SET token = $2, expires_at = $3, fetching_until = '-infinity' WHERE name = $1;

-- name: give_back
UPDATE access_tokens SET fetching_until = '-infinity' WHERE name = $1;
