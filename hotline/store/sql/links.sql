-- name: link_key
SELECT key FROM link_keys;
