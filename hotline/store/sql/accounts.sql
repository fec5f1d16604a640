-- Accounts, sessions and one-time tickets. Tokens are kept as hashes only.

-- name: add_staff
INSERT INTO staff (name, display_name, role, department, password_hash, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO NOTHING
RETURNING name;

-- name: set_password
UPDATE staff SET password_hash = $2, failures = 0, locked_until = NULL WHERE name = $1 RETURNING name;

-- name: account
-- No row: unknown, inactive, or locked.
SELECT name, display_name, role, department, password_hash
FROM staff WHERE name = $1 AND active AND (locked_until IS NULL OR locked_until <= $2);

-- name: count_failure
-- $3 failures lock until $4; a lock that has passed begins the count anew.
UPDATE staff
SET failures = CASE WHEN locked_until <= $2 THEN 1 ELSE failures + 1 END,
    locked_until = CASE WHEN locked_until > $2 THEN locked_until
                        WHEN locked_until IS NULL AND failures + 1 >= $3 THEN $4::timestamptz END
WHERE name = $1;

-- name: forget_failures
-- No row: locked meanwhile. So of many guesses made at once, one that is right counts only if fewer than the allowed
-- failures were counted before it.
UPDATE staff SET failures = 0, locked_until = NULL
WHERE name = $1 AND active AND (locked_until IS NULL OR locked_until <= $2)
RETURNING name;

-- name: add_session
INSERT INTO sessions (token_hash, staff, created_at, last_seen, expires_at) VALUES ($1, $2, $3, $3, $4);

-- name: drop_old_sessions
DELETE FROM sessions WHERE staff = $1 AND expires_at <= $2;

-- name: use_session
-- $3: sessions not used since then have idled out.
UPDATE sessions SET last_seen = $2
FROM staff
WHERE token_hash = $1 AND expires_at > $2 AND last_seen > $3 AND staff.name = sessions.staff AND staff.active
RETURNING staff.name, staff.display_name, staff.role, staff.department;

-- name: end_session
DELETE FROM sessions WHERE token_hash = $1;

-- name: issue_ticket
INSERT INTO console_tickets (ticket_hash, staff, expires_at) VALUES ($1, $2, $3);

-- name: drop_old_tickets
DELETE FROM console_tickets WHERE expires_at <= $1;

-- name: redeem_ticket
-- Deleting is what makes it one-time: of two at once, one gets the row.
WITH used AS (
    DELETE FROM console_tickets WHERE ticket_hash = $1 RETURNING staff, expires_at
)
SELECT staff.name, staff.display_name, staff.role, staff.department
FROM used JOIN staff ON staff.name = used.staff
WHERE used.expires_at > $2 AND staff.active;
