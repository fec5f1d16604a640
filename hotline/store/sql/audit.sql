-- The audit: records, and the chain over them and the event log (hotline/audit.py, docs/audit.md).

-- name: add
-- $8 is the hash of the content as the writer has it.
INSERT INTO audit_records (position, at, actor, act, subject, result, detail, hash)
VALUES (event_position(0), $1, $2, $3, $4, $5, $6, $7);

-- name: hold
-- One linker at a time, until the end of the transaction.
SELECT pg_try_advisory_xact_lock(12345, hashtext('audit'));

-- name: last
SELECT n, through, hash FROM audit_chain ORDER BY n DESC LIMIT 1;

-- name: hash_of
SELECT hash FROM audit_chain WHERE n = $1;

-- name: edge
-- How far the link after position $1 reaches, at most about $2 rows of each log; NULL where nothing is to be read.
SELECT least(
    event_horizon() - 1,
    (SELECT position FROM ticket_events WHERE position > $1 ORDER BY position OFFSET $2 - 1 LIMIT 1),
    (SELECT position FROM audit_records WHERE position > $1 ORDER BY position, id OFFSET $2 - 1 LIMIT 1)
) AS through;

-- name: events_written
-- Events above $1 up to $2 as their leaves are made of (hotline.audit.event_leaf). Hashed by who asks: a hash costs the
-- database ten times as much.
SELECT array_agg(convert_to(concat_ws(chr(31), position, ticket_id, version, (extract(epoch FROM at) * 1000000)::bigint,
           octet_length(type) || ':' || type, octet_length(actor) || ':' || actor, octet_length(topic) || ':' || topic,
           octet_length(doc) || ':' || doc, octet_length(summary) || ':' || summary), 'UTF8') ORDER BY position)
FROM ticket_events, LATERAL (SELECT array_to_string(topics, ',') AS topic) AS t
WHERE position > $1 AND position <= $2;

-- name: add_link
INSERT INTO audit_chain (n, after, through, records, events, leaves, linked_at, key, hash, mac)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: links
-- The chain from link $1 on, at most $2.
SELECT n, after, through, records, events, leaves, linked_at, key, hash, mac FROM audit_chain
WHERE n >= $1 ORDER BY n LIMIT $2;

-- name: size
-- Links have numbers without gaps. Of a long chain the rows are told as many as both logs have by the planner's estimate:
-- counting them would read all of it.
SELECT n + 1 AS links, CASE WHEN n < 50000 THEN (SELECT coalesce(sum(records + events), 0)::bigint FROM audit_chain) ELSE (
    SELECT sum(greatest(reltuples, 0))::bigint FROM pg_class
    WHERE oid IN ('ticket_events'::regclass, 'audit_records'::regclass)
) END AS rows
FROM audit_chain ORDER BY n DESC LIMIT 1;

-- name: records_of
SELECT position, id, at, actor, act, subject, result, detail, hash FROM audit_records
WHERE position > $1 AND position <= $2 ORDER BY position, id;

-- name: events_of
SELECT position, ticket_id, version, at, type, actor, topics, doc, summary FROM ticket_events
WHERE position > $1 AND position <= $2 ORDER BY position;

-- name: waiting
-- Rows that are not chained yet, and since when; all of them where there is no chain.
SELECT (SELECT count(*) FROM audit_records WHERE position > c.through)
       + (SELECT count(*) FROM ticket_events WHERE position > c.through) AS rows,
       least((SELECT at FROM audit_records WHERE position > c.through ORDER BY position LIMIT 1),
             (SELECT at FROM ticket_events WHERE position > c.through ORDER BY position LIMIT 1)) AS since
FROM (SELECT coalesce((SELECT through FROM audit_chain ORDER BY n DESC LIMIT 1), 0) AS through) AS c;

-- name: page
-- Records newest first, below ($1, $2); '' and NULL do not narrow. Planned anew each time.
SELECT position, id, at, actor, act, subject, result, detail FROM audit_records
WHERE (at, id) < ($1::timestamptz, $2::bigint)
  AND ($3::text = '' OR actor = $3) AND ($4::text = '' OR act = $4) AND ($5::text = '' OR subject = $5)
  AND ($6::text = '' OR result = $6) AND ($7::timestamptz IS NULL OR at >= $7)
ORDER BY at DESC, id DESC LIMIT $8;

-- name: commands
-- Commands as the event log has them, newest first below position $1, of the ticket numbered $2 ('': all).
SELECT e.position, e.ticket_id, e.version, e.at, e.type, e.actor, e.summary FROM ticket_events e
WHERE e.position < $1 AND ($2::text = '' OR e.ticket_id = (SELECT id FROM tickets WHERE number = $2))
ORDER BY e.position DESC LIMIT $3;

-- name: exported
-- Everything in commit order above ($1, $2), both logs as one; commands have id 0.
SELECT position, id, at, actor, act, subject, result, detail FROM (
    (SELECT position, id, at, actor, act, subject, result, detail FROM audit_records
     WHERE (position, id) > ($1::bigint, $2::bigint) AND position < event_horizon() ORDER BY position, id LIMIT $3)
    UNION ALL
    (SELECT position, 0, at, actor, 'ticket.' || type, summary, 'ok', '{}' FROM ticket_events
     WHERE position > $1 AND position < event_horizon() ORDER BY position LIMIT $3)
) AS both_logs ORDER BY position, id LIMIT $3;
