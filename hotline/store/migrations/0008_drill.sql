-- From a figure to its tickets (sql/drill.sql): what happened on a day. The log is written in the order of time, so a
-- summary of each range of its pages is enough, and costs an insert nearly nothing.
CREATE INDEX ticket_events_by_time ON ticket_events USING brin (at) WITH (pages_per_range = 16, autosummarize = on);
