-- What returns teach the dispatch directory.

-- name: propose
-- $1–$6 the change, $7 the version dispatched by, $8 when, $9–$12 the example. Two tickets at once meet at the unique
-- index of open proposals.
WITH proposal AS (
    INSERT INTO directory_proposals (l1, l2, kind, town, from_unit, to_unit, directory_version, first_at, last_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
    ON CONFLICT (l1, l2, kind, town, from_unit, to_unit) WHERE state = 'open'
    DO UPDATE SET last_at = greatest(directory_proposals.last_at, excluded.last_at)
    RETURNING id
)
INSERT INTO directory_proposal_examples (proposal_id, number, version, basis, legal_basis, at)
SELECT id, $9, $10, $11, $12, $8 FROM proposal
ON CONFLICT DO NOTHING;

-- name: proposals
SELECT p.id, p.l1, p.l2, p.kind, p.town, p.from_unit, p.to_unit, p.directory_version, p.state, p.first_at, p.last_at,
       p.decided_at, p.decided_by, p.note, e.count, e.returned, e.ruled, e.examples, e.legal_basis
FROM directory_proposals p
CROSS JOIN LATERAL (
    SELECT count(*) AS count, count(*) FILTER (WHERE basis = 'returned') AS returned,
           count(*) FILTER (WHERE basis = 'ruled') AS ruled,
           coalesce((array_agg(number ORDER BY at DESC, number DESC))[1:$3], '{}') AS examples,
           coalesce((array_agg(legal_basis ORDER BY at DESC, number DESC))[1], '') AS legal_basis
    FROM directory_proposal_examples WHERE proposal_id = p.id
) AS e
WHERE p.state = $1
ORDER BY p.last_at DESC, p.id DESC LIMIT $2;

-- name: proposal
SELECT p.id, p.l1, p.l2, p.kind, p.town, p.from_unit, p.to_unit, p.directory_version, p.state, p.first_at, p.last_at,
       p.decided_at, p.decided_by, p.note, e.count, e.returned, e.ruled, e.examples, e.legal_basis
FROM directory_proposals p
CROSS JOIN LATERAL (
    SELECT count(*) AS count, count(*) FILTER (WHERE basis = 'returned') AS returned,
           count(*) FILTER (WHERE basis = 'ruled') AS ruled,
           coalesce((array_agg(number ORDER BY at DESC, number DESC))[1:$2], '{}') AS examples,
           coalesce((array_agg(legal_basis ORDER BY at DESC, number DESC))[1], '') AS legal_basis
    FROM directory_proposal_examples WHERE proposal_id = p.id
) AS e
WHERE p.id = $1;

-- name: dismiss
UPDATE directory_proposals SET state = 'dismissed', decided_at = $2, decided_by = $3, note = $4
WHERE id = $1 AND state = 'open' RETURNING id;
