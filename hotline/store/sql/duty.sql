-- The time of agents, kept beside the figures (hotline.store.duty).

-- name: present
SELECT staff, state, since FROM tally_presence WHERE generation = $1 AND ($2::text[] IS NULL OR staff = ANY ($2));

-- name: presence_page
-- The next $3 changes of presence after position $1, up to $2.
SELECT position, at, doc::text AS doc FROM presence_events
WHERE position > $1 AND position <= $2 AND type = 'presence' ORDER BY position LIMIT $3;

-- name: put_present
INSERT INTO tally_presence (generation, staff, state, since)
SELECT $1, staff, state, since FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS a (staff, state, since)
ON CONFLICT (generation, staff) DO UPDATE SET state = excluded.state, since = excluded.since;

-- name: add_staff
INSERT INTO tally_staff AS s (generation, hour, staff, there, busy)
SELECT $1, hour, staff, there, busy
FROM unnest($2::timestamptz[], $3::text[], $4::bigint[], $5::bigint[]) AS a (hour, staff, there, busy)
ON CONFLICT (generation, hour, staff) DO UPDATE SET there = s.there + excluded.there, busy = s.busy + excluded.busy;

-- name: all_staff
SELECT hour, staff, there, busy FROM tally_staff WHERE generation = $1;

-- name: forget_staff
DELETE FROM tally_staff WHERE generation = $1;

-- name: forget_presence
DELETE FROM tally_presence WHERE generation = $1;
