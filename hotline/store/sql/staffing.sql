-- What a roster is made from.

-- name: slots
-- Calls that asked for an agent and their handling time, by half hour of the day in the time zone $1: the mean over the
-- days of the last $2 weeks that had calls at all. Handling is talk (hold included) and wrap-up.
SELECT to_char(slot, 'HH24:MI') AS start, count(*)::float8 / days.count AS calls,
       coalesce(avg(handling), 0)::float8 AS handling
FROM (
    SELECT date_bin('30 minutes', asked_at AT TIME ZONE $1, '2000-01-01')::time AS slot,
           extract(epoch FROM ended_at - answered_at) + coalesce(wrap_up_seconds, 0) AS handling
    FROM calls
    WHERE direction = 'in' AND asked_at >= now() - make_interval(weeks => $2)
) AS asked,
(
    SELECT count(DISTINCT (asked_at AT TIME ZONE $1)::date)
    FROM calls WHERE direction = 'in' AND asked_at >= now() - make_interval(weeks => $2)
) AS days
GROUP BY slot, days.count ORDER BY slot;
