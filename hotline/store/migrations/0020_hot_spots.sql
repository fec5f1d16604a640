-- The operation centre gets the hot spots that are found and alarmed (`hotspots`); nobody counts days for others any more.
DROP INDEX tally_rollup_received;
