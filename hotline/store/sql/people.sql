-- People as administrators see them: accounts with their standing, never a password or a ticket.

-- name: people
SELECT s.name, s.display_name, s.role, s.department, s.active, s.wanted_role, s.created_at, s.last_login_at,
       s.password_changed_at, s.must_change, s.totp_since IS NOT NULL AS enrolled,
       CASE WHEN s.locked_until > $1 THEN s.locked_until END AS locked_until,
       (SELECT count(*) FROM sessions WHERE sessions.staff = s.name AND sessions.expires_at > $1
                                        AND sessions.last_seen > $2) AS sessions,
       a.endpoint, a.skills
FROM staff AS s LEFT JOIN agent_phones AS a ON a.staff = s.name
WHERE ($3 = '' OR s.name = $3) AND ($4 = '' OR s.role = $4)
  AND ($5 = '' OR strpos(lower(s.name || ' ' || s.display_name || ' ' || s.department), lower($5)) > 0)
ORDER BY s.name
OFFSET $6 LIMIT $7;

-- name: hold
-- One change of a person at a time.
SELECT name, display_name, role, department, active, wanted_role FROM staff WHERE name = $1 FOR UPDATE;

-- name: rename
UPDATE staff SET display_name = $2 WHERE name = $1;

-- name: grant
UPDATE staff SET role = $2, department = $3, active = true, wanted_role = '' WHERE name = $1;

-- name: activate
-- A lock by failures ends with it.
UPDATE staff SET active = $2, failures = 0, locked_until = NULL, lockouts = 0 WHERE name = $1;

-- name: active_with_role
-- Locks the rows, so that two last ones do not lock each other out.
SELECT name FROM staff WHERE role = $1 AND active FOR UPDATE;

-- name: end_all
DELETE FROM sessions WHERE staff = $1 RETURNING id;

-- name: give_password
UPDATE staff SET password_hash = $2, password_changed_at = $3, must_change = true, failures = 0, locked_until = NULL,
                 lockouts = 0 WHERE name = $1;

-- name: keep_old_password
INSERT INTO password_history (staff, password_hash, kept_at) SELECT name, password_hash, $2 FROM staff WHERE name = $1;

-- name: take_factor
UPDATE staff SET totp_secret = NULL, totp_since = NULL, totp_step = 0 WHERE name = $1;

-- name: take_recovery
DELETE FROM recovery_codes WHERE staff = $1;
