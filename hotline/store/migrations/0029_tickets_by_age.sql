-- outside a transaction
-- Tickets by age, for the retention sweep (hotline/store/sql/persons.sql, `old`).
CREATE INDEX CONCURRENTLY IF NOT EXISTS tickets_by_age ON tickets (created_at, id);
