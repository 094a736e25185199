-- name: admin_insert_restriction_set
-- A restriction set, unless there is one of that name; the row is locked either way by
-- the version of the policy, which the change raises.
INSERT INTO restriction_set (program_id, code)
SELECT
    p.program_id,
    %(code)s
FROM program AS p
WHERE p.code = %(program)s
ON CONFLICT ON CONSTRAINT restriction_set_code_key DO NOTHING;

-- name: admin_insert_restriction_version
-- The next version of a set; what it lists follows in the same transaction.
INSERT INTO restriction_version (restriction_set_id, version)
SELECT
    s.restriction_set_id,
    (
        SELECT coalesce(max(v.version), 0) + 1
        FROM restriction_version AS v
        WHERE v.restriction_set_id = s.restriction_set_id
    )
FROM restriction_set AS s
INNER JOIN program AS p USING (program_id)
WHERE p.code = %(program)s AND s.code = %(code)s
RETURNING restriction_version_id, version;

-- name: admin_find_listed
-- What the names on a list stand for, each at its place. A store group without an owner
-- is the programme's own. Indexes: merchant_code_key, store_code_key,
-- store_group_program_key, store_group_merchant_key.
SELECT
    given.at,
    s.store_id,
    g.store_group_id,
    m.merchant_id
FROM unnest(
    %(kinds)s::text [],
    %(owners)s::text [],
    %(codes)s::text []
) WITH ORDINALITY AS given (kind, owner, code, at)
LEFT JOIN merchant AS o ON given.owner = o.code
LEFT JOIN merchant AS m ON given.kind = 'merchant' AND given.code = m.code
LEFT JOIN store AS s
    ON
        given.kind = 'store'
        AND o.merchant_id = s.merchant_id
        AND given.code = s.code
LEFT JOIN store_group AS g
    ON
        given.kind = 'group'
        AND given.code = g.code
        AND CASE
            WHEN given.owner IS NULL THEN g.program_id = (
                SELECT p.program_id FROM program AS p WHERE p.code = %(program)s
            )
            ELSE g.merchant_id = o.merchant_id
        END
ORDER BY given.at;

-- name: admin_insert_restriction_entries
-- What a new version lists, one element of each array a row.
INSERT INTO restriction_entry (
    restriction_version_id, rule, store_id, store_group_id, merchant_id, country,
    merchant_category
)
SELECT
    %(restriction_version_id)s,
    given.rule,
    given.store_id,
    given.store_group_id,
    given.merchant_id,
    given.country,
    given.merchant_category
FROM unnest(
    %(rules)s::smallint [],
    %(store_ids)s::bigint [],
    %(store_group_ids)s::bigint [],
    %(merchant_ids)s::bigint [],
    %(countries)s::text [],
    %(merchant_categories)s::text []
) AS given (
    rule, store_id, store_group_id, merchant_id, country, merchant_category
);

-- name: admin_insert_restriction_windows
-- When a new version holds, one element of each array a row.
INSERT INTO restriction_window (
    restriction_version_id, weekdays, begins_minute, ends_minute
)
SELECT
    %(restriction_version_id)s,
    given.weekdays,
    given.begins_minute,
    given.ends_minute
FROM unnest(
    %(weekdays)s::smallint [],
    %(begins_minutes)s::smallint [],
    %(ends_minutes)s::smallint []
) AS given (weekdays, begins_minute, ends_minute);

-- name: admin_restrictions
-- All restriction sets, or one, with the version in force and where they stand.
-- Index: restriction_version_key.
SELECT
    p.code AS program,
    s.code,
    v.version,
    v.made_at,
    (
        SELECT count(*) FROM restriction_entry AS e
        WHERE e.restriction_version_id = v.restriction_version_id
    ) AS entries,
    (
        SELECT count(*) FROM restriction_window AS w
        WHERE w.restriction_version_id = v.restriction_version_id
    ) AS windows,
    (
        SELECT coalesce(array_agg(c.code ORDER BY c.code), '{}')
        FROM card_product AS c
        WHERE c.restriction_set_id = s.restriction_set_id
    ) AS products,
    (
        SELECT count(*) FROM issue_batch AS b
        WHERE b.restriction_set_id = s.restriction_set_id
    ) AS issue_batches,
    s.restriction_set_id,
    v.restriction_version_id
FROM restriction_set AS s
INNER JOIN program AS p USING (program_id)
INNER JOIN LATERAL (
    SELECT r.version, r.made_at, r.restriction_version_id
    FROM restriction_version AS r
    WHERE
        r.restriction_set_id = s.restriction_set_id
        AND (%(version)s::bigint IS NULL OR r.version = %(version)s)
    ORDER BY r.version DESC
    LIMIT 1
) AS v ON true
WHERE
    (%(program)s::text IS NULL OR p.code = %(program)s)
    AND (%(code)s::text IS NULL OR s.code = %(code)s)
ORDER BY p.code, s.code;

-- name: admin_restriction_entries
-- What one version lists, by name. Index: restriction_entry_version_idx.
SELECT
    e.rule,
    CASE
        WHEN e.store_id IS NOT NULL THEN 'store'
        WHEN e.store_group_id IS NOT NULL THEN 'group'
        WHEN e.merchant_id IS NOT NULL THEN 'merchant'
        WHEN e.country IS NOT NULL THEN 'country'
        ELSE 'category'
    END AS kind,
    coalesce(
        m.code || '/' || s.code,
        h.code || '/' || g.code,
        g.code,
        n.code,
        e.country,
        e.merchant_category
    ) AS value
FROM restriction_entry AS e
LEFT JOIN store AS s USING (store_id)
LEFT JOIN merchant AS m ON s.merchant_id = m.merchant_id
LEFT JOIN store_group AS g USING (store_group_id)
LEFT JOIN merchant AS h ON g.merchant_id = h.merchant_id
LEFT JOIN merchant AS n ON e.merchant_id = n.merchant_id
WHERE e.restriction_version_id = %(restriction_version_id)s
ORDER BY e.rule, kind, value;

-- name: admin_restriction_windows
-- When one version holds. Index: restriction_window_pkey.
SELECT weekdays, begins_minute, ends_minute
FROM restriction_window
WHERE restriction_version_id = %(restriction_version_id)s
ORDER BY weekdays, begins_minute, ends_minute;

-- name: admin_restrict_product
-- Gives a product a restriction set, or with NULL none.
UPDATE card_product SET restriction_set_id = %(restriction_set_id)s
FROM program AS p
WHERE
    card_product.program_id = p.program_id
    AND p.code = %(program)s
    AND card_product.code = %(product)s
RETURNING card_product.product_id;

-- name: admin_restrict_issue_batch
-- Gives an issue batch a restriction set, or with NULL none.
UPDATE issue_batch SET restriction_set_id = %(restriction_set_id)s
WHERE issue_batch_id = %(issue_batch_id)s
RETURNING issue_batch_id;

-- name: admin_restrict_card
-- Gives one card a restriction set of its own, or with NULL none. Waits for the batch
-- that has the card's row locked; the next one sees it. Index: card_pkey.
UPDATE card SET restriction_set_id = %(restriction_set_id)s
WHERE card_id = %(card_id)s
RETURNING card_id;

-- name: admin_insert_issue_batch
-- A new issue batch of a product.
INSERT INTO issue_batch (product_id, program_id, restriction_set_id)
SELECT
    p.product_id,
    p.program_id,
    %(restriction_set_id)s
FROM card_product AS p
WHERE p.product_id = %(product_id)s
RETURNING issue_batch_id;

-- name: admin_issue_batches
-- All issue batches, or one, or a product's, the newest first; bounded.
SELECT
    b.issue_batch_id,
    g.code AS program,
    p.code AS product,
    r.code AS restriction,
    b.created_at,
    b.restriction_set_id
FROM issue_batch AS b
INNER JOIN card_product AS p USING (product_id)
INNER JOIN program AS g ON p.program_id = g.program_id
LEFT JOIN restriction_set AS r ON b.restriction_set_id = r.restriction_set_id
WHERE
    (%(issue_batch_id)s::bigint IS NULL OR b.issue_batch_id = %(issue_batch_id)s)
    AND (%(program)s::text IS NULL OR g.code = %(program)s)
    AND (%(product)s::text IS NULL OR p.code = %(product)s)
ORDER BY b.issue_batch_id DESC
LIMIT %(limit)s;

-- name: admin_insert_store_group
-- A new store group of a programme or of a merchant: the other is NULL.
INSERT INTO store_group (program_id, merchant_id, code)
SELECT
    (SELECT p.program_id FROM program AS p WHERE p.code = %(program)s),
    (SELECT m.merchant_id FROM merchant AS m WHERE m.code = %(merchant)s),
    %(code)s;

-- name: admin_store_groups
-- All store groups with their stores, or one.
SELECT
    p.code AS program,
    m.code AS merchant,
    g.code,
    (
        SELECT coalesce(array_agg(o.code || '/' || s.code ORDER BY o.code, s.code), '{}')
        FROM store_group_member AS e
        INNER JOIN store AS s USING (store_id)
        INNER JOIN merchant AS o ON s.merchant_id = o.merchant_id
        WHERE e.store_group_id = g.store_group_id
    ) AS stores,
    g.store_group_id
FROM store_group AS g
LEFT JOIN program AS p USING (program_id)
LEFT JOIN merchant AS m ON g.merchant_id = m.merchant_id
WHERE
    (%(program)s::text IS NULL OR p.code = %(program)s)
    AND (%(merchant)s::text IS NULL OR m.code = %(merchant)s)
    AND (%(code)s::text IS NULL OR g.code = %(code)s)
ORDER BY p.code, m.code, g.code;

-- name: admin_group_stores
-- Puts stores into a group, a merchant's own into a merchant's; what is in it stays.
INSERT INTO store_group_member (store_id, store_group_id)
SELECT
    s.store_id,
    g.store_group_id
FROM unnest(%(merchants)s::text [], %(stores)s::text []) AS given (merchant, store)
INNER JOIN merchant AS m ON given.merchant = m.code
INNER JOIN store AS s ON m.merchant_id = s.merchant_id AND given.store = s.code
INNER JOIN store_group AS g
    ON g.merchant_id IS NULL OR s.merchant_id = g.merchant_id
WHERE g.store_group_id = %(store_group_id)s
ON CONFLICT DO NOTHING;

-- name: admin_ungroup_stores
-- Takes stores out of a group.
DELETE FROM store_group_member AS e
USING
    unnest(%(merchants)s::text [], %(stores)s::text []) AS given (merchant, store),
    merchant AS m,
    store AS s
WHERE
    e.store_group_id = %(store_group_id)s
    AND e.store_id = s.store_id
    AND s.merchant_id = m.merchant_id
    AND given.merchant = m.code
    AND given.store = s.code;
