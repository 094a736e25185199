-- name: admin_insert_limit_set
-- A new limit set; its first version follows in the same transaction.
INSERT INTO limit_set (program_id, code, currency)
SELECT
    p.program_id,
    %(code)s,
    %(currency)s
FROM program AS p
WHERE p.code = %(program)s
RETURNING limit_set_id;

-- name: admin_insert_limit_version
-- The next version of a set, or of a terminal's limits: the other one is NULL.
-- Indexes: limit_version_set_key, limit_version_terminal_key.
INSERT INTO limit_version (
    limit_set_id, terminal_id, version, load_amount_minor, load_day_minor,
    load_day_count, load_window_count, load_window_s, spend_amount_minor,
    spend_day_minor, spend_day_count, spend_window_count, spend_window_s
)
SELECT
    %(limit_set_id)s::bigint,
    %(terminal_id)s::bigint,
    (
        SELECT coalesce(max(v.version), 0) + 1
        FROM limit_version AS v
        WHERE
            v.limit_set_id = %(limit_set_id)s::bigint
            OR v.terminal_id = %(terminal_id)s::bigint
    ),
    %(load_amount_minor)s,
    %(load_day_minor)s,
    %(load_day_count)s,
    %(load_window_count)s,
    %(load_window_s)s,
    %(spend_amount_minor)s,
    %(spend_day_minor)s,
    %(spend_day_count)s,
    %(spend_window_count)s,
    %(spend_window_s)s
RETURNING version;

-- name: admin_limit_sets
-- All limit sets, or one, with the version in force or another, and where they stand.
-- Index: limit_version_set_key.
SELECT
    p.code AS program,
    s.code,
    s.currency,
    v.version,
    v.made_at,
    v.load_amount_minor,
    v.load_day_minor,
    v.load_day_count,
    v.load_window_count,
    v.load_window_s,
    v.spend_amount_minor,
    v.spend_day_minor,
    v.spend_day_count,
    v.spend_window_count,
    v.spend_window_s,
    (
        SELECT coalesce(array_agg(c.code ORDER BY c.code), '{}')
        FROM card_product AS c
        WHERE c.limit_set_id = s.limit_set_id
    ) AS products,
    (
        SELECT coalesce(array_agg(b.issue_batch_id ORDER BY b.issue_batch_id), '{}')
        FROM issue_batch AS b
        WHERE b.limit_set_id = s.limit_set_id
    ) AS issue_batches,
    s.limit_set_id
FROM limit_set AS s
INNER JOIN program AS p USING (program_id)
INNER JOIN LATERAL (
    SELECT l.*
    FROM limit_version AS l
    WHERE
        l.limit_set_id = s.limit_set_id
        AND (%(version)s::bigint IS NULL OR l.version = %(version)s)
    ORDER BY l.version DESC
    LIMIT 1
) AS v ON true
WHERE
    (%(program)s::text IS NULL OR p.code = %(program)s)
    AND (%(code)s::text IS NULL OR s.code = %(code)s)
ORDER BY p.code, s.code;

-- name: admin_limit_product
-- Gives a product a limit set, or with NULL none.
UPDATE card_product SET limit_set_id = %(limit_set_id)s
FROM program AS p
WHERE
    card_product.program_id = p.program_id
    AND p.code = %(program)s
    AND card_product.code = %(product)s
RETURNING card_product.product_id;

-- name: admin_limit_issue_batch
-- Gives an issue batch a limit set, or with NULL none, if it is in the currency of its
-- cards.
UPDATE issue_batch SET limit_set_id = %(limit_set_id)s
FROM card_product AS p
WHERE
    issue_batch.issue_batch_id = %(issue_batch_id)s
    AND issue_batch.product_id = p.product_id
    AND (
        %(limit_set_id)s::bigint IS NULL
        OR p.currency = (
            SELECT s.currency FROM limit_set AS s
            WHERE s.limit_set_id = %(limit_set_id)s AND s.program_id = p.program_id
        )
    )
RETURNING issue_batch.issue_batch_id;

-- name: admin_limit_card
-- Gives one card a limit set of its own, or with NULL none. Waits for the batch that has
-- the card's row locked; the next one sees it. Index: card_pkey.
UPDATE card SET limit_set_id = %(limit_set_id)s
WHERE card_id = %(card_id)s
RETURNING card_id;

-- name: admin_insert_terminal_use
-- Begins to count for a terminal, unless that is done already.
-- Indexes: merchant_code_key, store_code_key, terminal_code_key.
INSERT INTO terminal_use (terminal_id, currency)
SELECT
    t.terminal_id,
    %(currency)s
FROM terminal AS t
INNER JOIN store AS s USING (store_id)
INNER JOIN merchant AS m USING (merchant_id)
WHERE
    m.code = %(merchant)s
    AND s.code = %(store)s
    AND t.code = %(terminal)s
ON CONFLICT (terminal_id) DO NOTHING;

-- name: admin_terminal_limits
-- The terminals that have or had limits, or one, with those in force and what they did
-- on the last day on which they did anything. Index: limit_version_terminal_key.
SELECT
    m.code AS merchant,
    s.code AS store,
    t.code AS terminal,
    u.currency,
    v.version,
    v.made_at,
    v.load_day_minor,
    v.load_day_count,
    v.spend_day_minor,
    v.spend_day_count,
    u.counted_on,
    u.load_minor,
    u.loads,
    u.spend_minor,
    u.spends,
    u.terminal_id
FROM terminal_use AS u
INNER JOIN terminal AS t USING (terminal_id)
INNER JOIN store AS s USING (store_id)
INNER JOIN merchant AS m USING (merchant_id)
LEFT JOIN LATERAL (
    SELECT l.*
    FROM limit_version AS l
    WHERE l.terminal_id = u.terminal_id
    ORDER BY l.version DESC
    LIMIT 1
) AS v ON true
WHERE
    (%(merchant)s::text IS NULL OR m.code = %(merchant)s)
    AND (%(store)s::text IS NULL OR s.code = %(store)s)
    AND (%(terminal)s::text IS NULL OR t.code = %(terminal)s)
ORDER BY m.code, s.code, t.code;
