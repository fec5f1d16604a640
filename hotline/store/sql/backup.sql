-- name: snapshot
SELECT pg_export_snapshot();

-- name: about
-- `position` lies above whatever the snapshot sees: every transaction in it is below xmax.
SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + base) << 10 AS position,
       (SELECT max(version) FROM schema_migrations) AS migration,
       (SELECT count(*) FROM tickets) AS tickets,
       (SELECT count(*) FROM ticket_events) AS events
FROM event_clock;

-- name: state
-- Relations that are not an extension's, and other programs of ours that are connected.
SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                            AND d.deptype = 'e')) AS relations,
       (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'hotline') AS connected;
