-- outside a transaction
-- Public tickets of a category, the newest first: Open311's lists by service_code (hotline/store/sql/channels.sql, `public_of`).
CREATE INDEX CONCURRENTLY IF NOT EXISTS tickets_public_by_category ON tickets ((l1 || '/' || l2), created_at DESC, id DESC)
    WHERE verdict = 'non_emergency' AND kind <> 'report' AND NOT confidential;
