-- Calls as they go, and the agents that the queue may ring.

-- name: save
-- $14 the whole call, NULL once it is over and nothing of it is left to be noted; $20 the colleague whom its agent brings in;
-- $21 since when it waits for an agent: after answered_at if it waits again, handed to a skill group; $22 who talks now;
-- $23 emergency desks that did not pick up. A call that has ended stays so: a process that stood still, and has not noticed
-- yet that another steers, knows it as it was.
INSERT INTO calls (id, caller, line, skill, agent, started_at, asked_at, queued_at, rang_at, answered_at,
                   abandoned_at, ended_at, hold_seconds, recording, doc, direction, language, callback, ticket_id, caller_sealed,
                   colleague, agents, unanswered)
VALUES ($1, $2, $3, $4, $5, $6, $7, $21, $8, $9, $10, $11, $12, $13, $14, $15, $16, nullif($17::bigint, 0),
        (SELECT id FROM tickets WHERE number = $18 AND $18 <> ''), $19, $20, $22, $23)
ON CONFLICT (id) DO UPDATE
SET agent = excluded.agent, skill = excluded.skill, asked_at = excluded.asked_at, queued_at = excluded.queued_at,
    rang_at = coalesce(excluded.rang_at, calls.rang_at), answered_at = excluded.answered_at,
    abandoned_at = excluded.abandoned_at, ended_at = excluded.ended_at, hold_seconds = excluded.hold_seconds,
    recording = excluded.recording, doc = excluded.doc, language = excluded.language, colleague = excluded.colleague,
    agents = CASE WHEN calls.agents @> excluded.agents THEN calls.agents ELSE calls.agents || excluded.agents END,
    unanswered = excluded.unanswered
WHERE calls.ended_at IS NULL OR excluded.ended_at IS NOT NULL;

-- name: settled
UPDATE calls SET doc = NULL WHERE id = $1 AND ended_at IS NOT NULL;

-- name: is_over
SELECT EXISTS (SELECT FROM calls WHERE id = $1 AND ended_at IS NOT NULL);

-- name: under_way
SELECT id, doc FROM calls WHERE doc IS NOT NULL ORDER BY started_at;

-- name: agents
-- Whose console is heard, with the state of each: agents, and whoever has a telephone. Agents of whom nothing was said
-- have no telephone and know what most do, neither best nor least.
SELECT p.staff, p.state, extract(epoch FROM p.since)::float8 AS since, coalesce(a.endpoint, '') AS endpoint,
       coalesce(a.skills, '{"general": 3}') AS skills
FROM presence p JOIN staff s ON s.name = p.staff LEFT JOIN agent_phones a USING (staff)
WHERE p.state <> 'offline' AND p.lease_until > now() AND (s.role = 'agent' OR a.staff IS NOT NULL);

-- name: agents_among
-- As `agents`, of the names $1.
SELECT p.staff, p.state, extract(epoch FROM p.since)::float8 AS since, coalesce(a.endpoint, '') AS endpoint,
       coalesce(a.skills, '{"general": 3}') AS skills
FROM presence p JOIN staff s ON s.name = p.staff LEFT JOIN agent_phones a USING (staff)
WHERE p.state <> 'offline' AND p.lease_until > now() AND (s.role = 'agent' OR a.staff IS NOT NULL)
  AND p.staff = ANY ($1::text[]);

-- name: last_agent
-- Who talked to a caller last, within a day.
SELECT agent FROM calls
WHERE caller = $1 AND caller <> '' AND agent <> '' AND answered_at > now() - interval '1 day'
ORDER BY answered_at DESC LIMIT 1;

-- name: set_presence
-- $1 goes to $2 (reason $3) at $4, if they are in one of $5. No row: they are not, somebody was quicker. Who steers
-- the PBX is told who becomes available.
WITH changed AS (
    UPDATE presence SET state = $2, reason = $3, since = $4
    WHERE staff = $1 AND state = ANY ($5::text[]) AND (state, reason) <> ($2, $3)
    RETURNING staff
), told AS (
    INSERT INTO presence_events (position, at, doc)
    SELECT event_position(0), $4, jsonb_build_object(
        'actor', 'system:', 'staff', staff, 'state', $2::text, 'reason', $3::text, 'since', $4::timestamptz, 'call', $6::text)
    FROM changed
), woken AS MATERIALIZED (
    SELECT pg_notify('hotline_events', ''), CASE WHEN $2 = 'available' THEN pg_notify('hotline_available', staff) END
    FROM changed
)
SELECT changed.staff FROM changed LEFT JOIN woken ON true;

-- name: claim
-- $1 is rung for the call $3 of a colleague since $2, if their presence is one of $4: two who want them at once wait for
-- each other at the row, and only one gets them. Returns what their presence was, none for who has never been present.
WITH was AS MATERIALIZED (
    SELECT staff, state, reason FROM presence WHERE staff = $1 FOR UPDATE
), changed AS (
    UPDATE presence SET state = 'ringing', reason = '', since = $2
    FROM was WHERE presence.staff = was.staff AND was.state = ANY ($4::text[])
    RETURNING presence.staff
), told AS (
    INSERT INTO presence_events (position, at, doc)
    SELECT event_position(0), $2, jsonb_build_object(
        'actor', 'system:', 'staff', staff, 'state', 'ringing', 'reason', '', 'since', $2::timestamptz, 'call', $3::text)
    FROM changed
), woken AS MATERIALIZED (
    SELECT pg_notify('hotline_events', '') FROM changed
)
SELECT was.state, was.reason FROM was LEFT JOIN woken ON true;

-- name: wrapped_up
-- The wrap-up of the last call of $1, from $2 to $3.
UPDATE calls SET wrap_up_seconds = greatest(0, extract(epoch FROM $3::timestamptz - greatest(ended_at, $2)))::integer
WHERE id = (SELECT id FROM calls WHERE agent = $1 AND ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1)
  AND wrap_up_seconds IS NULL;

-- name: phone
INSERT INTO agent_phones (staff, endpoint, skills) VALUES ($1, $2, $3::jsonb)
ON CONFLICT (staff) DO UPDATE SET endpoint = excluded.endpoint, skills = excluded.skills;

-- name: endpoint
SELECT endpoint FROM agent_phones WHERE staff = $1;

-- name: ask
INSERT INTO call_orders (call, staff, doc, asked_at) VALUES ($1, $2, $3, $4) RETURNING id;

-- name: orders
-- What has been asked for since $1 and is not done; what is older has lapsed, and its asker knows.
SELECT id, staff, doc FROM call_orders WHERE done_at IS NULL AND asked_at > $1 ORDER BY id;

-- name: order_done
UPDATE call_orders SET done_at = $2, error_id = $3, detail = $4 WHERE id = $1;

-- name: outcome
SELECT done_at, error_id, detail FROM call_orders WHERE id = $1;

-- name: forget_orders
DELETE FROM call_orders WHERE asked_at < $1;

-- name: missed_since
SELECT EXISTS (
    SELECT FROM calls
    WHERE caller = $1 AND caller <> '' AND direction = 'in' AND started_at > $2
      AND answered_at IS NULL AND ended_at IS NOT NULL
);

-- name: handling
-- Mean seconds of talk and wrap-up of the last 200 calls that are over; NULL without any.
SELECT avg(extract(epoch FROM ended_at - answered_at) + coalesce(wrap_up_seconds, 0))::float8
FROM (
    SELECT answered_at, ended_at, wrap_up_seconds FROM calls
    WHERE asked_at IS NOT NULL AND direction = 'in' AND answered_at IS NOT NULL AND ended_at IS NOT NULL
    ORDER BY asked_at DESC LIMIT 200
) AS latest;

-- name: tell
-- What consoles that follow the topic $2 learn; $3 is of the type $4.
WITH told AS (
    INSERT INTO presence_events (position, at, type, topic, doc)
    VALUES (event_position(0), $1, $4, $2, $3::jsonb) RETURNING position
)
SELECT pg_notify('hotline_events', '') FROM told;

-- name: forget_news
DELETE FROM presence_events WHERE type IN ('call', 'transcript') AND at < $1;
