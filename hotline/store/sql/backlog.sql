-- What is owed to the outside and not done yet, each by the index that its worker uses; ages in seconds.

-- name: waiting
SELECT 'incident' AS what, count(*) AS number, min(created_at) AS since FROM incidents WHERE state = 'pending'
UNION ALL SELECT 'message', count(*), min(created_at) FROM outbox WHERE state = 'pending'
UNION ALL SELECT 'webhook', count(*), min(created_at) FROM webhook_deliveries WHERE state = 'pending'
UNION ALL SELECT 'parcel', count(*), min(created_at) FROM parcels WHERE state = 'pending'
UNION ALL SELECT 'callback', count(*), min(missed_at) FROM callbacks WHERE state <> 'done'
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
       (SELECT count(*) FROM tickets WHERE due_at < now()) AS overdue;
