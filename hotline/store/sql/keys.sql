-- Keys that have sealed something in this database; the keys themselves are elsewhere.

-- name: note
INSERT INTO sealing_keys (id, code, index, noted_at)
SELECT $1, $2, $3, $4
WHERE NOT EXISTS (SELECT FROM sealing_keys WHERE index <> $3)
ON CONFLICT (id) DO NOTHING;

-- name: noted
SELECT id, code, index FROM sealing_keys ORDER BY noted_at, id;

-- name: kept
-- False before the migration that begins to note keys.
SELECT to_regclass('sealing_keys') IS NOT NULL;

-- name: begin
-- The rotation named $1 is under way until all is sealed anew (hotline/store/reseal.py). Events below the horizon are
-- all committed: whatever is still sealed with the older key later lies above it.
INSERT INTO sweeps (name, position) VALUES ($1, -1), ($1 || ', from', event_horizon() - 1) ON CONFLICT (name) DO NOTHING;

-- name: unfinished
-- Never ended, or only days ago: machines that got the key file later have sealed with the older key meanwhile.
SELECT EXISTS (SELECT FROM sweeps WHERE name = $1 AND (at = '-infinity' OR at > now() - interval '7 days'));
