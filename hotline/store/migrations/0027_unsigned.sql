-- What 110 has taken and not signed for in time raises an alarm of its own: raised at this moment, NULL once the
-- signature has cleared it.
ALTER TABLE incidents ADD COLUMN unsigned_at timestamptz;
CREATE INDEX incidents_unsigned ON incidents (acknowledged_at) WHERE state = 'accepted';
