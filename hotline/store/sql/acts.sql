-- name: first_act
SELECT content_hash, number, version, state FROM unit_acts WHERE unit = $1 AND key = $2;

-- name: keep_act
INSERT INTO unit_acts (unit, key, content_hash, number, version, state, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING key;

-- name: forget_acts
DELETE FROM unit_acts WHERE at < $1;
