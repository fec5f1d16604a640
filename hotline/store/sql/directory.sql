-- Versions of the dispatch directory, what each changed, and what returns propose.

-- name: revisions
SELECT name, revision FROM revisions;

-- name: seed
-- A version of the city's files; no row: it is there already, and stays as it is.
INSERT INTO directory_versions (version, effective_from, loaded_at, doc) VALUES ($1, $2, $3, $4::jsonb)
ON CONFLICT (version) DO NOTHING RETURNING version;

-- name: versions
-- Those in force or to come, in the order in which they take over from each other.
SELECT version, effective_from, doc FROM directory_versions
WHERE withdrawn_at IS NULL ORDER BY effective_from, loaded_at, version;

-- name: version
SELECT version, effective_from, doc FROM directory_versions WHERE version = $1;

-- name: list
SELECT v.version, v.effective_from, v.loaded_at, v.parent, v.author, v.note, v.withdrawn_at, v.withdrawn_by,
       jsonb_array_length(v.doc -> 'rules') AS rules,
       (SELECT count(*) FROM directory_changes c WHERE c.version = v.version) AS changes
FROM directory_versions v ORDER BY v.effective_from, v.loaded_at, v.version;

-- name: add
-- No row: the name is taken.
INSERT INTO directory_versions (version, effective_from, loaded_at, doc, parent, author, note)
VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7)
ON CONFLICT (version) DO NOTHING RETURNING version;

-- name: add_changes
INSERT INTO directory_changes (version, ordinal, l1, l2, doc)
SELECT $1, ordinal, l1, l2, doc
FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS c (l1, l2, doc, ordinal);

-- name: busy
-- Units among $1 that still lead tickets in the states $2.
SELECT lead, count(*) AS tickets FROM tickets
WHERE lead = ANY ($1::text[]) AND lead <> '' AND state = ANY ($2::text[]) GROUP BY lead ORDER BY lead;

-- name: withdraw
-- No row: unknown, in force already (before $4), or withdrawn before.
UPDATE directory_versions SET withdrawn_at = $2, withdrawn_by = $3
WHERE version = $1 AND withdrawn_at IS NULL AND effective_from > $4 RETURNING version;

-- name: history
-- Who changed what; $1 and $2 are '' for every category.
SELECT v.version, v.effective_from, v.loaded_at, v.author, v.note, v.withdrawn_at IS NOT NULL AS withdrawn, c.doc
FROM directory_changes c JOIN directory_versions v USING (version)
WHERE ($1 = '' OR c.l1 = $1) AND ($2 = '' OR c.l2 = $2)
ORDER BY v.loaded_at DESC, c.version, c.ordinal LIMIT $3;

-- name: proposals
SELECT p.id, p.l1, p.l2, p.kind, p.town, p.from_unit, p.to_unit, p.directory_version, p.first_at, p.last_at,
       (SELECT count(*) FROM directory_proposal_examples e WHERE e.proposal_id = p.id) AS examples
FROM directory_proposals p
WHERE p.state = 'open' AND ($1::bigint[] IS NULL OR p.id = ANY ($1))
ORDER BY examples DESC, p.last_at DESC, p.id;

-- name: accept_proposals
-- Returns those that were open; another owner may have been quicker.
UPDATE directory_proposals SET state = 'accepted', decided_at = $2, decided_by = $3, note = $4
WHERE id = ANY ($1::bigint[]) AND state = 'open' RETURNING id;
