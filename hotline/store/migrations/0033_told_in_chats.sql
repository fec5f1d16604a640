-- outside a transaction
-- Whose phone was learnt in a chat is looked up by the phone; the chat stays known here, for the queue and for erasing.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS chat text NOT NULL DEFAULT '';
CREATE INDEX CONCURRENTLY IF NOT EXISTS tickets_by_chat ON tickets (chat) WHERE chat <> '';
DROP INDEX CONCURRENTLY IF EXISTS tickets_chats;
CREATE INDEX CONCURRENTLY IF NOT EXISTS tickets_chats_waiting ON tickets (created_at, id)
WHERE state IN ('received', 'pending_dispatch') AND channel = 'web' AND (citizen LIKE 'chat:%' OR chat <> '');
