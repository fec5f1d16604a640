-- A hand-off to 110 ends with its ticket (`end_incidents`). Those that people ended before stayed open: 110 got them hours
-- later, and their citizens' identities could never be erased.
UPDATE incidents i
SET state = CASE WHEN t.state IN ('closed', 'archived') THEN 'closed' ELSE 'returned' END
FROM tickets t
WHERE t.id = i.ticket_id AND i.state IN ('pending', 'accepted', 'signed')
  AND (t.state <> 'handed_off'
       OR EXISTS (SELECT FROM incidents n WHERE n.ticket_id = i.ticket_id AND n.created_at > i.created_at));
