-- Who looks at which ticket passes as an event of the type `look`: found by ticket, and deleted by age.
CREATE INDEX presence_events_looks ON presence_events (topic, at) WHERE type = 'look';
CREATE INDEX presence_events_looks_passing ON presence_events (at) WHERE type = 'look';
