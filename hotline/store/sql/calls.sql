-- Telephone figures, from calls as they ended and from the time of agents. A call that still waits has no outcome
-- yet and is not counted; one that asked for an agent counts at the moment of asking. What each figure means:
-- hotline/metrics.py and docs/metrics.md.

-- name: telephone
-- Calls that asked for an agent from $1 to before $2, by $3: total, day, month, hour, agent, skill, town; $4 the city's
-- time zone, $5 an agent to narrow it to, or ''. An answer counts as quick within $6 seconds.
SELECT g.part, m.metric, coalesce(m.numerator, 0)::float8 AS numerator, m.denominator::float8 AS denominator
FROM (
    SELECT c.part,
        count(*) AS asked,
        count(*) FILTER (WHERE c.abandoned) AS abandoned,
        count(*) FILTER (WHERE c.wait IS NOT NULL) AS answered,
        count(*) FILTER (WHERE c.wait <= $6) AS quick,
        sum(c.wait) AS wait,
        count(*) FILTER (WHERE c.wait IS NULL) AS missed,
        count(*) FILTER (WHERE c.wait IS NULL AND c.called_back) AS called_back,
        count(*) FILTER (WHERE c.handling IS NOT NULL) AS handled,
        sum(c.handling) AS handling
    FROM (
        SELECT CASE $3::text
                WHEN 'total' THEN '' WHEN 'day' THEN to_char(calls.asked_at AT TIME ZONE $4, 'YYYY-MM-DD')
                WHEN 'month' THEN to_char(calls.asked_at AT TIME ZONE $4, 'YYYY-MM')
                WHEN 'hour' THEN to_char(calls.asked_at AT TIME ZONE $4, 'HH24')
                WHEN 'agent' THEN calls.agent WHEN 'skill' THEN calls.skill WHEN 'town' THEN calls.town END AS part,
            extract(epoch FROM calls.answered_at - calls.asked_at) AS wait,
            calls.abandoned_at IS NOT NULL AS abandoned,
            callbacks.state IS NOT NULL AS called_back,
            -- talk (hold is a part of it) and wrap-up, once both are over
            extract(epoch FROM calls.ended_at - calls.answered_at) + calls.wrap_up_seconds AS handling
        FROM calls LEFT JOIN callbacks ON callbacks.call = calls.id AND callbacks.state = 'done'
        WHERE calls.direction = 'in' AND calls.asked_at >= $1 AND calls.asked_at < $2
          AND (calls.answered_at IS NOT NULL OR calls.abandoned_at IS NOT NULL OR calls.ended_at IS NOT NULL)
          AND ($5::text = '' OR calls.agent = $5)
    ) AS c
    GROUP BY c.part
) AS g
CROSS JOIN LATERAL (VALUES
    -- 接通率: answered ÷ asked for an agent
    ('connected', g.answered::numeric, g.asked),
    -- 15秒接通率: answered within 15 s ÷ asked for an agent, and the same without those who hung up
    ('service_level', g.quick, g.asked),
    ('service_level_stayed', g.quick, g.asked - g.abandoned),
    -- 平均应答时长 (ASA): seconds waited by the answered ÷ answered
    ('asa', g.wait, g.answered),
    -- 放弃率: hung up before an answer ÷ asked for an agent
    ('abandoned', g.abandoned, g.asked),
    -- 漏接回拨率: missed calls that were called back ÷ missed calls
    ('called_back', g.called_back, g.missed),
    -- 平均处理时长 (AHT): seconds of talk, hold and wrap-up ÷ calls that are over with their wrap-up
    ('aht', g.handling, g.handled)
) AS m (metric, numerator, denominator)
ORDER BY g.part, m.metric;

-- name: occupancy
-- 坐席利用率: time that agents talked or wrapped up ÷ time that they were there for callers, in the hours from that of $1 to
-- before $2 (up to now, $3, of those who are there now); by $4: total or agent.
SELECT CASE $4::text WHEN 'agent' THEN p.staff ELSE '' END AS part, 'occupancy' AS metric,
       sum(p.busy)::float8 / 1e6 AS numerator, sum(p.there)::float8 / 1e6 AS denominator
FROM (
    SELECT staff, there, busy FROM tally_staff
    WHERE generation = (SELECT generation FROM tally_readers WHERE active)
      AND hour >= date_trunc('hour', $1::timestamptz) AND hour < $2::timestamptz
    UNION ALL
    SELECT staff, lasting, CASE WHEN state IN ('talking', 'hold', 'wrap_up', 'busy') THEN lasting ELSE 0 END
    FROM tally_presence, LATERAL (SELECT greatest(0, extract(epoch FROM least($2::timestamptz, $3::timestamptz)
        - greatest(since, date_trunc('hour', $1::timestamptz))) * 1e6) AS lasting) AS l
    WHERE generation = (SELECT generation FROM tally_readers WHERE active)
      AND state IN ('available', 'ringing', 'talking', 'hold', 'wrap_up', 'busy')
) AS p
GROUP BY 1 HAVING sum(p.there) > 0 ORDER BY 1;
