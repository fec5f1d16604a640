-- Letters that were delivered and still have their text: the retention sweep empties them in their time.
CREATE INDEX outbox_full ON outbox (created_at) WHERE state <> 'pending' AND message <> '{}';
