-- name: due
-- Tickets that time has something to do to, the longest waiting first.
SELECT number FROM tickets WHERE attention_at <= $1 ORDER BY attention_at LIMIT $2;

-- name: lock_due
-- One of them, held until the end of the transaction; none where another process has it or was quicker.
SELECT id FROM tickets WHERE number = $1 AND attention_at <= $2 FOR UPDATE SKIP LOCKED;

-- name: state_of
SELECT state FROM tickets WHERE id = $1;

-- name: look_again
UPDATE tickets SET attention_at = $2 WHERE number = $1;

-- name: put_off
-- Where it is still due at $2: somebody may have changed the ticket since it failed, and with it the next look.
UPDATE tickets SET attention_at = $3 WHERE number = $1 AND attention_at <= $2;
