-- outside a transaction
-- Whose phone was learnt is looked up by the phone; what the channel knows them by (blind, of a chat its hash as it is) stays
-- known here: for the queue of chats, for erasing, and so that who is marked as a nuisance by it stays contained.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS channel_key text NOT NULL DEFAULT '';
CREATE INDEX CONCURRENTLY IF NOT EXISTS tickets_by_channel_key ON tickets (channel_key, created_at DESC)
WHERE channel_key <> '';
DROP INDEX CONCURRENTLY IF EXISTS tickets_chats;
CREATE INDEX CONCURRENTLY IF NOT EXISTS tickets_chats_waiting ON tickets (created_at, id)
WHERE state IN ('received', 'pending_dispatch') AND channel = 'web'
AND (citizen LIKE 'chat:%' OR channel_key LIKE 'chat:%');
