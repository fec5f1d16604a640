-- Accounts, sessions and one-time tickets. Tokens are kept as hashes only.

-- name: add_staff
INSERT INTO staff (name, display_name, role, department, password_hash, created_at, password_changed_at, must_change,
                   active, wanted_role)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)
ON CONFLICT (name) DO NOTHING
RETURNING name;

-- name: set_password
-- What it was goes into the history. No row: there is nobody, or it is not $5 any more ('': whatever it is).
WITH before AS (
    SELECT name, password_hash FROM staff WHERE name = $1 AND ($5 = '' OR password_hash = $5) FOR UPDATE
), kept AS (
    INSERT INTO password_history (staff, password_hash, kept_at) SELECT name, password_hash, $3 FROM before
)
UPDATE staff SET password_hash = $2, password_changed_at = $3, must_change = $4, failures = 0, locked_until = NULL,
                 lockouts = 0
FROM before WHERE staff.name = before.name
RETURNING staff.name;

-- name: old_passwords
-- The present one and the $2 before it.
SELECT password_hash FROM staff WHERE name = $1
UNION ALL
(SELECT password_hash FROM password_history WHERE staff = $1 ORDER BY kept_at DESC LIMIT $2);

-- name: forget_passwords
DELETE FROM password_history WHERE staff = $1 AND kept_at < (
    SELECT kept_at FROM password_history WHERE staff = $1 ORDER BY kept_at DESC OFFSET $2 LIMIT 1);

-- name: account
-- No row: unknown, inactive, or locked.
SELECT name, display_name, role, department, password_hash, totp_secret, totp_step, totp_since
FROM staff WHERE name = $1 AND active AND (locked_until IS NULL OR locked_until <= $2);

-- name: is_known
SELECT EXISTS (SELECT FROM staff WHERE name = $1);

-- name: count_failure
-- $3 failures lock: for $4 seconds, each further time twice as long, up to $5. A lock that has passed begins the count
-- anew.
UPDATE staff
SET failures = CASE WHEN locked_until <= $2 THEN 1 ELSE failures + 1 END,
    lockouts = CASE WHEN locked_until IS NULL AND failures + 1 >= $3 THEN lockouts + 1 ELSE lockouts END,
    locked_until = CASE WHEN locked_until > $2 THEN locked_until
                        WHEN locked_until IS NULL AND failures + 1 >= $3
                        THEN $2::timestamptz + least($4::float8 * 2 ^ least(lockouts, 16), $5::float8) * interval '1 second' END
WHERE name = $1;

-- name: forget_failures
-- No row: locked meanwhile, or the code's step ($3, 0 for none) was used meanwhile. So of many guesses made at once, one
-- that is right counts only if fewer than the allowed failures were counted before it; and a code counts once. Or the
-- password ($4, '' where none was shown) or the second factor (of $5) is another by now: whoever changed it has ended the
-- sessions that there were, and this one would outlast them.
UPDATE staff SET failures = 0, locked_until = NULL, lockouts = 0, totp_step = greatest(totp_step, $3), last_login_at = $2
WHERE name = $1 AND active AND (locked_until IS NULL OR locked_until <= $2) AND ($3 = 0 OR totp_step < $3)
  AND ($4 = '' OR (password_hash = $4 AND totp_since IS NOT DISTINCT FROM $5))
RETURNING name;

-- name: use_recovery_code
DELETE FROM recovery_codes WHERE staff = $1 AND code_hash = $2 RETURNING staff;

-- name: add_session
INSERT INTO sessions (token_hash, staff, created_at, last_seen, expires_at, address, device, proof)
VALUES ($1, $2, $3, $3, $4, $5, $6, $7);

-- name: drop_old_sessions
DELETE FROM sessions WHERE staff = $1 AND expires_at <= $2;

-- name: use_session
-- $3: sessions not used since then have idled out.
UPDATE sessions SET last_seen = $2
FROM staff
WHERE token_hash = $1 AND expires_at > $2 AND last_seen > $3 AND staff.name = sessions.staff AND staff.active
RETURNING staff.name, staff.display_name, staff.role, staff.department, sessions.id AS session, sessions.proof,
          staff.password_changed_at, staff.must_change, staff.totp_since IS NOT NULL AS enrolled;

-- name: end_session
DELETE FROM sessions WHERE token_hash = $1;

-- name: sessions_of
SELECT id, created_at, last_seen, expires_at, address, device, proof
FROM sessions WHERE staff = $1 AND expires_at > $2 AND last_seen > $3
ORDER BY last_seen DESC;

-- name: end_sessions
-- One of somebody's ($2), or all but one ($3).
DELETE FROM sessions WHERE staff = $1 AND ($2 = 0 OR id = $2) AND id <> $3 RETURNING id;

-- name: issue_ticket
INSERT INTO console_tickets (ticket_hash, staff, expires_at, session) VALUES ($1, $2, $3, $4);

-- name: drop_old_tickets
DELETE FROM console_tickets WHERE expires_at <= $1;

-- name: redeem_ticket
-- Deleting is what makes it one-time: of two at once, one gets the row. The session that it was given to must last.
WITH used AS (
    DELETE FROM console_tickets WHERE ticket_hash = $1 RETURNING staff, expires_at, session
)
SELECT staff.name, staff.display_name, staff.role, staff.department, used.session
FROM used JOIN staff ON staff.name = used.staff JOIN sessions ON sessions.id = used.session
WHERE used.expires_at > $2 AND staff.active AND sessions.expires_at > $2;

-- name: propose_secret
-- While no code has proved it, a new one takes its place.
UPDATE staff SET totp_secret = $2 WHERE name = $1 AND totp_since IS NULL RETURNING name;

-- name: proposed_secret
SELECT totp_secret FROM staff WHERE name = $1 AND totp_since IS NULL AND totp_secret IS NOT NULL FOR UPDATE;

-- name: confirm_secret
UPDATE staff SET totp_since = $2, totp_step = $3 WHERE name = $1;

-- name: drop_secret
UPDATE staff SET totp_secret = NULL, totp_since = NULL, totp_step = 0 WHERE name = $1 RETURNING name;

-- name: drop_recovery_codes
DELETE FROM recovery_codes WHERE staff = $1;

-- name: add_recovery_codes
INSERT INTO recovery_codes (staff, code_hash) SELECT $1, hash FROM unnest($2::bytea[]) AS hash;

-- name: prove_session
-- A second factor was shown within the session that enrolled it.
UPDATE sessions SET proof = $2 WHERE id = $1;

-- name: keep_attempt
INSERT INTO sso_attempts (state_hash, nonce, verifier, expires_at) VALUES ($1, $2, $3, $4);

-- name: take_attempt
DELETE FROM sso_attempts WHERE state_hash = $1 RETURNING nonce, verifier, expires_at;

-- name: drop_attempts
DELETE FROM sso_attempts WHERE expires_at <= $1;

-- name: active_account
SELECT name, display_name, role, department FROM staff WHERE name = $1 AND active;
