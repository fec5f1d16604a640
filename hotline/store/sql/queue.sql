-- Jobs in PgQueuer's own table that a mistake of the program ended: held there as failed (hotline/store/jobs.py).

-- name: held
SELECT dedupe_key FROM pgqueuer WHERE status = 'failed' AND dedupe_key = ANY ($1::text[]);

-- name: drop_doubles
-- Of several with one key the newest stands for all.
DELETE FROM pgqueuer WHERE id = ANY (ARRAY(
    SELECT f.id FROM pgqueuer f
    WHERE f.status = 'failed' AND EXISTS (SELECT FROM pgqueuer n WHERE n.dedupe_key = f.dedupe_key AND n.id > f.id)
    ORDER BY f.id FOR UPDATE OF f SKIP LOCKED
));

-- name: held_long_enough
-- For half of the time that they had waited when they failed: $2 at least, $3 at most for jobs of the kind $1, else $4.
SELECT f.id FROM pgqueuer f
WHERE f.status = 'failed'
  AND f.updated <= now() - least(
      greatest((f.updated - f.created) / 2, $2::interval), CASE f.entrypoint WHEN $1 THEN $3::interval ELSE $4::interval END
  )
  AND NOT EXISTS (
      SELECT FROM pgqueuer n WHERE n.dedupe_key = f.dedupe_key AND n.status IN ('queued', 'picked')
  )
ORDER BY f.id FOR UPDATE OF f SKIP LOCKED;

-- name: forget_log
-- What became of jobs before $1, at most $2 lines.
DELETE FROM pgqueuer_log WHERE id = ANY (ARRAY(
    SELECT id FROM pgqueuer_log WHERE created < $1 ORDER BY created LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: forget_statistics
DELETE FROM pgqueuer_statistics WHERE id = ANY (ARRAY(
    SELECT id FROM pgqueuer_statistics WHERE created < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
));
