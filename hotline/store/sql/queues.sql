-- The centre's queues and who knows what.

-- name: newest
SELECT version, doc FROM queue_versions ORDER BY version DESC LIMIT 1;

-- name: one_at_a_time
SELECT pg_advisory_xact_lock(12345, hashtext('queues'));

-- name: keep
INSERT INTO queue_versions (changed_at, changed_by, doc) VALUES ($1, $2, $3) RETURNING version;

-- name: agents
SELECT staff, endpoint, skills FROM agent_phones ORDER BY staff;

-- name: strangers
SELECT name FROM unnest($1::text[]) AS asked (name)
WHERE NOT EXISTS (SELECT FROM staff WHERE staff.name = asked.name) ORDER BY name;

-- name: put_agents
INSERT INTO agent_phones (staff, endpoint, skills)
SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[])
ON CONFLICT (staff) DO UPDATE SET endpoint = excluded.endpoint, skills = excluded.skills;
