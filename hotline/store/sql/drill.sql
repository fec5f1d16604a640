-- The tickets behind a number.

-- name: reader
-- What the figures hold: every event up to `position`, every clock that ran out before `as_of`.
SELECT generation, position, as_of FROM tally_readers WHERE active;

-- name: candidates
-- Tickets to which one of $3 happened from $1 to before $2, up to position $4, with ids below $5, the newest first, at
-- most $6; without those to which such a thing happened again by $13, as they were listed on that later day. $7 department
-- (that had it before or after), $8 town, $9 channel, $10 kind, $11 first level and $12 second level of the category
-- narrow it where they are not NULL. Planned anew each time: what is given decides.
SELECT t.id, t.number, t.summary
FROM tickets AS t
WHERE t.id IN (
    SELECT e.ticket_id FROM ticket_events AS e
    WHERE e.at >= $1 AND e.at < $2 AND e.type = ANY ($3::text[]) AND e.position <= $4 AND e.ticket_id < $5
      AND ($7::text IS NULL OR e.topics @> ARRAY['department:' || $7::text])
)
  AND NOT EXISTS (
    SELECT FROM ticket_events AS e
    WHERE e.ticket_id = t.id AND e.at >= $2 AND e.at < $13 AND e.type = ANY ($3::text[]) AND e.position <= $4
      AND ($7::text IS NULL OR e.topics @> ARRAY['department:' || $7::text])
)
  AND ($8::text IS NULL OR t.town = $8) AND ($9::text IS NULL OR t.channel = $9) AND ($10::text IS NULL OR t.kind = $10)
  AND ($11::text IS NULL OR t.l1 = $11) AND ($12::text IS NULL OR t.l2 = $12)
ORDER BY t.id DESC LIMIT $6;

-- name: standing
-- Tickets in state $1, newest first after ($2, $3), at most $4. $5 true: only those whose clock has run out by $6, false:
-- only the others, NULL: all. $7 lead department and $8 town narrow it where they are not ''.
SELECT t.id, t.created_at, t.summary
FROM tickets AS t
WHERE t.state = $1 AND (t.created_at, t.id) < ($2::timestamptz, $3::bigint)
  AND ($5::boolean IS NULL OR (t.due_at IS NOT NULL AND t.due_at < $6) = $5)
  AND ($7::text = '' OR t.lead = $7) AND ($8::text = '' OR t.town = $8)
ORDER BY t.created_at DESC, t.id DESC LIMIT $4;

-- name: calls
-- Calls that asked for an agent from $1 to before $2, newest first before $3, at most $4. $5: asked, answered, quick
-- (within $6 seconds), slow, abandoned, missed, called_back, owed. $7 an agent to narrow it to, or ''.
SELECT c.id, c.caller, c.caller_sealed, c.agent, c.skill, c.asked_at, c.answered_at, c.ended_at, c.abandoned_at IS NOT NULL AS abandoned,
       extract(epoch FROM coalesce(c.answered_at, c.abandoned_at, c.ended_at) - c.asked_at)::float8 AS wait,
       coalesce(b.state, '') AS callback, t.number
FROM calls AS c
LEFT JOIN callbacks AS b ON b.call = c.id
LEFT JOIN tickets AS t ON t.id = c.ticket_id
WHERE c.direction = 'in' AND c.asked_at >= $1 AND c.asked_at < $2 AND c.asked_at < $3
  AND (c.answered_at IS NOT NULL OR c.abandoned_at IS NOT NULL OR c.ended_at IS NOT NULL)
  AND ($7::text = '' OR c.agent = $7)
  AND CASE $5::text
      WHEN 'asked' THEN true
      WHEN 'answered' THEN c.answered_at IS NOT NULL
      WHEN 'quick' THEN extract(epoch FROM c.answered_at - c.asked_at) <= $6
      WHEN 'slow' THEN extract(epoch FROM c.answered_at - c.asked_at) > $6
      WHEN 'abandoned' THEN c.abandoned_at IS NOT NULL
      WHEN 'missed' THEN c.answered_at IS NULL
      WHEN 'called_back' THEN c.answered_at IS NULL AND b.state = 'done'
      WHEN 'owed' THEN c.answered_at IS NULL AND b.state IS DISTINCT FROM 'done' END
ORDER BY c.asked_at DESC LIMIT $4;

-- name: heat
-- How many appeals, by town and category, for the days from $1 to before $2. $3 '' for first levels, or the first level
-- whose second levels are told apart; $4 the channel and $5 the kind to narrow it to, or ''.
SELECT r.town, CASE WHEN $3::text = '' THEN r.l1 ELSE r.l2 END AS category, sum(r.received)::bigint AS appeals
FROM tally_rollup AS r
WHERE r.generation = (SELECT generation FROM tally_readers WHERE active) AND r.grain = 'day'
  AND r.day >= $1 AND r.day < $2 AND r.received IS NOT NULL AND ($3::text = '' OR r.l1 = $3)
  AND ($4::text = '' OR r.channel = $4) AND ($5::text = '' OR r.kind = $5)
GROUP BY 1, 2 HAVING sum(r.received) <> 0
ORDER BY 1, 2;

-- name: texts
-- What citizens wrote: the first event and the row of the tickets numbered $1, in that order, with the events that name them.
SELECT asked.place, t.number, t.summary, e.doc, e.sealed
FROM unnest($1::text[]) WITH ORDINALITY AS asked (number, place)
JOIN tickets AS t ON t.number = asked.number
JOIN ticket_events AS e ON e.ticket_id = t.id AND e.type IN ('receive', 'correct')
ORDER BY asked.place, e.version;
