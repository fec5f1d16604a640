-- How far work has come that goes through a table step by step. It is no reader of the event log: in `readers` it counted
-- as one that has read nothing for years, and its alarm never ended.
CREATE TABLE sweeps (
    name     text PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT '-infinity',
    position bigint NOT NULL DEFAULT 0
);

-- Retention goes by age, `position` is the ticket's id: a process that uses up its ids slowly opens tickets under lower ones
-- than others did long before, and a cursor over ids passed them for ever. It begins anew and finds those.
INSERT INTO sweeps (name) VALUES ('retention');
DELETE FROM readers WHERE name = 'retention';
