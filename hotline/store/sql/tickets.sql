-- name: open
-- Writes a whole batch of new tickets in one statement: the inbox decides which deliveries are new, and only for those
-- are tickets and events written. $1–$6 the deliveries, $7–$27 the tickets, $28–$36 their events, column by column.
-- Returns the ids that were new. Ordered by key, so that two batches with the same deliveries cannot deadlock.
WITH fresh AS (
    INSERT INTO inbox (channel, external_id, content_hash, ticket_id, receipt, received_at)
    SELECT channel, external_id, content_hash, ticket_id, receipt, received_at
    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::text[], $6::timestamptz[])
         AS d (channel, external_id, content_hash, ticket_id, receipt, received_at)
    ORDER BY channel, external_id
    ON CONFLICT DO NOTHING
    RETURNING ticket_id
), new_tickets AS (
    INSERT INTO tickets (id, number, code, version, state, channel, kind, l1, l2, verdict, priority, town, lead,
                         assisting, alarmed, citizen, created_at, updated_at, due_at, confidential, summary,
                         attention_at)
    OVERRIDING SYSTEM VALUE
    SELECT id, number, code, version, state, channel, kind, l1, l2, verdict, priority, town, lead,
           string_to_array(assisting, ','), alarmed, citizen, at, at, due_at, confidential, summary, attention_at
    FROM unnest($7::bigint[], $8::text[], $9::text[], $10::int[], $11::text[], $12::text[], $13::text[], $14::text[],
                $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::boolean[],
                $22::text[], $23::timestamptz[], $24::timestamptz[], $25::boolean[], $26::text[], $27::timestamptz[])
         AS t (id, number, code, version, state, channel, kind, l1, l2, verdict, priority, town, lead, assisting,
               alarmed, citizen, at, due_at, confidential, summary, attention_at)
    WHERE id IN (SELECT ticket_id FROM fresh)
), start AS MATERIALIZED (
    SELECT event_position(0) AS position
), new_events AS (
    INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics, sealed)
    SELECT start.position + ordinal - 1, ticket_id, version, at, type, actor, doc, summary, string_to_array(topics, ','),
           sealed
    FROM start, unnest($28::bigint[], $29::int[], $30::timestamptz[], $31::text[], $32::text[], $33::text[],
                       $34::text[], $35::text[], $36::bytea[])
         WITH ORDINALITY AS e (ticket_id, version, at, type, actor, doc, summary, topics, sealed, ordinal)
    WHERE ticket_id IN (SELECT ticket_id FROM fresh)
), told AS MATERIALIZED (
    SELECT pg_notify('hotline_events', '')
)
SELECT ticket_id FROM fresh, told;

-- name: first_receipts
-- What was answered to deliveries that came before.
SELECT channel, external_id, content_hash, receipt
FROM inbox
JOIN unnest($1::text[], $2::text[]) AS asked (channel, external_id) USING (channel, external_id);

-- name: keep_receipt
-- Takes the place of a delivery that continues a ticket. No row: it came before.
INSERT INTO inbox (channel, external_id, content_hash, ticket_id, receipt, received_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
RETURNING ticket_id;

-- name: reserve_ids
SELECT nextval(pg_get_serial_sequence('tickets', 'id')) AS id FROM generate_series(1, $1);

-- name: reserve_numbers
-- Reserves $3 running numbers of a day and channel; returns the first.
INSERT INTO number_counters (day, channel, next) VALUES ($1, $2, $3)
ON CONFLICT (day, channel) DO UPDATE SET next = number_counters.next + $3
RETURNING next - $3;

-- name: lock
-- The ticket, held until the end of the transaction.
SELECT id, code FROM tickets WHERE number = $1 FOR UPDATE;

-- name: lock_both
-- Two tickets by id, always in the same order, so that two families that change at once cannot deadlock.
SELECT id, number, code FROM tickets WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE;

-- name: number_of
SELECT number FROM tickets WHERE id = $1;

-- name: thread_of
-- A ticket by number, with the ticket in which its matter is handled: the parent of a merged one, else itself.
SELECT t.id, t.number, t.code, coalesce(p.number, t.number) AS leading
FROM tickets t LEFT JOIN tickets p ON p.id = t.parent AND t.state = 'merged'
WHERE t.number = $1;

-- name: thread_of_conversation
-- The ticket in which a conversation went on last, likewise; no row where it is new.
SELECT t.id, t.number, t.code, coalesce(p.number, t.number) AS leading
FROM conversations c JOIN tickets t ON t.id = c.ticket_id
LEFT JOIN tickets p ON p.id = t.parent AND t.state = 'merged'
WHERE c.channel = $1 AND c.key = $2;

-- name: id_and_parent
SELECT id, parent FROM tickets WHERE number = $1;

-- name: children
-- Where the citizens of the tickets merged into $1 are told: the events that say who they are.
SELECT t.number, t.channel, e.doc, e.sealed FROM tickets t
JOIN ticket_events e ON e.ticket_id = t.id AND e.type IN ('receive', 'correct')
WHERE t.parent = $1 AND t.state = 'merged' ORDER BY t.id, e.version;

-- name: read
-- The ticket's id and code with each of its events.
SELECT t.id, t.code, e.doc, e.sealed FROM tickets t JOIN ticket_events e ON e.ticket_id = t.id
WHERE t.number = $1 ORDER BY e.version;

-- name: history
SELECT doc, sealed FROM ticket_events WHERE ticket_id = $1 ORDER BY version;

-- name: append
-- Events of one transaction, of one ticket or of several.
INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics, sealed)
SELECT start.position + ordinal - 1, ticket_id, version, at, type, actor, doc, summary, string_to_array(topics, ','),
       sealed
FROM (SELECT event_position(0) AS position) AS start,
     unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::bytea[])
     WITH ORDINALITY AS e (ticket_id, version, at, type, actor, doc, summary, topics, sealed, ordinal);

-- name: update
UPDATE tickets
SET version = $2, state = $3, kind = $4, l1 = $5, l2 = $6, verdict = $7, priority = $8, town = $9, lead = $10,
    assisting = string_to_array($11, ','), agent = $12, alarmed = $13, updated_at = $14, due_at = $15, parent = $16,
    summary = $17, attention_at = $18, supervised = $19, confidential = $20, citizen = $21, channel_key = $22
WHERE id = $1;

-- name: hold_conversation
-- The open ticket of a conversation, its row held until the end of the transaction (made if new). Whoever holds tickets and
-- conversations holds the tickets first: who erases a ticket holds it, and takes its conversations away.
INSERT INTO conversations (channel, key, last_at) VALUES ($1, $2, $3)
ON CONFLICT (channel, key) DO UPDATE SET key = excluded.key
RETURNING ticket_id, last_at;

-- name: point_conversation
UPDATE conversations SET ticket_id = $3, last_at = $4 WHERE channel = $1 AND key = $2;

-- name: turn_conversations
-- We write to citizens (channel $1, key $2) about tickets ($3), and may ask ($4), at $5: what they say next belongs there. A
-- question turns their conversation to its ticket; other news only one that is quiet since $6 and owes no answer. Never
-- waits: who holds a conversation is taking its message in, and turns it themselves. Nothing is turned to
-- a merged ticket: it is not held here, and to name it would wait for whoever holds it.
UPDATE conversations c SET ticket_id = turned.ticket_id, last_at = greatest(c.last_at, $5)
FROM (
    SELECT c.channel, c.key, t.id AS ticket_id
    FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) AS m (channel, key, number, asks)
    JOIN conversations c ON c.channel = m.channel AND c.key = m.key
    JOIN tickets t ON t.number = m.number
    LEFT JOIN tickets before ON before.id = c.ticket_id
    WHERE c.ticket_id = t.id
       OR (t.state <> 'merged' AND (m.asks OR (c.last_at < $6 AND before.state IS DISTINCT FROM 'need_info')))
    FOR UPDATE OF c SKIP LOCKED
) AS turned
WHERE c.channel = turned.channel AND c.key = turned.key;

-- name: add_incidents
INSERT INTO incidents (key, ticket_id, payload, created_at)
SELECT key, ticket_id, payload::jsonb, $4
FROM unnest($1::text[], $2::bigint[], $3::text[]) AS i (key, ticket_id, payload);

-- name: end_incidents
-- A ticket that leaves handed_off takes its hand-off along: 110 must not come hours later for what people have settled.
UPDATE incidents SET state = $2 WHERE ticket_id = $1 AND state IN ('pending', 'accepted', 'signed');

-- name: add_messages
INSERT INTO outbox (key, channel, message, created_at)
SELECT key, channel, message::jsonb, $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS m (key, channel, message)
ON CONFLICT (key) DO NOTHING
RETURNING key;
