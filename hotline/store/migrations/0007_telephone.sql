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
