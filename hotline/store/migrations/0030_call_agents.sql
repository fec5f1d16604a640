-- Who has talked in a call, in their order: a call that was handed over has had several, and `agent` is the last.
ALTER TABLE calls ADD COLUMN agents text[] NOT NULL DEFAULT '{}';
