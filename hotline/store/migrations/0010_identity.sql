-- Identity: the age and history of passwords, a second factor, sessions that can be told apart and ended, log-in by an
-- identity provider, counts of rate limits that all processes share, and holidays that an administrator has given.

ALTER TABLE staff
    ADD COLUMN password_changed_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN must_change boolean NOT NULL DEFAULT false,      -- a password that somebody else has given
    ADD COLUMN lockouts integer NOT NULL DEFAULT 0,             -- since the last log-in: each lock is twice as long
    ADD COLUMN totp_secret bytea,                               -- sealed (agent_ui.second_factor)
    ADD COLUMN totp_since timestamptz,                          -- NULL until a first code has proved the secret
    ADD COLUMN totp_step bigint NOT NULL DEFAULT 0,             -- of the last code used: none counts twice
    ADD COLUMN wanted_role text NOT NULL DEFAULT '',            -- proposed by a system administrator, not granted yet
    ADD COLUMN last_login_at timestamptz;

CREATE TABLE password_history (
    staff         text NOT NULL REFERENCES staff,
    password_hash text NOT NULL,
    kept_at       timestamptz NOT NULL
);
CREATE INDEX password_history_by_staff ON password_history (staff, kept_at DESC);

-- Each opens one log-in in place of a code; deleted as it is used. The codes are random: a plain digest is enough.
CREATE TABLE recovery_codes (
    staff     text NOT NULL REFERENCES staff,
    code_hash bytea NOT NULL,
    PRIMARY KEY (staff, code_hash)
);

ALTER TABLE sessions
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY,          -- by this a session is told of, never by its token
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN device text NOT NULL DEFAULT '',
    ADD COLUMN proof text NOT NULL DEFAULT 'password';          -- agent_ui.identity.Proof
CREATE UNIQUE INDEX sessions_by_id ON sessions (id);
CREATE INDEX sessions_by_staff ON sessions (staff);

ALTER TABLE console_tickets ADD COLUMN session bigint NOT NULL DEFAULT 0;

-- Log-ins that were sent to the identity provider and have not come back; deleted as they do.
CREATE TABLE sso_attempts (
    state_hash bytea PRIMARY KEY,
    nonce      text NOT NULL,
    verifier   text NOT NULL,
    expires_at timestamptz NOT NULL
);

-- What processes have counted of their rate limits (hotline.store.rates). Keys are keyed hashes. A crash may empty it.
CREATE UNLOGGED TABLE rate_counts (
    name       text NOT NULL,
    key        bytea NOT NULL,
    taken      bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (name, key)
);
CREATE INDEX rate_counts_by_age ON rate_counts (changed_at);

-- Days that differ from what the calendar library and the city's calendar.csv say.
CREATE TABLE holidays (
    day     date PRIMARY KEY,
    off     boolean NOT NULL,
    name    text NOT NULL,
    set_by  text NOT NULL,
    set_at  timestamptz NOT NULL
);
INSERT INTO revisions (name) VALUES ('calendar');
CREATE TRIGGER holidays_counted AFTER INSERT OR UPDATE OR DELETE ON holidays
    FOR EACH STATEMENT EXECUTE FUNCTION count_revision('calendar');
