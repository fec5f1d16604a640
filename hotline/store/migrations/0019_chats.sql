-- Chats that wait for an agent's word are looked at every second: an index that holds these only.
CREATE INDEX tickets_chats ON tickets (created_at, id)
WHERE state IN ('received', 'pending_dispatch') AND channel = 'web' AND citizen LIKE 'chat:%';
