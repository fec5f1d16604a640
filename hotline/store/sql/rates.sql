-- Counts of rate limits, shared among processes (hotline.store.rates).

-- name: exchange
-- Adds what this process has taken; returns the totals of these keys, and of those that changed lately.
WITH kept AS (
    INSERT INTO rate_counts AS r (name, key, taken, changed_at)
    SELECT name, key, taken, now() FROM unnest($1::text[], $2::bytea[], $3::bigint[]) AS g (name, key, taken)
    ORDER BY name, key
    ON CONFLICT (name, key) DO UPDATE SET taken = r.taken + excluded.taken, changed_at = excluded.changed_at
    RETURNING name, key, taken
)
SELECT name, key, taken FROM kept
UNION ALL
(SELECT name, key, taken FROM rate_counts AS r
 WHERE changed_at > now() - interval '15 seconds'
   AND NOT EXISTS (SELECT 1 FROM kept WHERE kept.name = r.name AND kept.key = r.key)
 ORDER BY changed_at DESC LIMIT $4);

-- name: forget
DELETE FROM rate_counts WHERE changed_at < now() - interval '2 days';
