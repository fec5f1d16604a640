-- What people have answered in conversations (hotline.chat_clock): in time, due, left out by exclusions.
ALTER TABLE tally_rollup ADD COLUMN chat_answered_num integer, ADD COLUMN chat_answered_den integer,
    ADD COLUMN chat_answered_out integer;
