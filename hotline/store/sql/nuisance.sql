-- Marked contacts and their evidence. Whose phone was learnt has tickets under the phone, and under what their channel knows
-- them by (`channel_key`): a mark holds by either.

-- name: in_force
SELECT id, contact, sealed, reason, marked_by, marked_at, until, lifted_by, lifted_at, lift_reason
FROM nuisance_marks WHERE lifted_at IS NULL AND until > $1;

-- name: marks
SELECT id, contact, sealed, reason, marked_by, marked_at, until, lifted_by, lifted_at, lift_reason
FROM nuisance_marks ORDER BY id DESC LIMIT 500;

-- name: marks_of
SELECT id, contact, sealed, reason, marked_by, marked_at, until, lifted_by, lifted_at, lift_reason
FROM nuisance_marks WHERE contact = $1 ORDER BY id;

-- name: mark_by_id
SELECT id, contact, sealed, reason, marked_by, marked_at, until, lifted_by, lifted_at, lift_reason
FROM nuisance_marks WHERE id = $1;

-- name: events
SELECT e.doc, e.sealed FROM tickets t JOIN ticket_events e ON e.ticket_id = t.id
WHERE t.number = $1 ORDER BY e.version;

-- name: recent
-- The contact's messages since $2 that were taken, the open ticket of the last of them, and this delivery's first outcome.
SELECT (SELECT count(*) FROM nuisance_contacts WHERE contact = $1 AND at > $2 AND outcome <> 'refused') AS messages,
       (SELECT number FROM (
            (SELECT number, created_at FROM tickets WHERE citizen = $1 AND citizen <> '' AND state = ANY ($5::text[])
             ORDER BY created_at DESC LIMIT 1)
            UNION ALL
            (SELECT number, created_at FROM tickets
             WHERE channel_key = $1 AND channel_key <> '' AND state = ANY ($5::text[]) ORDER BY created_at DESC LIMIT 1)
        ) AS t ORDER BY created_at DESC LIMIT 1) AS number,
       (SELECT outcome FROM nuisance_contacts WHERE contact = $1 AND channel = $3 AND external_id = $4
        ORDER BY id LIMIT 1) AS before;

-- name: note
INSERT INTO nuisance_contacts (contact, at, channel, external_id, text, outcome, attachments)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: count
-- Calls that an agent took and of which no ticket of the contact came count too: who abuses agents leaves none.
SELECT (SELECT count(*) FROM tickets WHERE citizen = $1 AND citizen <> '' AND created_at > $2)
     + (SELECT count(*) FROM tickets WHERE channel_key = $1 AND channel_key <> '' AND created_at > $2)
     + (SELECT count(*) FROM nuisance_contacts WHERE contact = $1 AND at > $2 AND outcome IN ('folded', 'refused'))
     + (SELECT count(*) FROM calls c
        WHERE c.caller = $1 AND c.caller <> '' AND c.started_at > $2 AND c.direction = 'in' AND c.answered_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM call_tickets k JOIN tickets t ON t.id = k.ticket_id
                          WHERE k.call = c.id AND t.citizen = $1));

-- name: expire
-- A mark whose time is over makes room for another one.
UPDATE nuisance_marks SET lifted_at = until, lifted_by = 'system', lift_reason = '到期'
WHERE contact = $1 AND lifted_at IS NULL AND until <= $2;

-- name: mark
-- No row: it is marked already.
INSERT INTO nuisance_marks (contact, reason, marked_by, marked_at, until, sealed) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
RETURNING id, contact, sealed, reason, marked_by, marked_at, until, lifted_by, lifted_at, lift_reason;

-- name: lift
-- By the contact or by the mark's id.
UPDATE nuisance_marks SET lifted_by = $2, lifted_at = $3, lift_reason = $4
WHERE (contact = $1 OR id = $5) AND lifted_at IS NULL AND until > $3
RETURNING id, contact, sealed, reason, marked_by, marked_at, until, lifted_by, lifted_at, lift_reason;

-- name: add_act
INSERT INTO nuisance_acts (at, actor, act, contact, detail) VALUES ($1, $2, $3, $4, $5);

-- name: acts
SELECT at, actor, act, contact, detail FROM nuisance_acts WHERE contact = $1 ORDER BY id;

-- name: contacts
-- What came while a mark was in force; the ticket is found by the delivery.
SELECT c.at, c.channel, c.outcome, c.text, c.attachments, coalesce(t.number, '') AS number
FROM nuisance_contacts c
LEFT JOIN inbox i ON i.channel = c.channel AND i.external_id = c.external_id
LEFT JOIN tickets t ON t.id = i.ticket_id
WHERE c.contact = $1 AND c.at > $2 ORDER BY c.id;

-- name: calls
-- Calls of the contact $1 since $2 that an agent took, with their recording; `alone`: no ticket of the contact came of it.
SELECT c.id, c.answered_at AS at, coalesce(r.sha256, '') AS sha256, coalesce(r.bytes, 0) AS bytes,
       NOT EXISTS (SELECT FROM call_tickets k JOIN tickets t ON t.id = k.ticket_id
                   WHERE k.call = c.id AND t.citizen = $1) AS alone
FROM calls c LEFT JOIN recordings r ON r.call = c.id AND r.deleted_at IS NULL
WHERE c.caller = $1 AND c.caller <> '' AND c.started_at > $2 AND c.direction = 'in' AND c.answered_at IS NOT NULL
ORDER BY c.started_at;

-- name: words
-- What the caller was heard to say in the calls $1.
SELECT call, n, text FROM transcripts WHERE call = ANY ($1::text[]) AND side = 'citizen' ORDER BY call, n;

-- name: tickets
SELECT t.number, e.doc, e.sealed FROM tickets t JOIN ticket_events e ON e.ticket_id = t.id
WHERE ((t.citizen = $1 AND t.citizen <> '') OR (t.channel_key = $1 AND t.channel_key <> '')) AND t.created_at > $2
ORDER BY t.created_at, t.id, e.version;
