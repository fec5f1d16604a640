-- Whom an agent brings into their call, while they take part: their console shows who calls.
ALTER TABLE calls ADD COLUMN colleague text NOT NULL DEFAULT '';
