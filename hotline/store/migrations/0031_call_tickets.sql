-- The tickets of a call beside its first one, which is `calls.ticket_id`: a hold on any of them keeps the call.
CREATE TABLE further_tickets (
    call      text NOT NULL REFERENCES calls,
    ticket_id bigint NOT NULL REFERENCES tickets,
    PRIMARY KEY (call, ticket_id)
);
CREATE INDEX further_tickets_of ON further_tickets (ticket_id);

-- Recordings that are kept here and not yet known to be deleted at the PBX: few, and none for long.
CREATE TABLE recordings_at_pbx (call text PRIMARY KEY REFERENCES calls);

DO $$ -- the city of each row, as migration 0017 tells it
DECLARE
    here integer := coalesce(nullif(current_setting('hotline.city', true), ''), '0');
BEGIN
    EXECUTE format('ALTER TABLE further_tickets ADD COLUMN city integer NOT NULL DEFAULT %s', here);
    EXECUTE format('ALTER TABLE recordings_at_pbx ADD COLUMN city integer NOT NULL DEFAULT %s', here);
END $$;

-- All tickets of calls: those that came of them, and those that they were about. Nothing is copied, so nothing waits for it.
CREATE VIEW call_tickets AS
    SELECT id AS call, ticket_id FROM calls WHERE ticket_id IS NOT NULL
    UNION ALL SELECT call, ticket_id FROM further_tickets;

-- A call whose caller is on hold, or that is of a held ticket or citizen.
CREATE FUNCTION held_with(asked text) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT EXISTS (
    SELECT FROM calls c JOIN legal_holds h ON h.lifted_at IS NULL AND h.citizen <> '' AND h.citizen = c.caller
    WHERE c.id = asked
) OR EXISTS (
    SELECT FROM call_tickets k JOIN tickets t ON t.id = k.ticket_id JOIN legal_holds h ON h.lifted_at IS NULL
        AND (h.ticket_id = t.id OR (h.citizen <> '' AND h.citizen = t.citizen))
    WHERE k.call = asked
) $$;

-- Such a one, or whose recording is on hold itself: its recording, words and caller stay.
CREATE OR REPLACE FUNCTION held_call(asked text) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT EXISTS (SELECT FROM recordings r WHERE r.call = asked AND r.legal_hold) OR held_with(asked) $$;

-- How often a recording was asked for in vain: the least comes first, so that those which cannot be had keep no other waiting.
ALTER TABLE calls ADD COLUMN fetched_in_vain integer NOT NULL DEFAULT 0;
