-- What is owed to the outside and not done yet, each by the index that its worker uses; ages in seconds.

-- name: waiting
SELECT 'incident' AS what, count(*) AS number, min(created_at) AS since FROM incidents WHERE state = 'pending'
UNION ALL SELECT 'message', count(*), min(created_at) FROM outbox WHERE state = 'pending'
UNION ALL SELECT 'webhook', count(*), min(created_at) FROM webhook_deliveries WHERE state = 'pending'
UNION ALL SELECT 'parcel', count(*), min(created_at) FROM parcels WHERE state = 'pending'
UNION ALL SELECT 'callback', count(*), min(missed_at) FROM callbacks WHERE state <> 'done'
UNION ALL SELECT 'recording', count(*), min(ended_at) FROM calls -- of a talk of a moment there may be none
    WHERE recording <> '' AND NOT fetched AND ended_at IS NOT NULL AND ended_at > answered_at + interval '5 seconds'
UNION ALL SELECT 'job', count(*), min(execute_after) FROM pgqueuer WHERE status = 'queued' AND execute_after <= now();

-- name: given_up
SELECT 'webhook' AS what, count(*) AS number FROM webhook_deliveries WHERE state = 'dead'
UNION ALL SELECT 'parcel', count(*) FROM parcels WHERE state = 'dead'
UNION ALL SELECT 'job', count(*) FROM pgqueuer WHERE status = 'failed';

-- name: readers
-- How old the first event is that a reader of the log has not read yet; NULL where it has read all.
SELECT r.name, extract(epoch FROM now() - (
           SELECT e.at FROM ticket_events e WHERE e.position > r.position AND e.position < event_horizon()
           ORDER BY e.position LIMIT 1))::float8 AS lag
FROM (SELECT name, position FROM readers
      UNION ALL SELECT 'figures', position FROM tally_readers WHERE active) r;

-- name: log
SELECT (SELECT extract(epoch FROM now() - min(at))::float8 FROM ticket_events WHERE position >= event_horizon()) AS held_back,
       (SELECT count(*) FROM incidents WHERE state = 'pending' AND alarmed_at IS NOT NULL) AS silent,
       (SELECT count(*) FROM tickets WHERE due_at < now()) AS overdue,
       (SELECT count(*) FROM staff WHERE active AND locked_until > now()) AS locked;

-- name: audit
-- How old the first row is that is not chained yet (NULL: all are), and what the last check of the chain found, here
-- (status_1) or on the page (broken); NULL where nobody ever checked. Without any link it is broken, whoever checked.
SELECT extract(epoch FROM now() - least(
           (SELECT at FROM audit_records WHERE position > coalesce(c.through, 0) ORDER BY position LIMIT 1),
           (SELECT at FROM ticket_events WHERE position > coalesce(c.through, 0) ORDER BY position LIMIT 1)
       ))::float8 AS unchained,
       c.through IS NULL OR (SELECT result <> 'ok' FROM audit_records WHERE act = 'audit.verify' AND result IN ('ok', 'broken', 'status_1')
        ORDER BY at DESC, id DESC LIMIT 1) AS broken
FROM (SELECT (SELECT through FROM audit_chain ORDER BY n DESC LIMIT 1) AS through) AS c;

-- name: upkeep
-- How long ago a task of the night last went well, by the audit; where it never did, how old the database is.
SELECT what, extract(epoch FROM now() - coalesce(
           (SELECT at FROM audit_records WHERE act = what AND result = 'ok' ORDER BY at DESC, id DESC LIMIT 1),
           (SELECT min(applied_at) FROM schema_migrations)))::float8 AS age
FROM unnest(ARRAY['backup', 'audit.verify']) AS what;
