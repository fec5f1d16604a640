-- The departments' side: their own systems (webhooks out, pulls and acts in), what returns teach the dispatch directory,
-- and the families of merged tickets.

-- A unit's own system (hotline.store.units). The webhook's secret must be readable to sign with it; of the token of the
-- pull API only a hash is kept. Without `url` the unit only pulls.
CREATE TABLE unit_systems (
    unit          text PRIMARY KEY,
    id            bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- stands in delivery ids, which must be ASCII
    url           text NOT NULL DEFAULT '',
    secret        text NOT NULL DEFAULT '',
    token_hash    bytea UNIQUE,
    active        boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    updated_by    text NOT NULL,
    -- A system that does not answer rests a while, so that its queue does not hold up those of others.
    failures      integer NOT NULL DEFAULT 0,
    resting_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- Exactly-once out: `id` is told to the unit with every attempt and survives retries, restarts and resending.
CREATE TABLE webhook_deliveries (
    id              text PRIMARY KEY,
    unit            text NOT NULL,
    ticket_id       bigint NOT NULL,
    event           text NOT NULL,                  -- the fact's tag: dispatch, sign, …
    payload         text NOT NULL,                  -- routing.unit_codec.UnitEvent, the bytes that are signed
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'dead')),
    attempts        integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    started_at      timestamptz NOT NULL,           -- trying ends 24 hours after this; resending sets it anew
    last_attempt_at timestamptz,
    sent_at         timestamptz,
    last_status     integer NOT NULL DEFAULT 0,     -- HTTP status of the last answer, 0 without one
    last_error      text NOT NULL DEFAULT ''
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (created_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (state, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_by_unit ON webhook_deliveries (unit, state, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_sent ON webhook_deliveries (sent_at) WHERE state = 'sent';

-- Exactly-once in from units' systems: a repeat of a key gets what the first act led to.
CREATE TABLE unit_acts (
    unit         text NOT NULL,
    key          text NOT NULL,
    content_hash bytea NOT NULL,
    number       text NOT NULL,
    version      integer NOT NULL,
    state        text NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (unit, key)
);
CREATE INDEX unit_acts_by_age ON unit_acts (at);

-- Children of a merged ticket.
CREATE INDEX tickets_by_parent ON tickets (parent) WHERE parent IS NOT NULL;

-- Repeats: an earlier ticket of the same citizen, found by a reader of the event log (hotline.store.repeats).
-- `same_matter`: of the same category too.
CREATE TABLE ticket_repeats (
    ticket_id   bigint NOT NULL,
    earlier_id  bigint NOT NULL,
    same_matter boolean NOT NULL,
    PRIMARY KEY (ticket_id, earlier_id)
);
CREATE INDEX ticket_repeats_of ON ticket_repeats (earlier_id);

-- What returns teach the directory: category × place → another department, for its owner to accept or dismiss.
-- One open proposal for each change; `town` is '' where the place was not known. Counts come from the examples.
CREATE TABLE directory_proposals (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    l1                text NOT NULL,
    l2                text NOT NULL,
    kind              text NOT NULL,                -- hotline.terms.Kind of the tickets
    town              text NOT NULL,
    from_unit         text NOT NULL,                -- to whom the directory (or a person) dispatched
    to_unit           text NOT NULL,                -- whose matter it is according to the return
    directory_version text NOT NULL DEFAULT '',     -- by which the first example was dispatched
    state             text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'dismissed')),
    first_at          timestamptz NOT NULL,
    last_at           timestamptz NOT NULL,
    decided_at        timestamptz,
    decided_by        text NOT NULL DEFAULT '',
    note              text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX directory_proposals_open ON directory_proposals (l1, l2, kind, town, from_unit, to_unit)
    WHERE state = 'open';
CREATE INDEX directory_proposals_by_state ON directory_proposals (state, last_at DESC, id DESC);
CREATE TABLE directory_proposal_examples (
    proposal_id bigint NOT NULL REFERENCES directory_proposals,
    number      text NOT NULL,
    version     integer NOT NULL,                   -- of the event that approved the return or ruled
    basis       text NOT NULL,                      -- 'returned' or 'ruled'
    legal_basis text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL,
    PRIMARY KEY (proposal_id, number, version)
);

-- Units hear of what happens from now on; repeats are found in what is there already too.
INSERT INTO readers VALUES ('webhooks', event_horizon() - 1), ('repeats', 0);
