-- Hot spots count the days before for those places and matters only that have enough appeals now: each is looked up, so
-- that place and matter belong to the index's order, not only beside it.
DROP INDEX tally_rollup_received;
CREATE INDEX tally_rollup_received ON tally_rollup (generation, day, town, l1, l2) INCLUDE (received)
    WHERE grain = 'day' AND received IS NOT NULL;
