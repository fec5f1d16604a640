-- Chats that wait for an agent's word.

-- name: chats
-- Those nobody has first, the longest waiting first, at most 2000; `gone`: who has it went offline after they got it (who
-- takes a chat without having told their presence keeps it). The index tickets_chats_waiting holds just these.
SELECT t.number, t.version, extract(epoch FROM t.created_at)::float8 AS since, t.agent,
       coalesce(p.state = 'offline' AND p.since > (
           SELECT max(e.at) FROM ticket_events e WHERE e.ticket_id = t.id AND e.type = 'claim'
       ), false) AS gone
FROM tickets t LEFT JOIN presence p ON p.staff = t.agent AND t.agent <> ''
WHERE t.state IN ('received', 'pending_dispatch') AND t.channel = 'web'
  AND (t.citizen LIKE 'chat:%' OR t.channel_key LIKE 'chat:%')
ORDER BY t.agent <> '', t.created_at, t.id LIMIT 2000;

-- name: is_available
SELECT EXISTS (SELECT FROM presence WHERE staff = $1 AND state = 'available' AND lease_until > now());
