-- When an upload that nobody has claimed ends; NULL: a ticket or evidence has it, and so has all that is here already.
ALTER TABLE attachments ADD COLUMN expires_at timestamptz;
CREATE INDEX attachments_unclaimed ON attachments (expires_at) WHERE expires_at IS NOT NULL;
