-- The audit (hotline/audit.py, docs/audit.md): acts that are no events of tickets, and one chain over both logs.

-- Who did what, when, with which result: written in the transaction of the act. `position` is the transaction's place
-- in the order of commits, as of events; `hash` the SHA-256 of the content.
CREATE TABLE audit_records (
    position bigint NOT NULL,
    id       bigint GENERATED ALWAYS AS IDENTITY,
    at       timestamptz NOT NULL,
    actor    text NOT NULL,                         -- role:name
    act      text NOT NULL,
    subject  text NOT NULL,                         -- no personal data: a phone stands here as its blind index
    result   text NOT NULL,                         -- ok, or an error_id
    detail   text NOT NULL,                         -- JSON, text → text
    hash     bytea NOT NULL,
    PRIMARY KEY (position, id)
);
CREATE INDEX audit_records_by_time ON audit_records (at DESC, id DESC);
CREATE INDEX audit_records_by_actor ON audit_records (actor, at DESC, id DESC);
CREATE INDEX audit_records_by_act ON audit_records (act, at DESC, id DESC);
CREATE INDEX audit_records_by_subject ON audit_records (subject, at DESC, id DESC) WHERE subject <> '';
CREATE TRIGGER audit_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The chain. Link n covers every row of both logs above `after` up to `through`; `leaves` are their SHA-256, 32 bytes
-- each, records first. `hash` goes over all of it and the hash before; `mac` is a code over `hash` under a key that is not
-- in the database.
CREATE TABLE audit_chain (
    n         bigint PRIMARY KEY,
    after     bigint NOT NULL,
    through   bigint NOT NULL CHECK (through >= after),
    records   integer NOT NULL,
    events    integer NOT NULL,
    leaves    bytea NOT NULL,
    linked_at timestamptz NOT NULL,
    key       text NOT NULL,
    hash      bytea NOT NULL,
    mac       bytea NOT NULL
);
-- What was written before the chain began is not in it.
INSERT INTO audit_chain VALUES (0, 0, event_horizon() - 1, 0, 0, '', now(), '', sha256('12345'), '');
CREATE TRIGGER audit_chain_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Keys in use, by their ids and a code that only the key makes (hotline.keyring); the keys themselves are not here.
CREATE TABLE sealing_keys (
    id       text PRIMARY KEY,
    code     bytea NOT NULL,
    index    text NOT NULL,                         -- the blind index of a fixed text: look-ups use one key only
    noted_at timestamptz NOT NULL
);
