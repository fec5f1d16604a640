-- Who calls: tickets and calls of a number.

-- name: tickets
SELECT id, state, summary FROM tickets WHERE citizen = $1 AND citizen <> '' ORDER BY created_at DESC LIMIT $2;

-- name: names
-- What of a ticket's events names the citizen.
SELECT doc, sealed FROM ticket_events WHERE ticket_id = $1 AND type IN ('receive', 'correct') ORDER BY version;

-- name: earlier
SELECT c.started_at, c.agent, c.answered_at IS NOT NULL AS answered, coalesce(t.number, '') AS number
FROM calls c LEFT JOIN tickets t ON t.id = c.ticket_id
WHERE c.caller = $1 AND c.caller <> '' AND c.id <> $2 AND c.ended_at IS NOT NULL
ORDER BY c.started_at DESC LIMIT $3;

-- name: call
-- A call with who has it, who had it and whom they bring in, for the checks of who may see it.
SELECT id, caller, caller_sealed, agent, agents, colleague FROM calls WHERE id = $1;

-- name: link
-- The ticket $2 came of the call $1: the first one stands with it, others beside. Two at once wait for each other.
WITH ticket AS (
    SELECT id FROM tickets WHERE number = $2
), call AS MATERIALIZED (
    SELECT id, ticket_id FROM calls WHERE id = $1 FOR UPDATE
), first AS (
    UPDATE calls SET ticket_id = ticket.id FROM call, ticket WHERE calls.id = call.id AND call.ticket_id IS NULL
)
INSERT INTO further_tickets (call, ticket_id) SELECT call.id, ticket.id FROM call, ticket WHERE call.ticket_id <> ticket.id
ON CONFLICT DO NOTHING;
