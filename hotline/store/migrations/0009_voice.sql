-- Telephone, second part: queues as data, recordings and transcripts kept, languages, calls that we make.

-- How the centre serves (routing.queueing.Centre as JSON). The newest version is in force; older ones tell who changed what.
CREATE TABLE queue_versions (
    version    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    doc        text NOT NULL
);

ALTER TABLE calls ADD COLUMN language text NOT NULL DEFAULT '',      -- chosen in the menu, '' where there is none
                  ADD COLUMN callback bigint,                        -- entry of the ledger that this call tries
                  ADD COLUMN alarm text NOT NULL DEFAULT '',         -- what the recogniser heard that is an emergency
                  ADD COLUMN fetched boolean NOT NULL DEFAULT false; -- the recording is here, or nowhere any more
CREATE INDEX calls_by_caller ON calls (caller, started_at DESC) WHERE caller <> '';
CREATE INDEX calls_by_ticket ON calls (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX calls_to_fetch ON calls (ended_at) WHERE recording <> '' AND NOT fetched AND ended_at IS NOT NULL;

-- Recordings: the file lies under its SHA-256, as attachments do. One on legal hold outlives `keep_until`.
CREATE TABLE recordings (
    call       text PRIMARY KEY REFERENCES calls,
    sha256     text NOT NULL,
    bytes      bigint NOT NULL,
    kept_at    timestamptz NOT NULL,
    keep_until timestamptz NOT NULL,
    legal_hold boolean NOT NULL DEFAULT false,
    deleted_at timestamptz                          -- the file is gone, the row stays as proof
);
CREATE INDEX recordings_due ON recordings (keep_until) WHERE deleted_at IS NULL AND NOT legal_hold;

-- Sentences that the recogniser heard, in their order; kept as long as the recording.
CREATE TABLE transcripts (
    call text NOT NULL REFERENCES calls,
    n    integer NOT NULL,
    side text NOT NULL CHECK (side IN ('citizen', 'agent', 'party')),
    at   timestamptz NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (call, n)
);
CREATE INDEX transcripts_due ON transcripts (at);

-- What consoles learn of calls passes: the call itself, its transcript and its recording are what is kept.
CREATE INDEX presence_events_passing ON presence_events (at) WHERE type IN ('call', 'transcript');

-- 通话中 and 保持 are two states.
UPDATE presence SET state = 'talking' WHERE state = 'busy';

INSERT INTO revisions (name) VALUES ('queues');
CREATE TRIGGER queues_revised AFTER INSERT OR UPDATE OR DELETE ON queue_versions
    FOR EACH STATEMENT EXECUTE FUNCTION count_revision('queues');
