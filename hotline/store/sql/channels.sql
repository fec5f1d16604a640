-- name: find_receipt
SELECT receipt FROM inbox WHERE channel = $1 AND external_id = $2;

-- name: first_seen
-- The moment a key was first seen, $2 if it is new or its last time is before $3.
INSERT INTO first_seen (key, at) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET at = CASE WHEN first_seen.at < $3 THEN excluded.at ELSE first_seen.at END
RETURNING at;

-- name: take_nonce
-- True if the nonce was free or is this holder's already.
INSERT INTO police_nonces (nonce, holder, taken_at) VALUES ($1, $2, $3)
ON CONFLICT (nonce) DO UPDATE SET nonce = excluded.nonce
RETURNING holder = $2;

-- name: forget
-- Keys that no repeat can meet any more.
WITH gone AS (DELETE FROM police_nonces WHERE taken_at < $1)
DELETE FROM first_seen WHERE at < $1;

-- name: lock_chat
-- Lines of one session are numbered one after the other.
SELECT pg_advisory_xact_lock(hashtextextended($1, 12345));

-- name: chat_line
SELECT session, seq, key, author, text, at FROM chat_lines WHERE session = $1 AND key = $2;

-- name: add_chat_line
INSERT INTO chat_lines (session, seq, key, author, text, at)
SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5 FROM chat_lines WHERE session = $1
RETURNING session, seq, key, author, text, at;

-- name: chat_since
-- What was erased is shown no more; its numbers stay taken.
SELECT line.session, line.seq, line.key, line.author, line.text, line.at
FROM unnest($1::text[], $2::int[]) AS asked (session, above)
CROSS JOIN LATERAL (
    SELECT * FROM chat_lines c WHERE c.session = asked.session AND c.seq > asked.above AND c.text <> '' ORDER BY seq LIMIT 200
) AS line
ORDER BY line.session, line.seq;

-- name: public
-- Tickets that anybody may see, received from $1 until $2, whose matter is in one of the states $3 (NULL: any): each with
-- the one in which its matter is handled, the parent of a merged one, archived or not. Confidential ones, 举报 and emergencies are never
-- public; of such a parent it is only told how it stands (`shared`).
SELECT t.id, coalesce(p.id, t.id) AS leading,
       p.id IS NULL OR (p.verdict = 'non_emergency' AND p.kind <> 'report' AND NOT p.confidential) AS shared
FROM tickets t LEFT JOIN tickets p ON p.id = t.parent
WHERE t.verdict = 'non_emergency' AND t.kind <> 'report' AND NOT t.confidential
  AND t.created_at >= coalesce($1::timestamptz, '-infinity') AND t.created_at < coalesce($2::timestamptz, 'infinity')
  AND ($3::text[] IS NULL OR coalesce(p.state, t.state) = ANY ($3))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $4 OFFSET $5;

-- name: public_of
-- The same of the categories $6. Each is read along its index to the end of the page: one that is rare, or that nobody
-- has reported for long, would else be looked for in every ticket there is.
SELECT found.id, found.leading, found.shared
FROM unnest($6::text[]) AS asked (category)
CROSS JOIN LATERAL (
    SELECT t.id, t.created_at, coalesce(p.id, t.id) AS leading,
           p.id IS NULL OR (p.verdict = 'non_emergency' AND p.kind <> 'report' AND NOT p.confidential) AS shared
    FROM tickets t LEFT JOIN tickets p ON p.id = t.parent
    WHERE t.verdict = 'non_emergency' AND t.kind <> 'report' AND NOT t.confidential
      AND t.l1 || '/' || t.l2 = asked.category
      AND t.created_at >= coalesce($1::timestamptz, '-infinity') AND t.created_at < coalesce($2::timestamptz, 'infinity')
      AND ($3::text[] IS NULL OR coalesce(p.state, t.state) = ANY ($3))
    ORDER BY t.created_at DESC, t.id DESC
    LIMIT $4::int + $5::int
) AS found
ORDER BY found.created_at DESC, found.id DESC
LIMIT $4 OFFSET $5;

-- name: public_numbered
-- The same by number. A statement of its own: one plan for all would find a number by reading every ticket.
SELECT t.id, coalesce(p.id, t.id) AS leading,
       p.id IS NULL OR (p.verdict = 'non_emergency' AND p.kind <> 'report' AND NOT p.confidential) AS shared
FROM tickets t LEFT JOIN tickets p ON p.id = t.parent
WHERE t.verdict = 'non_emergency' AND t.kind <> 'report' AND NOT t.confidential AND t.number = ANY ($1::text[])
ORDER BY t.created_at DESC, t.id DESC
LIMIT $2;

-- name: histories
SELECT ticket_id, doc, sealed FROM ticket_events WHERE ticket_id = ANY ($1::bigint[]) ORDER BY ticket_id, version;

-- name: chat_standings
-- How the chats of the sessions $1 stand: the state of their tickets (of the parent of a merged one), whether an agent has
-- them, and of those that wait for one how many wait before them; NULL from 1000 on.
WITH mine AS (
    SELECT asked.session, t.id, coalesce(p.state, t.state) AS state, coalesce(p.agent, t.agent) <> '' AS taken
    FROM unnest($1::text[]) AS asked (session)
    JOIN conversations c ON c.channel = 'web' AND c.key = 'chat:' || asked.session
    JOIN tickets t ON t.id = c.ticket_id
    LEFT JOIN tickets p ON p.id = t.parent AND t.state = 'merged'
), queue AS (
    SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS ahead
    FROM (
        SELECT id, created_at FROM tickets
        WHERE state IN ('received', 'pending_dispatch') AND channel = 'web' AND agent = ''
          AND (citizen LIKE 'chat:%' OR channel_key LIKE 'chat:%')
        ORDER BY created_at, id LIMIT 1000
    ) AS waiting
)
SELECT mine.session, mine.state, mine.taken, queue.ahead FROM mine LEFT JOIN queue USING (id);
