-- The knowledge base.

-- name: published
SELECT a.id, v.doc FROM articles a JOIN article_versions v ON v.article_id = a.id AND v.version = a.published;

-- name: list
-- $1 department ('' for all), $2 state ('' for all); newest first after ($3, $4).
SELECT id, title, department, latest, published, review_on, updated_at,
       EXISTS (SELECT FROM article_acts w WHERE w.article_id = a.id AND w.act = 'withdrawn') AS withdrawn
FROM articles a
WHERE ($1 = '' OR department = $1)
  AND ($2 = '' OR $2 = CASE WHEN published IS NOT NULL THEN 'published'
                            WHEN EXISTS (SELECT FROM article_acts w WHERE w.article_id = a.id AND w.act = 'withdrawn')
                            THEN 'withdrawn' ELSE 'draft' END)
ORDER BY updated_at DESC, id DESC LIMIT $3 OFFSET $4;

-- name: overdue
SELECT id, title, department, latest, published, review_on, updated_at, false AS withdrawn
FROM articles WHERE published IS NOT NULL AND review_on <= $1 AND ($2 = '' OR department = $2)
ORDER BY review_on, id LIMIT 500;

-- name: find
SELECT a.id, a.title, a.department, a.latest, a.published, a.review_on, a.updated_at, v.version, v.doc,
       EXISTS (SELECT FROM article_acts w WHERE w.article_id = a.id AND w.act = 'withdrawn') AS withdrawn
FROM articles a JOIN article_versions v ON v.article_id = a.id AND v.version = coalesce($2, a.published, a.latest)
WHERE a.id = $1;

-- name: acts
SELECT act, version, actor, at, note FROM article_acts WHERE article_id = $1 ORDER BY id;

-- name: hold
SELECT latest, published, department FROM articles WHERE id = $1 FOR UPDATE;

-- name: add
-- No row: the key came before.
INSERT INTO articles (key, department, title, latest, review_on, updated_at) VALUES ($1, $2, $3, 1, $4, $5)
ON CONFLICT (key) DO NOTHING RETURNING id;

-- name: add_version
INSERT INTO article_versions (article_id, version, doc, author, at, note) VALUES ($1, $2, $3, $4, $5, $6);

-- name: advance
-- A draft is not shown yet, so the list keeps department and title of what is published, if anything is.
UPDATE articles SET latest = $2, updated_at = $5,
    department = CASE WHEN published IS NULL THEN $3 ELSE department END,
    title = CASE WHEN published IS NULL THEN $4 ELSE title END
WHERE id = $1;

-- name: publish
UPDATE articles SET published = $2, department = $3, title = $4, review_on = $5, updated_at = $6 WHERE id = $1;

-- name: withdraw
UPDATE articles SET published = NULL, updated_at = $2 WHERE id = $1;

-- name: review
UPDATE articles SET review_on = $2, updated_at = $3 WHERE id = $1;

-- name: act
INSERT INTO article_acts (article_id, version, act, actor, at, note) VALUES ($1, $2, $3, $4, $5, $6);
