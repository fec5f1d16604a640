-- Figures: what the event log adds up to, kept by a reader of the log behind it (hotline.store.tally), the exclusions that
-- supervisors make, and calls. Everything named tally_… can be made anew from the log by `python -m hotline figures
-- rebuild`; a new generation is built beside the one that is read, then takes its place.

-- How far each generation has come: every event up to `position` is in it, and every clock that ran out before `as_of`.
CREATE TABLE tally_readers (
    generation integer PRIMARY KEY,
    position   bigint NOT NULL DEFAULT 0,
    as_of      timestamptz NOT NULL DEFAULT '1970-01-01Z',
    active     boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX tally_readers_active ON tally_readers (active) WHERE active;
INSERT INTO tally_readers (generation, active) VALUES (1, true);

-- The sum of what tickets contribute (hotline.tally.Share). `grain` tells which columns of the key are filled:
-- day: department, town, channel, category, kind; hour: the hour; agent: the agent. NULL counts as 0, and costs nothing.
CREATE TABLE tally_rollup (
    generation integer NOT NULL,
    grain      text NOT NULL CHECK (grain IN ('day', 'hour', 'agent')),
    day        date NOT NULL,                       -- in the city's own time
    hour       smallint NOT NULL,
    agent      text NOT NULL,
    department text NOT NULL,
    town       text NOT NULL,
    channel    text NOT NULL,
    l1         text NOT NULL,
    l2         text NOT NULL,
    kind       text NOT NULL,
    -- volumes
    received integer, emergencies integer, dispatched integer, answered integer, handed_off integer,
    rejected integer, withdrawn integer, merged integer, closed integer, urged integer, supervised integer,
    extended integer,
    -- metrics: numerator, denominator, left out by exclusions
    direct_num integer, direct_den integer, direct_out integer,
    sign_num integer, sign_den integer, sign_out integer,
    contact_num integer, contact_den integer, contact_out integer,
    completion_num integer, completion_den integer, completion_out integer,
    followed_up_num integer, followed_up_den integer, followed_up_out integer,
    solved_num integer, solved_den integer, solved_out integer,
    satisfied_num integer, satisfied_den integer, satisfied_out integer,
    one_pass_num integer, one_pass_den integer, one_pass_out integer,
    returned_num integer, returned_den integer, returned_out integer,
    redone_num integer, redone_den integer, redone_out integer,
    accurate_num integer, accurate_den integer, accurate_out integer,
    duration_num bigint, duration_den integer, duration_out integer,
    PRIMARY KEY (generation, grain, day, hour, agent, department, town, channel, l1, l2, kind)
) WITH (fillfactor = 85);
-- Hot spots look at nothing else.
CREATE INDEX tally_rollup_received ON tally_rollup (generation, day) INCLUDE (town, l1, l2, received)
    WHERE grain = 'day' AND received IS NOT NULL;

-- Where tickets stand now. `late`: the clock that expires next has run out.
CREATE TABLE tally_standing (
    generation integer NOT NULL,
    state      text NOT NULL,
    department text NOT NULL,
    town       text NOT NULL,
    late       boolean NOT NULL,
    tickets    integer NOT NULL,
    PRIMARY KEY (generation, state, department, town, late)
) WITH (fillfactor = 85);

-- Tickets whose contribution changes by time alone, and when.
CREATE TABLE tally_watch (
    generation integer NOT NULL,
    ticket_id  bigint NOT NULL,
    due_at     timestamptz NOT NULL,
    PRIMARY KEY (generation, ticket_id)
);
CREATE INDEX tally_watch_due ON tally_watch (generation, due_at);

-- Time of agents, for occupancy: their state now, and by whole hour how long they were there for callers, and of that
-- with one (microseconds). Kept from presence_events in the same steps.
CREATE TABLE tally_presence (
    generation integer NOT NULL,
    staff      text NOT NULL,
    state      text NOT NULL,
    since      timestamptz NOT NULL,
    PRIMARY KEY (generation, staff)
);
CREATE TABLE tally_staff (
    generation integer NOT NULL,
    hour       timestamptz NOT NULL,
    staff      text NOT NULL,
    there      bigint NOT NULL,
    busy       bigint NOT NULL,
    PRIMARY KEY (generation, hour, staff)
) WITH (fillfactor = 85);

-- 剔除: a supervisor leaves a ticket out of a metric, or takes that back. A log of its own in the order of events: an
-- exclusion concerns the figure and leaves the ticket as it is.
CREATE TABLE metric_exclusions (
    position  bigint PRIMARY KEY,
    ticket_id bigint NOT NULL REFERENCES tickets,
    metric    text NOT NULL,                        -- hotline.metrics.Metric
    excluded  boolean NOT NULL,                     -- false: taken back
    reason    text NOT NULL DEFAULT '',             -- hotline.metrics.Reason
    note      text NOT NULL,
    actor     text NOT NULL,                        -- role:name
    at        timestamptz NOT NULL
);
CREATE INDEX metric_exclusions_by_ticket ON metric_exclusions (ticket_id, metric, position DESC);
CREATE TRIGGER metric_exclusions_append_only BEFORE UPDATE OR DELETE ON metric_exclusions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Lists of what a unit assists in, in the order of the list (sql/console.sql, list_department); units beyond the third
-- are rare.
DROP INDEX tickets_by_assisting;
CREATE INDEX tickets_by_assisting_1 ON tickets ((assisting[1]), state, created_at DESC, id DESC)
    WHERE cardinality(assisting) >= 1;
CREATE INDEX tickets_by_assisting_2 ON tickets ((assisting[2]), state, created_at DESC, id DESC)
    WHERE cardinality(assisting) >= 2;
CREATE INDEX tickets_by_assisting_3 ON tickets ((assisting[3]), state, created_at DESC, id DESC)
    WHERE cardinality(assisting) >= 3;
CREATE INDEX tickets_by_assisting_more ON tickets USING gin (assisting) WHERE cardinality(assisting) > 3;

-- Windows of ids, as words that no text has: a search asks the inverted index window by window (sql/console.sql).
UPDATE ticket_search
SET words = words || array_to_tsvector(ARRAY['~a' || ticket_id / 20000, '~b' || ticket_id / 500000]);

-- Calls, one row each, written by the call role as they go on. A call that asked for an agent ends answered or missed;
-- a missed one was abandoned by the caller, or ended otherwise (queue full, line lost), and is owed a callback: its row
-- in `callbacks` has the call's id.
CREATE TABLE calls (
    id              text PRIMARY KEY,               -- the PBX's own
    direction       text NOT NULL CHECK (direction IN ('in', 'out')),
    caller          text NOT NULL DEFAULT '',       -- E.164, '' where withheld; of an outgoing call who was rung
    line            text NOT NULL DEFAULT '',       -- number that was dialled
    skill           text NOT NULL DEFAULT '',
    town            text NOT NULL DEFAULT '',
    agent           text NOT NULL DEFAULT '',
    ticket_id       bigint,
    started_at      timestamptz NOT NULL,
    asked_at        timestamptz,                    -- asked for an agent
    queued_at       timestamptz,
    rang_at         timestamptz,
    answered_at     timestamptz,
    abandoned_at    timestamptz,                    -- the caller hung up before an answer
    ended_at        timestamptz,
    hold_seconds    integer NOT NULL DEFAULT 0 CHECK (hold_seconds >= 0), -- part of the talk
    wrap_up_seconds integer CHECK (wrap_up_seconds >= 0),                 -- NULL until wrap-up is over
    CHECK (answered_at IS NULL OR abandoned_at IS NULL),
    CHECK (answered_at IS NULL OR asked_at IS NULL OR answered_at >= asked_at)
);
CREATE INDEX calls_by_asking ON calls (asked_at) WHERE asked_at IS NOT NULL AND direction = 'in';
CREATE INDEX calls_by_agent ON calls (agent, started_at DESC) WHERE agent <> '';
