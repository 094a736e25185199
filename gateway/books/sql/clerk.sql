-- What the clerk reads: snapshots without locks.

-- name: books_clock
-- Read the clock of the books. No index: a single row.
SELECT scrip_clock() AS clock;

-- name: holds_standing
-- Find those of these holds that still stand, each with the card it is on now.
-- Not `state = 1`: a plan made on an empty table would go through all open ones.
-- Index: hold_pkey.
SELECT h.hold_id, h.card_id, h.expires_at
FROM hold AS h
WHERE h.hold_id = ANY(%(hold_ids)s::uuid[]) AND h.state < 2;

-- name: holds_until
-- Read a page of the open holds, the soonest first, up to a moment.
-- Index: hold_open_expiry_idx.
SELECT h.hold_id, h.card_id, h.expires_at
FROM hold AS h
WHERE
    h.state = 1
    AND h.expires_at >= %(after_moment)s::timestamptz
    AND h.expires_at <= %(until)s::timestamptz
    AND (h.expires_at, h.hold_id) > (%(after_moment)s::timestamptz, %(after_id)s::uuid)
ORDER BY h.expires_at, h.hold_id
LIMIT %(page_size)s::bigint;
