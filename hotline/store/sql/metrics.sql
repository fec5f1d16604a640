-- Figures as they are read. What each numerator and denominator counts: hotline/metrics.py and docs/metrics.md; how a
-- ticket's events become numerators and denominators: hotline/tally.py.

-- name: figures
-- Numerator, denominator and what exclusions left out, of every metric and volume that comes from tickets, for the days
-- from $2 to before $3. $1 the grain (day, hour, agent) and $4 by what to group: total, department, town, channel,
-- category, l1, kind, day, month (grain day), hour (grain hour), agent (grain agent). $5 department, $7 channel, $8 kind
-- and $9 agent narrow it where they are not '', $6 town where it is not NULL ('': of no town).
SELECT g.part, m.figure, coalesce(m.numerator, 0) AS numerator, coalesce(m.denominator, 0) AS denominator,
       coalesce(m.excluded, 0) AS excluded
FROM (
    SELECT CASE $4::text
        WHEN 'total' THEN '' WHEN 'department' THEN r.department WHEN 'town' THEN r.town WHEN 'channel' THEN r.channel
        WHEN 'category' THEN r.l1 || '/' || r.l2 WHEN 'l1' THEN r.l1 WHEN 'kind' THEN r.kind
        WHEN 'day' THEN r.day::text WHEN 'month' THEN to_char(r.day, 'YYYY-MM') WHEN 'agent' THEN r.agent
        WHEN 'hour' THEN lpad(r.hour::text, 2, '0') END AS part,
        sum(r.received)::bigint AS received, sum(r.emergencies)::bigint AS emergencies,
        sum(r.dispatched)::bigint AS dispatched, sum(r.answered)::bigint AS answered,
        sum(r.handed_off)::bigint AS handed_off, sum(r.rejected)::bigint AS rejected,
        sum(r.withdrawn)::bigint AS withdrawn, sum(r.merged)::bigint AS merged, sum(r.closed)::bigint AS closed,
        sum(r.urged)::bigint AS urged, sum(r.supervised)::bigint AS supervised, sum(r.extended)::bigint AS extended,
        sum(r.direct_num)::bigint AS direct_num, sum(r.direct_den)::bigint AS direct_den,
        sum(r.direct_out)::bigint AS direct_out, sum(r.sign_num)::bigint AS sign_num,
        sum(r.sign_den)::bigint AS sign_den, sum(r.sign_out)::bigint AS sign_out,
        sum(r.contact_num)::bigint AS contact_num, sum(r.contact_den)::bigint AS contact_den,
        sum(r.contact_out)::bigint AS contact_out, sum(r.completion_num)::bigint AS completion_num,
        sum(r.completion_den)::bigint AS completion_den, sum(r.completion_out)::bigint AS completion_out,
        sum(r.followed_up_num)::bigint AS followed_up_num, sum(r.followed_up_den)::bigint AS followed_up_den,
        sum(r.followed_up_out)::bigint AS followed_up_out, sum(r.solved_num)::bigint AS solved_num,
        sum(r.solved_den)::bigint AS solved_den, sum(r.solved_out)::bigint AS solved_out,
        sum(r.satisfied_num)::bigint AS satisfied_num, sum(r.satisfied_den)::bigint AS satisfied_den,
        sum(r.satisfied_out)::bigint AS satisfied_out, sum(r.one_pass_num)::bigint AS one_pass_num,
        sum(r.one_pass_den)::bigint AS one_pass_den, sum(r.one_pass_out)::bigint AS one_pass_out,
        sum(r.returned_num)::bigint AS returned_num, sum(r.returned_den)::bigint AS returned_den,
        sum(r.returned_out)::bigint AS returned_out, sum(r.redone_num)::bigint AS redone_num,
        sum(r.redone_den)::bigint AS redone_den, sum(r.redone_out)::bigint AS redone_out,
        sum(r.accurate_num)::bigint AS accurate_num, sum(r.accurate_den)::bigint AS accurate_den,
        sum(r.accurate_out)::bigint AS accurate_out, sum(r.duration_num)::bigint AS duration_num,
        sum(r.duration_den)::bigint AS duration_den, sum(r.duration_out)::bigint AS duration_out,
        sum(r.chat_answered_num)::bigint AS chat_answered_num, sum(r.chat_answered_den)::bigint AS chat_answered_den,
        sum(r.chat_answered_out)::bigint AS chat_answered_out
    FROM tally_rollup AS r
    WHERE r.generation = (SELECT generation FROM tally_readers WHERE active) AND r.grain = $1
      AND r.day >= $2 AND r.day < $3
      AND ($5::text = '' OR r.department = $5) AND ($6::text IS NULL OR r.town = $6)
      AND ($7::text = '' OR r.channel = $7) AND ($8::text = '' OR r.kind = $8) AND ($9::text = '' OR r.agent = $9)
    GROUP BY 1
) AS g
CROSS JOIN LATERAL (VALUES
    -- 受理诉求
    ('received', g.received, NULL::bigint, NULL::bigint),
    -- 紧急诉求
    ('emergencies', g.emergencies, NULL::bigint, NULL::bigint),
    -- 派单
    ('dispatched', g.dispatched, NULL::bigint, NULL::bigint),
    -- 直接答复
    ('answered', g.answered, NULL::bigint, NULL::bigint),
    -- 移交110等
    ('handed_off', g.handed_off, NULL::bigint, NULL::bigint),
    -- 不予受理
    ('rejected', g.rejected, NULL::bigint, NULL::bigint),
    -- 撤单
    ('withdrawn', g.withdrawn, NULL::bigint, NULL::bigint),
    -- 并单
    ('merged', g.merged, NULL::bigint, NULL::bigint),
    -- 办结
    ('closed', g.closed, NULL::bigint, NULL::bigint),
    -- 催办
    ('urged', g.urged, NULL::bigint, NULL::bigint),
    -- 督办
    ('supervised', g.supervised, NULL::bigint, NULL::bigint),
    -- 延期
    ('extended', g.extended, NULL::bigint, NULL::bigint),
    -- 直接答复率: 首次出口为直接答复的工单 ÷ 首次出口为直接答复或派单的工单;
    -- 按首次出口的时刻归入日期
    ('direct', g.direct_num, g.direct_den, g.direct_out),
    -- 按时签收率: 在签收时限内签收的派单 ÷ 已签收的派单,加上签收时限已过仍未签收的派单(经批准退回、改派的不计);
    -- 按签收时限届满的时刻归入日期
    ('sign', g.sign_num, g.sign_den, g.sign_out),
    -- 响应率: 在首次联系时限内联系了诉求人的派单 ÷ 设有首次联系时限的派单(经批准退回、改派的不计;时限届满前收回、移交、并单、撤单且尚未联系的不计);
    -- 按派单的时刻归入日期
    ('contact', g.contact_num, g.contact_den, g.contact_out),
    -- 按时办结率: 在办理时限内办复的派单 ÷ 已办复的派单,加上办理时限已过仍未办复的派单(经批准退回、改派的不计;暂停期间不走时);
    -- 按办理时限届满的时刻归入日期
    ('completion', g.completion_num, g.completion_den, g.completion_out),
    -- 回访率: 已回访的办复(含多次联系不上的) ÷ 审核通过、应当回访的办复;
    -- 按办复审核通过的时刻归入日期
    ('followed_up', g.followed_up_num, g.followed_up_den, g.followed_up_out),
    -- 解决率: 诉求人表示已解决的有效回访 ÷ 有效回访:联系上诉求人,且其说明是否解决;
    -- 按回访的时刻归入日期
    ('solved', g.solved_num, g.solved_den, g.solved_out),
    -- 满意率: 非常满意、满意、基本满意的有效评价 ÷ 有效评价:每次办理以诉求人最后一次评价为准;
    -- 按评价的时刻归入日期
    ('satisfied', g.satisfied_num, g.satisfied_den, g.satisfied_out),
    -- 一次办结率: 未经重办即办结的工单 ÷ 已办结的工单(重新受理后再办结的,以最后一次为准);
    -- 按办结的时刻归入日期
    ('one_pass', g.one_pass_num, g.one_pass_den, g.one_pass_out),
    -- 退单率: 承办单位申请退单的派单 ÷ 派单(重办、裁定不计);
    -- 按派单的时刻归入日期
    ('returned', g.returned_num, g.returned_den, g.returned_out),
    -- 重办率: 转入重办的有效回访 ÷ 有效回访:联系上诉求人;
    -- 按回访的时刻归入日期
    ('redone', g.redone_num, g.redone_den, g.redone_out),
    -- 派单准确率: 首次派单减去经批准退单后改派的工单 ÷ 首次派单的工单;
    -- 按首次派单的时刻归入日期
    ('accurate', g.accurate_num, g.accurate_den, g.accurate_out),
    -- 平均办结时长: 从收到诉求到办结的秒数之和 ÷ 已办结的工单;
    -- 按办结的时刻归入日期
    ('duration', g.duration_num, g.duration_den, g.duration_out),
    -- 会话及时答复率: 在会话答复时限(3分钟)内由人工答复(回话、直接答复、追问)的会话来言(微信、网上会话;系统回执不算答复) ÷ 由人工答复的会话来言,加上会话答复时限已过仍未答复的(在时限内未答复而派单、移交、并单、不予受理,或诉求人撤单的,不计);
    -- 按会话答复时限届满的时刻归入日期
    ('chat_answered', g.chat_answered_num, g.chat_answered_den, g.chat_answered_out)
) AS m (figure, numerator, denominator, excluded)
ORDER BY g.part, m.figure;

-- name: reader
SELECT position, as_of FROM tally_readers WHERE active;

-- name: standing
-- Tickets by state, with how many of them are late; $1 department and $2 town narrow it where they are not ''.
SELECT s.state, sum(s.tickets)::bigint AS tickets,
       coalesce(sum(s.tickets) FILTER (WHERE s.late), 0)::bigint AS late
FROM tally_standing AS s
WHERE s.generation = (SELECT generation FROM tally_readers WHERE active)
  AND ($1::text = '' OR s.department = $1) AND ($2::text = '' OR s.town = $2)
GROUP BY s.state HAVING sum(s.tickets) <> 0
ORDER BY s.state;

-- name: exclude
-- The ticket named $1 is left out of metric $2 ($3 true) or counted again (false); no row if it is so already.
WITH last AS (
    SELECT t.id, coalesce((
        SELECT e.excluded FROM metric_exclusions AS e
        WHERE e.ticket_id = t.id AND e.metric = $2 ORDER BY e.position DESC LIMIT 1
    ), false) AS excluded
    FROM tickets AS t WHERE t.number = $1
)
INSERT INTO metric_exclusions (position, ticket_id, metric, excluded, reason, note, actor, at)
SELECT event_position(0), last.id, $2, $3, $4, $5, $6, $7 FROM last WHERE last.excluded <> $3
RETURNING position;

-- name: hold_ticket
-- One exclusion of a ticket at a time.
SELECT id FROM tickets WHERE number = $1 FOR NO KEY UPDATE;

-- name: exclusions
-- What was excluded or counted again, the newest first; $1 number and $2 metric narrow it where they are not '', $3 the
-- last position of the page before.
SELECT e.position, t.number, e.metric, e.excluded, e.reason, e.note, e.actor, e.at
FROM metric_exclusions AS e JOIN tickets AS t ON t.id = e.ticket_id
WHERE ($1::text = '' OR t.number = $1) AND ($2::text = '' OR e.metric = $2) AND e.position < $3
ORDER BY e.position DESC LIMIT $4;

-- name: exclusion_reasons
-- Exclusions in force that were made from $1 to before $2, by metric and reason.
SELECT e.metric, e.reason, count(*) AS tickets
FROM metric_exclusions AS e
WHERE e.at >= $1 AND e.at < $2 AND e.excluded AND NOT EXISTS (
    SELECT 1 FROM metric_exclusions AS later
    WHERE later.ticket_id = e.ticket_id AND later.metric = e.metric AND later.position > e.position
)
GROUP BY e.metric, e.reason ORDER BY e.metric, e.reason;
