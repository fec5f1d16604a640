-- Identities sealed (docs/decisions/0017-identities-sealed.md): events without them, the private part beside each.

-- NULL: nothing was taken out of the event. Empty: it was erased.
ALTER TABLE ticket_events ADD COLUMN sealed bytea;
-- The event itself stays as it was written; its sealed part may be sealed under another key, or erased.
DROP TRIGGER ticket_events_append_only ON ticket_events;
CREATE TRIGGER ticket_events_append_only
    BEFORE DELETE OR UPDATE OF position, ticket_id, version, at, type, actor, doc, summary, topics ON ticket_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ticket_events_kept BEFORE TRUNCATE ON ticket_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON COLUMN tickets.citizen IS 'blind index of the E.164 phone, or of the channel''s key of the citizen';

-- `caller` of a call is a blind index; who it was stands sealed beside it.
ALTER TABLE calls ADD COLUMN caller_sealed text NOT NULL DEFAULT '';

-- `contact` is a blind index everywhere; the mark itself has the contact sealed, for supervisors.
ALTER TABLE nuisance_marks ADD COLUMN sealed text NOT NULL DEFAULT '';

-- 法律保全: what concerns a ticket, or everybody's tickets of one citizen (blind index), is neither erased nor swept.
CREATE TABLE legal_holds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id   bigint,
    citizen     text NOT NULL DEFAULT '',
    reason      text NOT NULL,
    held_by     text NOT NULL,
    held_at     timestamptz NOT NULL,
    lifted_by   text NOT NULL DEFAULT '',
    lifted_at   timestamptz,
    lift_reason text NOT NULL DEFAULT '',
    CHECK ((ticket_id IS NULL) <> (citizen = ''))
);
CREATE INDEX legal_holds_of_ticket ON legal_holds (ticket_id) WHERE lifted_at IS NULL AND ticket_id IS NOT NULL;
CREATE INDEX legal_holds_of_citizen ON legal_holds (citizen) WHERE lifted_at IS NULL AND citizen <> '';
CREATE INDEX legal_holds_newest ON legal_holds (id DESC);

-- Until which ticket the retention sweep has come, and what it left because of a hold.
CREATE TABLE retention_left (
    ticket_id bigint PRIMARY KEY,
    since     timestamptz NOT NULL
);
INSERT INTO readers VALUES ('retention', 0);
