-- Taking away the identity of tickets ($1), and every copy of it.

-- name: hold_files
-- Their citizens' files, held: whoever claims one just now is waited for, and seen by `files`, or waits for us.
SELECT key FROM attachments WHERE expires_at IS NULL AND key = ANY (ARRAY(
    SELECT DISTINCT unnest(file_keys(e.doc)) FROM ticket_events e
    WHERE e.ticket_id = ANY ($1::bigint[]) AND strpos(e.doc, '"attachments":[{') > 0
      AND e.type IN ('receive', 'add_message', 'supply_info', 'resume', 'attach')
)) ORDER BY key FOR UPDATE;

-- name: files
-- Of the files held ($2), those which nobody else has: neither a ticket with an identity, open or on hold, nor evidence, nor a
-- reply. They live until $3, as uploads do, so that whoever attaches the same just now keeps it. $4: open states.
-- A statement of its own: it sees what those have written for whom the hold has waited.
UPDATE attachments a SET expires_at = $3
WHERE a.key = ANY ($2::text[])
  AND NOT EXISTS (
      SELECT FROM ticket_events e JOIN tickets t ON t.id = e.ticket_id
      WHERE strpos(e.doc, '"attachments":[{') > 0 AND file_keys(e.doc) @> ARRAY[a.key] AND (
          e.type NOT IN ('receive', 'add_message', 'supply_info', 'resume', 'attach')
          OR (e.ticket_id <> ALL ($1::bigint[])
              AND (t.citizen <> '' OR t.state = ANY ($4::text[]) OR held_ticket(t.number)))
      )
  )
  AND NOT EXISTS (
      SELECT FROM nuisance_contacts n WHERE n.attachments <> '[]' AND file_keys(n.attachments) @> ARRAY[a.key]
  );

-- name: letters
-- Those that have left; what is still on its way is emptied by its age.
UPDATE outbox SET message = '{}', last_error = ''
WHERE substring(key FROM '^(?:notice|family)-([^-]+)-') = ANY (ARRAY(SELECT number FROM tickets WHERE id = ANY ($1::bigint[])))
  AND state <> 'pending' AND message <> '{}';

-- name: parcels
UPDATE parcels SET payload = '', last_error = '' WHERE ticket_id = ANY ($1::bigint[]) AND state <> 'pending' AND payload <> '';

-- name: events
UPDATE ticket_events SET sealed = '' WHERE ticket_id = ANY ($1::bigint[]) AND sealed IS NOT NULL AND sealed <> '';

-- name: tickets
-- The identity of tickets, wherever it leads to them. What was said in a chat goes with its last ticket, or up to the first
-- that is left; the lines stay, empty, so that their numbers and keys stay taken.
WITH chats AS (
         UPDATE chat_lines l SET text = ''
         FROM (
             SELECT DISTINCT CASE WHEN channel_key LIKE 'chat:%' THEN channel_key ELSE citizen END AS chat FROM tickets
             WHERE id = ANY ($1::bigint[]) AND (citizen LIKE 'chat:%' OR channel_key LIKE 'chat:%')
         ) AS gone
         WHERE l.session = substr(gone.chat, 6) AND l.text <> '' AND NOT EXISTS (
             SELECT FROM tickets t
             WHERE t.citizen = gone.chat AND t.citizen <> '' AND t.id <> ALL ($1::bigint[]) AND t.created_at <= l.at
         ) AND NOT EXISTS (
             SELECT FROM tickets t
             WHERE t.channel_key = gone.chat AND t.channel_key <> '' AND t.id <> ALL ($1::bigint[])
               AND t.created_at <= l.at
         )
     ),
     traits AS (UPDATE ticket_traits SET citizen = '' WHERE ticket_id = ANY ($1::bigint[])),
     portal AS (DELETE FROM portal_tickets WHERE ticket_id = ANY ($1::bigint[])),
     talks AS (DELETE FROM conversations WHERE ticket_id = ANY ($1::bigint[])),
     letters AS (UPDATE incidents SET payload = '{}', last_error = '' WHERE ticket_id = ANY ($1::bigint[]))
UPDATE tickets SET citizen = '', channel_key = '' WHERE id = ANY ($1::bigint[]);
