-- The foundation: tickets, their events in commit-safe order, the inbox that makes input exactly-once, incidents at
-- 110, outgoing messages, staff and sessions. Times are timestamptz. Documents are msgspec JSON kept as text: the
-- database never looks into them on the intake path, and parsing them there would cost more than writing them
-- (docs/decisions/0003-documents-as-text.md).

-- Order of events. position = (transaction id + base) * 1024 + ordinal within the transaction. A reader takes rows
-- below event_horizon(): everything there is committed or gone, nothing can appear there later. `base` is raised after
-- a restore into a fresh cluster, whose transaction ids start anew (docs/decisions/0002-event-order.md).
CREATE TABLE event_clock (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    base bigint NOT NULL DEFAULT 0
);
INSERT INTO event_clock DEFAULT VALUES;

CREATE FUNCTION event_position(ordinal bigint) RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT ((pg_current_xact_id()::text::bigint + base) << 10) + ordinal FROM event_clock $$;

-- STABLE, so that it sees by the snapshot of the statement that calls it: with a later one, a row that commits between
-- the two would be passed over.
CREATE FUNCTION event_horizon() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + base) << 10 FROM event_clock $$;

-- What lists and look-ups need of a ticket. The ticket itself is replayed from its events.
CREATE TABLE tickets (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number          text NOT NULL UNIQUE,
    code            text NOT NULL,
    version         integer NOT NULL,
    state           text NOT NULL,
    channel         text NOT NULL,
    kind            text NOT NULL,
    l1              text NOT NULL DEFAULT '',
    l2              text NOT NULL DEFAULT '',
    verdict         text NOT NULL,
    priority        text NOT NULL,
    town            text NOT NULL DEFAULT '',
    lead            text NOT NULL DEFAULT '',
    assisting       text[] NOT NULL DEFAULT '{}',
    agent           text NOT NULL DEFAULT '',
    alarmed         boolean NOT NULL DEFAULT false,
    citizen         text NOT NULL DEFAULT '',       -- E.164 phone or the channel's key of the citizen
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    due_at          timestamptz,                    -- the clock that expires next
    parent          bigint REFERENCES tickets,
    confidential    boolean NOT NULL DEFAULT false,
    summary         text NOT NULL                   -- hotline.summary.Summary
);
CREATE INDEX tickets_by_state ON tickets (state, created_at DESC, id DESC);
CREATE INDEX tickets_by_lead ON tickets (lead, state, created_at DESC, id DESC) WHERE lead <> '';
CREATE INDEX tickets_by_assisting ON tickets USING gin (assisting) WHERE assisting <> '{}';
CREATE INDEX tickets_by_due ON tickets (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tickets_by_citizen ON tickets (citizen, created_at DESC) WHERE citizen <> '';
CREATE INDEX tickets_by_agent ON tickets (agent, created_at DESC) WHERE agent <> '';
CREATE INDEX tickets_alarmed ON tickets (created_at) WHERE alarmed;
CREATE INDEX tickets_emergency ON tickets (created_at DESC) WHERE verdict <> 'non_emergency' AND state <> 'archived';

-- Words of appeals, written by a reader of the event log a moment later (hotline.store.indexer): growing an inverted
-- index is the costliest part of a ticket, and nobody searches for what came in this very second.
CREATE TABLE ticket_search (
    ticket_id bigint PRIMARY KEY,
    words     tsvector NOT NULL
);
CREATE INDEX ticket_search_words ON ticket_search USING gin (words);

-- How far each durable reader of the event log has come.
CREATE TABLE readers (
    name     text PRIMARY KEY,
    position bigint NOT NULL
);
INSERT INTO readers VALUES ('search', 0);

-- No foreign keys on the two hot tables: ticket, events and inbox row are written by one statement (sql/tickets.sql,
-- `open`), and checking references would be four more look-ups for each ticket.
CREATE TABLE ticket_events (
    position    bigint PRIMARY KEY,
    ticket_id   bigint NOT NULL,
    version     integer NOT NULL,
    at          timestamptz NOT NULL,
    type        text NOT NULL,
    actor       text NOT NULL,                      -- role:name
    doc         text NOT NULL,                      -- hotline.events.TicketEvent
    summary     text NOT NULL,                      -- the ticket's summary after this event
    topics      text[] NOT NULL,
    UNIQUE (ticket_id, version)
);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER ticket_events_append_only BEFORE UPDATE OR DELETE ON ticket_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Exactly once in: one row per delivery; a repeat gets the receipt kept here.
CREATE TABLE inbox (
    channel      text NOT NULL,
    external_id  text NOT NULL,
    content_hash bytea NOT NULL,
    ticket_id    bigint NOT NULL,
    receipt      text NOT NULL,                     -- channels.message.Receipt
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (channel, external_id)
);

CREATE TABLE conversations (
    channel   text NOT NULL,
    key       text NOT NULL,
    ticket_id bigint REFERENCES tickets,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (channel, key)
);

CREATE TABLE number_counters (
    day     date NOT NULL,
    channel text NOT NULL,
    next    bigint NOT NULL,
    PRIMARY KEY (day, channel)
);

-- Hand-offs to 110: one row per hand-off, `key` is the idempotency key at the desk.
CREATE TABLE incidents (
    key             text PRIMARY KEY,
    ticket_id       bigint NOT NULL REFERENCES tickets,
    state           text NOT NULL DEFAULT 'pending'
                    CHECK (state IN ('pending', 'accepted', 'refused', 'signed', 'returned', 'closed')),
    payload         jsonb NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    last_attempt_at timestamptz,
    acknowledged_at timestamptz,
    desk_number     text NOT NULL DEFAULT '',
    last_error      text NOT NULL DEFAULT '',
    alarmed_at      timestamptz
);
CREATE INDEX incidents_waiting ON incidents (created_at) WHERE state = 'pending';
CREATE INDEX incidents_by_ticket ON incidents (ticket_id);

-- Exactly once out: `key` survives retries and restarts.
CREATE TABLE outbox (
    key         text PRIMARY KEY,
    channel     text NOT NULL,
    message     jsonb NOT NULL,                     -- channels.message.Outbound
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    attempts    integer NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL,
    sent_at     timestamptz,
    last_error  text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_waiting ON outbox (created_at) WHERE state = 'pending';

-- Requests signed by 110: a nonce is taken once, by one holder (replay protection).
CREATE TABLE police_nonces (
    nonce    text PRIMARY KEY,
    holder   text NOT NULL,
    taken_at timestamptz NOT NULL
);
CREATE INDEX police_nonces_by_age ON police_nonces (taken_at);

-- When a key made from content was first seen: gives an idempotency key to channels that have none (Open311).
CREATE TABLE first_seen (
    key text PRIMARY KEY,
    at  timestamptz NOT NULL
);
CREATE INDEX first_seen_by_age ON first_seen (at);

-- Files of citizens; the bytes lie under HOTLINE_DATA_DIR/attachments by their SHA-256.
CREATE TABLE attachments (
    key        text PRIMARY KEY,
    doc        jsonb NOT NULL,                      -- hotline.appeal.Attachment
    created_at timestamptz NOT NULL
);

-- Chats with citizens, line by line, numbered within the session.
CREATE TABLE chat_lines (
    session text NOT NULL,
    seq     integer NOT NULL,
    key     text NOT NULL,
    author  text NOT NULL CHECK (author IN ('citizen', 'hotline')),
    text    text NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (session, seq),
    UNIQUE (session, key)
);

-- One access token for all processes (WeChat: 2 hours, refreshed in one place).
CREATE TABLE access_tokens (
    name           text PRIMARY KEY,
    token          text NOT NULL DEFAULT '',
    expires_at     timestamptz NOT NULL DEFAULT '-infinity',
    fetching_until timestamptz NOT NULL DEFAULT '-infinity' -- a lease: one process fetches, the others wait
);

CREATE TABLE directory_versions (
    version        text PRIMARY KEY,
    effective_from timestamptz NOT NULL,
    loaded_at      timestamptz NOT NULL,
    doc            jsonb NOT NULL                   -- routing.directory.Directory
);

CREATE TABLE staff (
    name          text PRIMARY KEY,
    display_name  text NOT NULL,
    role          text NOT NULL CHECK (role IN ('agent', 'supervisor', 'department', 'system_admin', 'security_admin', 'audit_admin')),
    department    text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    active        boolean NOT NULL DEFAULT true,
    failures      integer NOT NULL DEFAULT 0,
    locked_until  timestamptz,
    created_at    timestamptz NOT NULL
);

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    staff      text NOT NULL REFERENCES staff,
    created_at timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- One-time tickets that turn an HTTP log-in into a console WebSocket; deleted as they are used.
CREATE TABLE console_tickets (
    ticket_hash bytea PRIMARY KEY,
    staff       text NOT NULL REFERENCES staff,
    expires_at  timestamptz NOT NULL
);

-- Presence of agents: leased, so that a dead console frees its agent. Changes go to the consoles as presence_events,
-- in the same order of positions as ticket_events.
CREATE TABLE presence (
    staff       text PRIMARY KEY REFERENCES staff,
    state       text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    since       timestamptz NOT NULL,
    lease_until timestamptz NOT NULL
);
CREATE TABLE presence_events (
    position bigint PRIMARY KEY,
    at       timestamptz NOT NULL,
    doc      jsonb NOT NULL
);
CREATE INDEX tickets_public ON tickets (created_at DESC, id DESC)
    WHERE verdict = 'non_emergency' AND kind <> 'report' AND NOT confidential;
