-- What still tells who called, by age: the retention sweep empties it in its time (hotline/store/aging.py).
CREATE INDEX calls_told ON calls (started_at) WHERE caller <> '';
CREATE INDEX callbacks_told ON callbacks (missed_at) WHERE state = 'done' AND phone <> '';
