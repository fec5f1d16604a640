-- The inverted index keeps each word by blocks of 100,000 tickets: it gives all that hold a word, in no order, and what is
-- asked for are the newest. The block stands first, so that what comes in grows one end of the index only. Words ~d…, that
-- no text has, name the units a ticket was ever with: a department's tickets are found without looking at others'
-- (sql/console.sql, search_words, which still asks the ticket whose it is now).
CREATE FUNCTION search_words(id bigint, words text[], lead text, assisting text[]) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT array_to_tsvector(array_agg(id / 100000 || '~' || word))
    FROM (SELECT unnest(words) UNION ALL SELECT '~d' || unit FROM unnest(lead || assisting) AS unit WHERE unit <> '')
        AS kept (word)
);

-- Tickets that went to another unit after they were indexed; the indexer empties it. No key: a ticket may stand here
-- twice, and writing it must wait for nobody.
CREATE TABLE search_stale (ticket_id bigint NOT NULL);

CREATE FUNCTION note_stale_units() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_stale VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER tickets_units_changed AFTER UPDATE OF lead, assisting ON tickets FOR EACH ROW
    WHEN (OLD.lead IS DISTINCT FROM NEW.lead OR OLD.assisting IS DISTINCT FROM NEW.assisting)
    EXECUTE FUNCTION note_stale_units();

-- The windows that were words of their own (~a…, ~b…) go.
UPDATE ticket_search AS s
SET words = coalesce(search_words(
    t.id, ARRAY(SELECT word FROM unnest(tsvector_to_array(s.words)) AS word WHERE word !~ '^~[ab][0-9]+$'),
    t.lead, t.assisting), '')
FROM tickets AS t WHERE t.id = s.ticket_id;
