-- Clocks, follow-up and callbacks.

-- When the sweep has to look at a ticket next (hotline.timers.next_attention). Tickets from before are looked at once.
ALTER TABLE tickets ADD COLUMN attention_at timestamptz;
UPDATE tickets SET attention_at = now() WHERE state <> 'archived';
CREATE INDEX tickets_by_attention ON tickets (attention_at) WHERE attention_at IS NOT NULL;

-- 督办: open tickets under supervision, the supervisors' list.
ALTER TABLE tickets ADD COLUMN supervised boolean NOT NULL DEFAULT false;
CREATE INDEX tickets_supervised ON tickets (created_at DESC, id DESC) WHERE supervised;

-- The key that signs links sent to citizens; the same for all processes, made with the database.
CREATE TABLE link_keys (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    key    bytea NOT NULL
);
INSERT INTO link_keys (key)
SELECT sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) FROM generate_series(1, 4);

-- What consoles learn beside tickets: presence from the beginning, the ledger of callbacks from here on.
ALTER TABLE presence_events ADD COLUMN type text NOT NULL DEFAULT 'presence',
                            ADD COLUMN topic text NOT NULL DEFAULT 'presence';

-- 回拨: a row for each call that nobody took, kept until it is done. `call` is the telephone's id, so it is owed once.
CREATE TABLE callbacks (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call      text NOT NULL UNIQUE,
    phone     text NOT NULL,                        -- E.164
    missed_at timestamptz NOT NULL,
    state     text NOT NULL CHECK (state IN ('owed', 'assigned', 'done')),
    agent     text NOT NULL DEFAULT '',
    next_at   timestamptz,                          -- when it is to be tried, or given back; NULL when done
    due_at    timestamptz NOT NULL,
    alarmed   boolean NOT NULL DEFAULT false,
    outcome   text NOT NULL DEFAULT '',
    done_at   timestamptz,
    doc       text NOT NULL                         -- routing.callbacks.Callback
);
CREATE INDEX callbacks_waiting ON callbacks (next_at, id) WHERE state <> 'done';
CREATE INDEX callbacks_by_phone ON callbacks (phone) WHERE state <> 'done';
CREATE INDEX callbacks_overdue ON callbacks (due_at) WHERE state <> 'done' AND NOT alarmed;
CREATE INDEX callbacks_open ON callbacks (missed_at, id) WHERE state <> 'done';
