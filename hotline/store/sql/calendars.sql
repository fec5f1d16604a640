-- Holidays and make-up working days that an administrator has set.

-- name: days
SELECT day, off, name FROM holidays ORDER BY day;

-- name: forget_year
DELETE FROM holidays WHERE day >= $1 AND day < $2;

-- name: put
INSERT INTO holidays (day, off, name, set_by, set_at)
SELECT day, off, name, $4, $5 FROM unnest($1::date[], $2::boolean[], $3::text[]) AS g (day, off, name);
