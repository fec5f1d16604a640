-- Keys that have sealed something in this database; the keys themselves are elsewhere.

-- name: note
INSERT INTO sealing_keys (id, code, index, noted_at)
SELECT $1, $2, $3, $4
WHERE NOT EXISTS (SELECT FROM sealing_keys WHERE index <> $3)
ON CONFLICT (id) DO NOTHING;

-- name: noted
SELECT id, code, index FROM sealing_keys ORDER BY noted_at, id;
