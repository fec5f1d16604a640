-- Telephone: the calls that are under way, and where agents are rung.

-- The whole call (routing.calls.Call as JSON) while it lasts: who takes over the PBX goes on from here.
ALTER TABLE calls ADD COLUMN doc text,
                  ADD COLUMN recording text NOT NULL DEFAULT '';   -- name of the file at the PBX, '' without one
CREATE INDEX calls_under_way ON calls (started_at) WHERE doc IS NOT NULL;

-- An agent's telephone and skills. Levels are 1 (best) to 5, as {"general": 1}.
CREATE TABLE agent_phones (
    staff    text PRIMARY KEY REFERENCES staff,
    endpoint text NOT NULL,                         -- as the PBX rings it: PJSIP/101
    skills   jsonb NOT NULL DEFAULT '{"general": 1}'
);

-- What consoles ask of calls, carried out by the process that steers the PBX. Kept for a day as a trace of who did what.
CREATE TABLE call_orders (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call     text NOT NULL,
    staff    text NOT NULL,
    doc      text NOT NULL,                         -- hotline.telephone_ports.CallOrder
    asked_at timestamptz NOT NULL,
    done_at  timestamptz,
    error_id text NOT NULL DEFAULT '',
    detail   text NOT NULL DEFAULT ''
);
CREATE INDEX call_orders_waiting ON call_orders (id) WHERE done_at IS NULL;
