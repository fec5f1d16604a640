-- Likeness: what new tickets are compared by, proposals to merge, hot spots. Written behind the log by a reader of its own
-- (hotline.store.likeness); can be made anew from the events (docs/decisions: search by keys, not by vectors).

-- One row per ticket: when, where and about what, for hot spots.
CREATE TABLE ticket_traits (
    ticket_id bigint PRIMARY KEY,
    at        timestamptz NOT NULL,
    town      text NOT NULL DEFAULT '',
    spot      text NOT NULL DEFAULT '',             -- village or landmark
    matter    text NOT NULL DEFAULT '',             -- a name of triage/data/matters.txt
    citizen   text NOT NULL DEFAULT ''
);
CREATE INDEX ticket_traits_by_time ON ticket_traits (at) INCLUDE (town, spot, matter, citizen, ticket_id);

-- What a ticket can be found by: unusual words, place × matter, copied runs (triage.traits). The newest entries of one key
-- are read from the end of its range, so the cost of a look-up is bounded however common a key is.
CREATE TABLE ticket_keys (
    key       bigint NOT NULL,
    at        timestamptz NOT NULL,
    ticket_id bigint NOT NULL,
    PRIMARY KEY (key, at, ticket_id)
);
CREATE INDEX ticket_keys_by_age ON ticket_keys USING brin (at);

-- Proposals to merge: tell the agent, never act.
CREATE TABLE merge_proposals (
    ticket_id    bigint NOT NULL,                   -- the later one
    other_id     bigint NOT NULL,
    score        real NOT NULL,                     -- log odds that both are about one thing
    reasons      text NOT NULL,                     -- JSON list, for people
    at           timestamptz NOT NULL,
    dismissed_at timestamptz,
    dismissed_by text NOT NULL DEFAULT '',
    PRIMARY KEY (ticket_id, other_id)
);
CREATE INDEX merge_proposals_other ON merge_proposals (other_id);

-- Places where one matter is told far more often than is usual there. One active row for each place and matter.
CREATE TABLE hotspots (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    town       text NOT NULL,
    spot       text NOT NULL DEFAULT '',
    matter     text NOT NULL,
    hours      integer NOT NULL,                    -- the window in which it is most unusual
    count      integer NOT NULL,                    -- citizens in it
    expected   real NOT NULL,                       -- as many as are usual
    began_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    found_at   timestamptz NOT NULL,
    ended_at   timestamptz,
    alarmed_at timestamptz,
    tickets    bigint[] NOT NULL
);
CREATE UNIQUE INDEX hotspots_active ON hotspots (town, spot, matter) WHERE ended_at IS NULL;
CREATE INDEX hotspots_by_age ON hotspots (found_at DESC);

INSERT INTO readers VALUES ('likeness', 0) ON CONFLICT DO NOTHING;
