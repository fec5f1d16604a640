-- Keys that have sealed something in this database; the keys themselves are elsewhere.

-- name: note
INSERT INTO sealing_keys (id, code, index, noted_at)
SELECT $1, $2, $3, $4
WHERE NOT EXISTS (SELECT FROM sealing_keys WHERE index <> $3)
ON CONFLICT (id) DO NOTHING;

-- name: noted
SELECT id, code, index FROM sealing_keys ORDER BY noted_at, id;

-- name: unfinished
-- Whether a rotation was begun that has not come to its end: there is more than one key, and events of both kinds.
SELECT EXISTS (SELECT FROM sealing_keys OFFSET 1)
   AND EXISTS (SELECT FROM ticket_events WHERE substring(sealed FROM 1 FOR 5) = $1)
   AND EXISTS (SELECT FROM ticket_events WHERE sealed <> '' AND substring(sealed FROM 1 FOR 5) <> $1);
