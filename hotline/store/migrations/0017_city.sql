-- The sharding key (docs/scale.md): of which city a row is, by its code (GB/T 2260), in every table that grows with tickets
-- and calls. It is a constant of the installation, which `migrate` tells (0: not told), so that nothing is rewritten, no
-- statement names it, and a dump of the city carries it to wherever it is brought together with others.
DO $$
DECLARE
    here integer := coalesce(nullif(current_setting('hotline.city', true), ''), '0');
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY[
        -- in the order in which writing a ticket takes them: whoever writes just now is waited for, not met halfway
        'conversations', 'inbox', 'tickets', 'ticket_events', 'attachments', 'incidents', 'outbox', 'number_counters',
        'chat_lines', 'unit_acts', 'ticket_search', 'search_stale', 'ticket_repeats', 'ticket_traits', 'ticket_keys',
        'merge_proposals', 'hotspots', 'webhook_deliveries', 'parcels', 'hand_overs', 'portal_tickets',
        'directory_proposals', 'directory_proposal_examples', 'callbacks', 'calls', 'call_orders', 'recordings',
        'transcripts', 'presence', 'presence_events', 'nuisance_marks', 'nuisance_contacts', 'nuisance_acts',
        'legal_holds', 'retention_left', 'audit_records', 'audit_chain', 'tally_readers', 'tally_rollup',
        'tally_standing', 'tally_watch', 'tally_presence', 'tally_staff', 'metric_exclusions'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN city integer NOT NULL DEFAULT %s', one, here);
    END LOOP;
END $$;
