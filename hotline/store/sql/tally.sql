-- The reader that keeps the figures (hotline.store.tally).

-- name: hold
-- One process at a time keeps them. Until it writes, the transaction that holds this has no id and so holds back nobody.
SELECT pg_try_advisory_xact_lock(12345, 4);

-- name: lazily
-- A commit that is lost in a crash takes figures and cursor with it alike, so nobody needs to wait for the disk.
SET LOCAL synchronous_commit = off;

-- name: wait_hold
SELECT pg_advisory_xact_lock(12345, 4);

-- name: reader
SELECT generation, position, as_of FROM tally_readers WHERE ($1::int IS NULL AND active) OR generation = $1;

-- name: page
-- The next $2 happenings after position $1 that no open transaction can still come before.
SELECT position, ticket_id, at, doc FROM (
    (SELECT position, ticket_id, at, NULL AS doc FROM ticket_events
     WHERE position > $1 AND position < event_horizon() ORDER BY position LIMIT $2)
    UNION ALL
    (SELECT position, ticket_id, at, NULL FROM metric_exclusions
     WHERE position > $1 AND position < event_horizon() ORDER BY position LIMIT $2)
    UNION ALL
    (SELECT position, NULL, at, doc::text FROM presence_events
     WHERE position > $1 AND position < event_horizon() AND type = 'presence' ORDER BY position LIMIT $2)
) AS happened
ORDER BY position LIMIT $2;

-- name: far_due
-- The moment up to which about $3 clocks of generation $1 run out, if more than that do before $2.
SELECT due_at FROM tally_watch WHERE generation = $1 AND due_at < $2 ORDER BY due_at OFFSET $3 LIMIT 1;

-- name: due
SELECT ticket_id FROM tally_watch WHERE generation = $1 AND due_at < $2;

-- name: histories
SELECT ticket_id, position, doc FROM ticket_events
WHERE ticket_id = ANY ($1::bigint[]) AND position <= $2
ORDER BY ticket_id, version;

-- name: range
-- The same of tickets with ids from $1 to $2 - 1.
SELECT ticket_id, position, doc FROM ticket_events
WHERE ticket_id >= $1 AND ticket_id < $2 AND position <= $3
ORDER BY ticket_id, version;

-- name: exclusions
SELECT ticket_id, position, metric, excluded FROM metric_exclusions
WHERE ticket_id = ANY ($1::bigint[]) AND position <= $2
ORDER BY ticket_id, position;

-- name: last_ticket
SELECT coalesce(max(id), 0) FROM tickets;

-- name: move
-- Moves a generation's reader on; no row if another was quicker.
UPDATE tally_readers SET position = $3, as_of = $4 WHERE generation = $1 AND position = $2 AND as_of <= $4
RETURNING generation;

-- name: add
-- Adds to the lines of generation $1, column by column.
INSERT INTO tally_rollup AS r (
    generation, grain, day, hour, agent, department, town, channel, l1, l2, kind,
    received, emergencies, dispatched, answered, handed_off, rejected, withdrawn, merged, closed, urged, supervised,
    extended, direct_num, direct_den, direct_out, sign_num, sign_den, sign_out, contact_num, contact_den,
    contact_out, completion_num, completion_den, completion_out, followed_up_num, followed_up_den, followed_up_out,
    solved_num, solved_den, solved_out, satisfied_num, satisfied_den, satisfied_out, one_pass_num, one_pass_den,
    one_pass_out, returned_num, returned_den, returned_out, redone_num, redone_den, redone_out, accurate_num,
    accurate_den, accurate_out, duration_num, duration_den, duration_out,
    chat_answered_num, chat_answered_den, chat_answered_out
)
SELECT $1, grain, day, hour, agent, department, town, channel, l1, l2, kind,
    nullif(received, 0), nullif(emergencies, 0), nullif(dispatched, 0), nullif(answered, 0), nullif(handed_off, 0),
    nullif(rejected, 0), nullif(withdrawn, 0), nullif(merged, 0), nullif(closed, 0), nullif(urged, 0),
    nullif(supervised, 0), nullif(extended, 0), nullif(direct_num, 0), nullif(direct_den, 0), nullif(direct_out, 0),
    nullif(sign_num, 0), nullif(sign_den, 0), nullif(sign_out, 0), nullif(contact_num, 0), nullif(contact_den, 0),
    nullif(contact_out, 0), nullif(completion_num, 0), nullif(completion_den, 0), nullif(completion_out, 0),
    nullif(followed_up_num, 0), nullif(followed_up_den, 0), nullif(followed_up_out, 0), nullif(solved_num, 0),
    nullif(solved_den, 0), nullif(solved_out, 0), nullif(satisfied_num, 0), nullif(satisfied_den, 0),
    nullif(satisfied_out, 0), nullif(one_pass_num, 0), nullif(one_pass_den, 0), nullif(one_pass_out, 0),
    nullif(returned_num, 0), nullif(returned_den, 0), nullif(returned_out, 0), nullif(redone_num, 0),
    nullif(redone_den, 0), nullif(redone_out, 0), nullif(accurate_num, 0), nullif(accurate_den, 0),
    nullif(accurate_out, 0), nullif(duration_num, 0), nullif(duration_den, 0), nullif(duration_out, 0),
    nullif(chat_answered_num, 0), nullif(chat_answered_den, 0), nullif(chat_answered_out, 0)
FROM unnest(
    $2::text[], $3::date[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[],
    $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[],
    $25::bigint[], $26::bigint[], $27::bigint[], $28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[],
    $32::bigint[], $33::bigint[], $34::bigint[], $35::bigint[], $36::bigint[], $37::bigint[], $38::bigint[],
    $39::bigint[], $40::bigint[], $41::bigint[], $42::bigint[], $43::bigint[], $44::bigint[], $45::bigint[],
    $46::bigint[], $47::bigint[], $48::bigint[], $49::bigint[], $50::bigint[], $51::bigint[], $52::bigint[],
    $53::bigint[], $54::bigint[], $55::bigint[], $56::bigint[], $57::bigint[], $58::bigint[], $59::bigint[],
    $60::bigint[], $61::bigint[], $62::bigint[]
) AS a (
    grain, day, hour, agent, department, town, channel, l1, l2, kind,
    received, emergencies, dispatched, answered, handed_off, rejected, withdrawn, merged, closed, urged, supervised,
    extended, direct_num, direct_den, direct_out, sign_num, sign_den, sign_out, contact_num, contact_den,
    contact_out, completion_num, completion_den, completion_out, followed_up_num, followed_up_den, followed_up_out,
    solved_num, solved_den, solved_out, satisfied_num, satisfied_den, satisfied_out, one_pass_num, one_pass_den,
    one_pass_out, returned_num, returned_den, returned_out, redone_num, redone_den, redone_out, accurate_num,
    accurate_den, accurate_out, duration_num, duration_den, duration_out,
    chat_answered_num, chat_answered_den, chat_answered_out
)
ON CONFLICT (generation, grain, day, hour, agent, department, town, channel, l1, l2, kind) DO UPDATE SET
    received = nullif(coalesce(r.received, 0) + coalesce(excluded.received, 0), 0),
    emergencies = nullif(coalesce(r.emergencies, 0) + coalesce(excluded.emergencies, 0), 0),
    dispatched = nullif(coalesce(r.dispatched, 0) + coalesce(excluded.dispatched, 0), 0),
    answered = nullif(coalesce(r.answered, 0) + coalesce(excluded.answered, 0), 0),
    handed_off = nullif(coalesce(r.handed_off, 0) + coalesce(excluded.handed_off, 0), 0),
    rejected = nullif(coalesce(r.rejected, 0) + coalesce(excluded.rejected, 0), 0),
    withdrawn = nullif(coalesce(r.withdrawn, 0) + coalesce(excluded.withdrawn, 0), 0),
    merged = nullif(coalesce(r.merged, 0) + coalesce(excluded.merged, 0), 0),
    closed = nullif(coalesce(r.closed, 0) + coalesce(excluded.closed, 0), 0),
    urged = nullif(coalesce(r.urged, 0) + coalesce(excluded.urged, 0), 0),
    supervised = nullif(coalesce(r.supervised, 0) + coalesce(excluded.supervised, 0), 0),
    extended = nullif(coalesce(r.extended, 0) + coalesce(excluded.extended, 0), 0),
    direct_num = nullif(coalesce(r.direct_num, 0) + coalesce(excluded.direct_num, 0), 0),
    direct_den = nullif(coalesce(r.direct_den, 0) + coalesce(excluded.direct_den, 0), 0),
    direct_out = nullif(coalesce(r.direct_out, 0) + coalesce(excluded.direct_out, 0), 0),
    sign_num = nullif(coalesce(r.sign_num, 0) + coalesce(excluded.sign_num, 0), 0),
    sign_den = nullif(coalesce(r.sign_den, 0) + coalesce(excluded.sign_den, 0), 0),
    sign_out = nullif(coalesce(r.sign_out, 0) + coalesce(excluded.sign_out, 0), 0),
    contact_num = nullif(coalesce(r.contact_num, 0) + coalesce(excluded.contact_num, 0), 0),
    contact_den = nullif(coalesce(r.contact_den, 0) + coalesce(excluded.contact_den, 0), 0),
    contact_out = nullif(coalesce(r.contact_out, 0) + coalesce(excluded.contact_out, 0), 0),
    completion_num = nullif(coalesce(r.completion_num, 0) + coalesce(excluded.completion_num, 0), 0),
    completion_den = nullif(coalesce(r.completion_den, 0) + coalesce(excluded.completion_den, 0), 0),
    completion_out = nullif(coalesce(r.completion_out, 0) + coalesce(excluded.completion_out, 0), 0),
    followed_up_num = nullif(coalesce(r.followed_up_num, 0) + coalesce(excluded.followed_up_num, 0), 0),
    followed_up_den = nullif(coalesce(r.followed_up_den, 0) + coalesce(excluded.followed_up_den, 0), 0),
    followed_up_out = nullif(coalesce(r.followed_up_out, 0) + coalesce(excluded.followed_up_out, 0), 0),
    solved_num = nullif(coalesce(r.solved_num, 0) + coalesce(excluded.solved_num, 0), 0),
    solved_den = nullif(coalesce(r.solved_den, 0) + coalesce(excluded.solved_den, 0), 0),
    solved_out = nullif(coalesce(r.solved_out, 0) + coalesce(excluded.solved_out, 0), 0),
    satisfied_num = nullif(coalesce(r.satisfied_num, 0) + coalesce(excluded.satisfied_num, 0), 0),
    satisfied_den = nullif(coalesce(r.satisfied_den, 0) + coalesce(excluded.satisfied_den, 0), 0),
    satisfied_out = nullif(coalesce(r.satisfied_out, 0) + coalesce(excluded.satisfied_out, 0), 0),
    one_pass_num = nullif(coalesce(r.one_pass_num, 0) + coalesce(excluded.one_pass_num, 0), 0),
    one_pass_den = nullif(coalesce(r.one_pass_den, 0) + coalesce(excluded.one_pass_den, 0), 0),
    one_pass_out = nullif(coalesce(r.one_pass_out, 0) + coalesce(excluded.one_pass_out, 0), 0),
    returned_num = nullif(coalesce(r.returned_num, 0) + coalesce(excluded.returned_num, 0), 0),
    returned_den = nullif(coalesce(r.returned_den, 0) + coalesce(excluded.returned_den, 0), 0),
    returned_out = nullif(coalesce(r.returned_out, 0) + coalesce(excluded.returned_out, 0), 0),
    redone_num = nullif(coalesce(r.redone_num, 0) + coalesce(excluded.redone_num, 0), 0),
    redone_den = nullif(coalesce(r.redone_den, 0) + coalesce(excluded.redone_den, 0), 0),
    redone_out = nullif(coalesce(r.redone_out, 0) + coalesce(excluded.redone_out, 0), 0),
    accurate_num = nullif(coalesce(r.accurate_num, 0) + coalesce(excluded.accurate_num, 0), 0),
    accurate_den = nullif(coalesce(r.accurate_den, 0) + coalesce(excluded.accurate_den, 0), 0),
    accurate_out = nullif(coalesce(r.accurate_out, 0) + coalesce(excluded.accurate_out, 0), 0),
    duration_num = nullif(coalesce(r.duration_num, 0) + coalesce(excluded.duration_num, 0), 0),
    duration_den = nullif(coalesce(r.duration_den, 0) + coalesce(excluded.duration_den, 0), 0),
    duration_out = nullif(coalesce(r.duration_out, 0) + coalesce(excluded.duration_out, 0), 0),
    chat_answered_num = nullif(coalesce(r.chat_answered_num, 0) + coalesce(excluded.chat_answered_num, 0), 0),
    chat_answered_den = nullif(coalesce(r.chat_answered_den, 0) + coalesce(excluded.chat_answered_den, 0), 0),
    chat_answered_out = nullif(coalesce(r.chat_answered_out, 0) + coalesce(excluded.chat_answered_out, 0), 0);

-- name: stand
INSERT INTO tally_standing AS s (generation, state, department, town, late, tickets)
SELECT $1, state, department, town, late, tickets
FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[], $6::int[]) AS a (state, department, town, late, tickets)
ON CONFLICT (generation, state, department, town, late) DO UPDATE SET tickets = s.tickets + excluded.tickets;

-- name: watch
INSERT INTO tally_watch (generation, ticket_id, due_at)
SELECT $1, ticket_id, due_at FROM unnest($2::bigint[], $3::timestamptz[]) AS a (ticket_id, due_at)
ON CONFLICT (generation, ticket_id) DO UPDATE SET due_at = excluded.due_at;

-- name: unwatch
DELETE FROM tally_watch WHERE generation = $1 AND ticket_id = ANY ($2::bigint[]);

-- name: horizon
SELECT event_horizon();

-- name: begin_generation
-- A new generation beside the active one, to be filled up to position $1 at the active one's time.
INSERT INTO tally_readers (generation, position, as_of)
SELECT (SELECT max(generation) + 1 FROM tally_readers), $1, as_of FROM tally_readers WHERE active
RETURNING generation, position, as_of;

-- name: retire
UPDATE tally_readers SET active = false WHERE active;

-- name: activate
UPDATE tally_readers SET active = true WHERE generation = $1;

-- name: idle_generations
SELECT generation FROM tally_readers WHERE NOT active;

-- name: forget_reader
DELETE FROM tally_readers WHERE generation = $1 AND NOT active;

-- name: forget_rollup
-- $2 lines at a time, so that no transaction is long.
DELETE FROM tally_rollup WHERE ctid = ANY (ARRAY(SELECT ctid FROM tally_rollup WHERE generation = $1 LIMIT $2));

-- name: forget_standing
DELETE FROM tally_standing WHERE generation = $1;

-- name: forget_watch
DELETE FROM tally_watch WHERE generation = $1;

-- name: all_rollup
SELECT grain, day, hour, agent, department, town, channel, l1, l2, kind,
    received, emergencies, dispatched, answered, handed_off, rejected, withdrawn, merged, closed, urged, supervised,
    extended, direct_num, direct_den, direct_out, sign_num, sign_den, sign_out, contact_num, contact_den,
    contact_out, completion_num, completion_den, completion_out, followed_up_num, followed_up_den, followed_up_out,
    solved_num, solved_den, solved_out, satisfied_num, satisfied_den, satisfied_out, one_pass_num, one_pass_den,
    one_pass_out, returned_num, returned_den, returned_out, redone_num, redone_den, redone_out, accurate_num,
    accurate_den, accurate_out, duration_num, duration_den, duration_out,
    chat_answered_num, chat_answered_den, chat_answered_out
FROM tally_rollup WHERE generation = $1;

-- name: all_standing
SELECT state, department, town, late, tickets FROM tally_standing WHERE generation = $1 AND tickets <> 0;

-- name: all_watch
SELECT ticket_id, due_at FROM tally_watch WHERE generation = $1;
