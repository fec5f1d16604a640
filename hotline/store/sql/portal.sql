-- Whose tickets are whose, for the city's portal.

-- name: remember
INSERT INTO portal_tickets (citizen, ticket_id) SELECT $1, id FROM tickets WHERE number = $2 ON CONFLICT DO NOTHING;

-- name: mine
-- Sent through the portal under this id ($1), or of the verified phone ($2), newest first after ($3, $4).
SELECT id, number, created_at, summary FROM (
    (SELECT t.id, t.number, t.created_at, t.summary FROM portal_tickets p JOIN tickets t ON t.id = p.ticket_id
     WHERE p.citizen = $1 AND (t.created_at, t.id) < ($3::timestamptz, $4::bigint)
     ORDER BY t.created_at DESC, t.id DESC LIMIT $5)
    UNION
    (SELECT id, number, created_at, summary FROM tickets
     WHERE citizen = $2 AND citizen <> '' AND NOT confidential AND kind <> 'report'
       AND (created_at, id) < ($3::timestamptz, $4::bigint)
     ORDER BY created_at DESC, id DESC LIMIT $5)
) AS mine
ORDER BY created_at DESC, id DESC LIMIT $5;

-- name: code_of
SELECT t.code FROM tickets t
WHERE t.number = $3
  AND (EXISTS (SELECT FROM portal_tickets p WHERE p.citizen = $1 AND p.ticket_id = t.id)
       OR t.citizen = $2 AND t.citizen <> '' AND NOT t.confidential AND t.kind <> 'report');
