-- Which callbacks have been tried: they are late no more, and take no place from those that time has something to do to.
-- What was tried before is told by what consoles were told of it: read first, while calls are still owed.
CREATE TEMPORARY TABLE tried_ids ON COMMIT DROP AS
SELECT DISTINCT (doc ->> 'id')::bigint AS id FROM presence_events
WHERE type = 'callback' AND jsonb_array_length(coalesce(doc -> 'tries', '[]')) > 0;
ALTER TABLE callbacks ADD COLUMN tried boolean NOT NULL DEFAULT false;
UPDATE callbacks SET tried = true WHERE state <> 'done' AND id IN (SELECT id FROM tried_ids);
DROP INDEX callbacks_overdue;
CREATE INDEX callbacks_overdue ON callbacks (due_at) WHERE state <> 'done' AND NOT alarmed AND NOT tried;
