-- What consoles read. Lists come newest first by (created_at, id), which never change, so paging neither skips nor
-- repeats. Each row carries `seq`: this snapshot contains every event up to it (one row of NULLs tells it for an empty
-- list). Parameters of lists: $1 states, ($2, $3) the last row of the page before, $4 most rows, $5 the topic's name.

-- name: list_states
-- Summaries are read of the page only: each state brings as many rows as a page has, from the index alone.
SELECT h.seq, p.id, p.created_at, t.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT t.id, t.created_at
    FROM unnest($1::text[]) AS s (state)
    CROSS JOIN LATERAL (
        SELECT id, created_at FROM tickets
        WHERE state = s.state AND (created_at, id) < ($2::timestamptz, $3::bigint)
        ORDER BY created_at DESC, id DESC LIMIT $4
    ) AS t
    WHERE $5::text IS NOT NULL
    ORDER BY t.created_at DESC, t.id DESC LIMIT $4
) AS p ON true
LEFT JOIN tickets AS t ON t.id = p.id
ORDER BY p.created_at DESC, p.id DESC;

-- name: list_department
SELECT h.seq, p.id, p.created_at, t.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    (SELECT t.id, t.created_at
     FROM unnest($1::text[]) AS s (state)
     CROSS JOIN LATERAL (
         SELECT id, created_at FROM tickets
         WHERE lead = $5 AND lead <> '' AND state = s.state AND (created_at, id) < ($2::timestamptz, $3::bigint)
         ORDER BY created_at DESC, id DESC LIMIT $4
     ) AS t
     ORDER BY t.created_at DESC, t.id DESC LIMIT $4)
    UNION ALL
    -- Assisting units stand first, second or third, nearly always: an index in the order of the list for each place,
    -- as an inverted one would bring all that a unit has ever assisted in, to be sorted for one page.
    (SELECT t.id, t.created_at
     FROM unnest($1::text[]) AS s (state)
     CROSS JOIN LATERAL (
             (SELECT id, created_at FROM tickets
              WHERE assisting[1] = $5 AND cardinality(assisting) >= 1 AND lead <> $5 AND state = s.state
                AND (created_at, id) < ($2::timestamptz, $3::bigint)
              ORDER BY created_at DESC, id DESC LIMIT $4)
             UNION ALL
             (SELECT id, created_at FROM tickets
              WHERE assisting[2] = $5 AND cardinality(assisting) >= 2 AND lead <> $5 AND state = s.state
                AND (created_at, id) < ($2::timestamptz, $3::bigint)
              ORDER BY created_at DESC, id DESC LIMIT $4)
             UNION ALL
             (SELECT id, created_at FROM tickets
              WHERE assisting[3] = $5 AND cardinality(assisting) >= 3 AND lead <> $5 AND state = s.state
                AND (created_at, id) < ($2::timestamptz, $3::bigint)
              ORDER BY created_at DESC, id DESC LIMIT $4)
             UNION ALL
             (SELECT id, created_at FROM tickets
              WHERE assisting @> ARRAY[$5::text] AND cardinality(assisting) > 3 AND lead <> $5 AND state = s.state
                AND assisting[1] <> $5 AND assisting[2] <> $5 AND assisting[3] <> $5
                AND (created_at, id) < ($2::timestamptz, $3::bigint)
              ORDER BY created_at DESC, id DESC LIMIT $4)
     ) AS t
     ORDER BY t.created_at DESC, t.id DESC LIMIT $4)
    ORDER BY created_at DESC, id DESC LIMIT $4
) AS p ON true
LEFT JOIN tickets AS t ON t.id = p.id
ORDER BY p.created_at DESC, p.id DESC;

-- name: list_agent
SELECT h.seq, p.id, p.created_at, p.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT id, created_at, summary FROM tickets
    WHERE agent = $5 AND agent <> '' AND state = ANY ($1) AND (created_at, id) < ($2::timestamptz, $3::bigint)
    ORDER BY created_at DESC, id DESC LIMIT $4
) AS p ON true
ORDER BY p.created_at DESC, p.id DESC;

-- name: list_emergency
SELECT h.seq, p.id, p.created_at, p.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT id, created_at, summary FROM tickets
    WHERE verdict <> 'non_emergency' AND state <> 'archived' AND state = ANY ($1)
      AND (created_at, id) < ($2::timestamptz, $3::bigint) AND $5::text IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT $4
) AS p ON true
ORDER BY p.created_at DESC, p.id DESC;

-- name: list_alarms
SELECT h.seq, p.id, p.created_at, p.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT id, created_at, summary FROM tickets
    WHERE alarmed AND state = ANY ($1) AND (created_at, id) < ($2::timestamptz, $3::bigint) AND $5::text IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT $4
) AS p ON true
ORDER BY p.created_at DESC, p.id DESC;

-- name: list_supervised
SELECT h.seq, p.id, p.created_at, p.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT id, created_at, summary FROM tickets
    WHERE supervised AND state = ANY ($1) AND (created_at, id) < ($2::timestamptz, $3::bigint) AND $5::text IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT $4
) AS p ON true
ORDER BY p.created_at DESC, p.id DESC;

-- name: list_ticket
SELECT h.seq, p.id, p.created_at, p.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT id, created_at, summary FROM tickets
    WHERE number = $5 AND state = ANY ($1) AND (created_at, id) < ($2::timestamptz, $3::bigint) LIMIT $4
) AS p ON true;

-- name: follow_ups
-- Tickets that wait for a follow-up whose try is due at $2: those of $1 first, then those nobody has, the most urgent
-- first, at most $3.
SELECT number, version, agent <> '' AS own FROM tickets
WHERE state = 'pending_follow_up' AND agent IN ($1, '') AND (summary::jsonb ->> 'try_at')::timestamptz <= $2
ORDER BY agent = '', due_at NULLS LAST, id LIMIT $3;

-- name: search
-- $5 number, $6 citizen (E.164 phone), $7 department; '' does not narrow. Planned anew each time, as what is given
-- decides which index serves.
-- A department that asks by phone gets no report and nothing confidential: a hit would tell whose it is.
SELECT h.seq, p.id, p.created_at, p.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT id, created_at, summary FROM tickets
    WHERE state = ANY ($1) AND (created_at, id) < ($2::timestamptz, $3::bigint)
      AND ($5::text = '' OR number = $5)
      AND ($6::text = '' OR (citizen = $6 AND citizen <> ''))
      AND ($7::text = '' OR lead = $7 OR assisting @> ARRAY[$7::text])
      AND ($6::text = '' OR $7::text = '' OR (kind <> 'report' AND NOT confidential))
    ORDER BY created_at DESC, id DESC LIMIT $4
) AS p ON true
ORDER BY p.created_at DESC, p.id DESC;

-- name: search_words
-- As `search`, and $8 a tsquery as text, in which `{block}` stands before each word (hotline.store.search): the index
-- keeps each word by blocks of 100,000 ids, as an inverted index gives all that hold a word, in no order. So blocks are
-- asked from the newest on, until the page is full. Before that 500 ids are walked, then 4,000, for words that most have.
-- `ts_match_vq` is @@ without the index, `+ 0` forbids walking ids where the index is meant.
SELECT h.seq, p.id, p.created_at, p.summary
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN LATERAL (
    SELECT f.id, f.created_at, f.summary
    FROM (SELECT least($3::bigint - 1, coalesce((SELECT max(ticket_id) FROM ticket_search), 0)) AS top OFFSET 0) AS n
    CROSS JOIN LATERAL (
        SELECT rank, CASE rank WHEN 1 THEN n.top - 499 WHEN 2 THEN n.top - 4499 END AS least,
               CASE rank WHEN 1 THEN n.top WHEN 2 THEN n.top - 500 ELSE n.top - 4500 END AS most,
               CASE WHEN rank <= 2 THEN replace($8::text, '{block}', (n.top / 100000)::text)::tsquery
                   || replace($8, '{block}', (n.top / 100000 - 1)::text)::tsquery
               ELSE replace($8, '{block}', (n.top / 100000 + 3 - rank)::text)::tsquery END AS asked
        FROM generate_series(1, n.top / 100000 + 3) AS rank
        OFFSET 0
    ) AS w
    CROSS JOIN LATERAL (
        SELECT t.id, t.created_at, t.summary
        FROM (
            SELECT s.id
            FROM (
                (SELECT ticket_id AS id FROM ticket_search
                 WHERE w.rank <= 2 AND ticket_id BETWEEN w.least AND w.most AND ts_match_vq(words, w.asked))
                UNION ALL
                (SELECT ticket_id FROM ticket_search
                 WHERE w.rank > 2 AND words @@ w.asked AND ticket_id + 0 <= w.most)
            ) AS s
            ORDER BY s.id DESC
        ) AS s
        JOIN tickets AS t ON t.id = s.id
        WHERE t.state = ANY ($1) AND $2::timestamptz IS NOT NULL
          AND ($5::text = '' OR t.number = $5)
          AND ($6::text = '' OR (t.citizen = $6 AND t.citizen <> ''))
          AND ($7::text = '' OR t.lead = $7 OR t.assisting @> ARRAY[$7::text])
          AND ($6::text = '' OR $7::text = '' OR (t.kind <> 'report' AND NOT t.confidential))
        ORDER BY s.id DESC LIMIT $4
    ) AS f
    LIMIT $4
) AS p ON true
ORDER BY p.id DESC;

-- name: find
SELECT id, summary FROM tickets WHERE number = $1;

-- name: history
SELECT doc, sealed FROM ticket_events WHERE ticket_id = $1 ORDER BY version;

-- name: horizon
SELECT event_horizon();

-- name: count_after
SELECT count(*) FROM (SELECT 1 FROM ticket_events WHERE position > $1 ORDER BY position LIMIT $2) AS counted;

-- name: replay
-- Events of the topics $2 above position $1, at most $3, with the horizon of the same snapshot.
SELECT h.horizon, e.position, e.at, e.type, e.actor, e.topics, e.summary, e.doc
FROM (SELECT event_horizon() AS horizon) AS h
LEFT JOIN LATERAL (
    (SELECT position, at, type, actor, topics, summary, NULL AS doc
     FROM ticket_events
     WHERE position > $1 AND position < event_horizon() AND topics && $2::text[]
     ORDER BY position LIMIT $3)
    UNION ALL
    (SELECT position, at, type, doc ->> 'actor', ARRAY[topic], NULL, doc::text
     FROM presence_events
     WHERE position > $1 AND position < event_horizon() AND topic = ANY ($2::text[])
     ORDER BY position LIMIT $3)
    ORDER BY position LIMIT $3
) AS e ON true
ORDER BY e.position;

-- name: list_presence
SELECT h.seq, p.staff, p.state, p.reason, p.since
FROM (SELECT event_horizon() - 1 AS seq) AS h
LEFT JOIN (SELECT staff, state, reason, since FROM presence WHERE state <> 'offline') AS p ON true
ORDER BY p.staff;

-- name: hold_presence
-- One change of a person's presence at a time, also of a first one. Taken before anything is written, so that the
-- order of positions is the order of the changes.
SELECT pg_advisory_xact_lock(12345, hashtext($1));

-- name: presence
SELECT state, reason, since FROM presence WHERE staff = $1 FOR UPDATE;

-- name: put_presence
-- $5 seconds of lease from now on the database's clock.
INSERT INTO presence (staff, state, reason, since, lease_until)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
ON CONFLICT (staff) DO UPDATE
SET state = excluded.state, reason = excluded.reason, since = excluded.since, lease_until = excluded.lease_until;

-- name: change_presence
UPDATE presence SET state = $2, reason = $3, since = $4 WHERE staff = $1;

-- name: tell_presence
-- Consoles are told by the event; who steers the PBX, that $3 is available ('' for who is not).
WITH told AS (
    INSERT INTO presence_events (position, at, doc) VALUES (event_position(0), $1, $2::jsonb) RETURNING position
)
SELECT pg_notify('hotline_events', ''), CASE WHEN $3 <> '' THEN pg_notify('hotline_available', $3) END FROM told;

-- name: renew_leases
-- In the order of names, so that two gateways cannot deadlock.
WITH heard AS MATERIALIZED (
    SELECT presence.staff, h.seconds
    FROM presence JOIN unnest($1::text[], $2::float8[]) AS h (staff, seconds) USING (staff)
    WHERE presence.state <> 'offline'
    ORDER BY presence.staff FOR UPDATE OF presence
)
UPDATE presence SET lease_until = greatest(lease_until, now() + make_interval(secs => heard.seconds))
FROM heard WHERE presence.staff = heard.staff;

-- name: expire_leases
WITH late AS MATERIALIZED (
    SELECT staff FROM presence WHERE state <> 'offline' AND lease_until < now() ORDER BY staff FOR UPDATE SKIP LOCKED
), gone AS (
    UPDATE presence SET state = 'offline', reason = 'lease', since = now()
    FROM late WHERE presence.staff = late.staff
    RETURNING presence.staff, presence.since
)
INSERT INTO presence_events (position, at, doc)
SELECT event_position(row_number() OVER (ORDER BY staff) - 1), since, jsonb_build_object(
    'actor', 'system:', 'staff', staff, 'state', 'offline', 'reason', 'lease', 'since', since)
FROM gone
RETURNING position;

-- name: touch_sessions
UPDATE sessions SET last_seen = $2 WHERE id = ANY ($1) AND expires_at > $2;

-- name: ended
-- Those of $1 that are over, or whose account is inactive; one not used since $3 has idled out.
SELECT asked.id
FROM unnest($1::bigint[]) AS asked (id)
WHERE NOT EXISTS (
    SELECT 1 FROM sessions JOIN staff ON sessions.staff = staff.name
    WHERE sessions.id = asked.id AND staff.active AND sessions.expires_at > $2 AND sessions.last_seen > $3
);
