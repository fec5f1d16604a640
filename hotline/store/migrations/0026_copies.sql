-- outside a transaction
-- formerly b9c8f1d10731a1b118b8ada4de6c936127b47c3d37511ba2c6ae71d7c4453048 (in a transaction; it made the same)
-- Where copies of an identity lie beside its ticket, found when it is erased (hotline/store/sql/erasing.sql).

-- The letters of a ticket, by what `held_letter` reads from their keys; those that still have their text.
CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_of_ticket
    ON outbox (substring(key FROM '^(?:notice|family)-([^-]+)-')) WHERE message <> '{}';

-- Parcels that were sent or given up and still have what they told.
CREATE INDEX CONCURRENTLY IF NOT EXISTS parcels_of ON parcels (ticket_id) WHERE payload <> '';
CREATE INDEX CONCURRENTLY IF NOT EXISTS parcels_full ON parcels (created_at) WHERE state <> 'pending' AND payload <> '';

-- The keys of the files that a document names: SHA-256 in hexadecimal, the first field of each attachment.
CREATE OR REPLACE FUNCTION file_keys(doc text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ARRAY(SELECT found[1] FROM regexp_matches(doc, '\{"key":"([0-9a-f]{64})"', 'g') AS found) $$;
-- The same content is one file, whoever sent it: who else has it is asked before it goes.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ticket_events_files
    ON ticket_events USING gin (file_keys(doc)) WHERE strpos(doc, '"attachments":[{') > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS nuisance_contacts_files
    ON nuisance_contacts USING gin (file_keys(attachments)) WHERE attachments <> '[]';
