-- name: admin_insert_program
-- A new programme.
INSERT INTO program (code, name, time_zone, tip_tolerance_bps)
VALUES (%(code)s, %(name)s, %(time_zone)s, %(tip_tolerance_bps)s);

-- name: admin_programs
-- All programmes, with how many merchants accept them; there are few.
SELECT
    p.code,
    p.name,
    p.time_zone,
    p.tip_tolerance_bps,
    (
        SELECT count(*) FROM program_merchant AS m WHERE m.program_id = p.program_id
    ) AS merchants
FROM program AS p
ORDER BY p.code;

-- name: admin_insert_merchants
-- New merchants, one element of each array a row.
INSERT INTO merchant (code, name)
SELECT
    given.code,
    given.name
FROM unnest(%(codes)s::text [], %(names)s::text []) AS given (code, name);

-- name: admin_accept_programs
-- Lets merchants accept programmes; what is so already stays.
INSERT INTO program_merchant (program_id, merchant_id)
SELECT
    p.program_id,
    m.merchant_id
FROM unnest(%(programs)s::text [], %(merchants)s::text []) AS given (program, merchant)
INNER JOIN program AS p ON given.program = p.code
INNER JOIN merchant AS m ON given.merchant = m.code
ON CONFLICT DO NOTHING;

-- name: admin_refuse_program
-- Takes a programme back from a merchant.
DELETE FROM program_merchant
USING program AS p, merchant AS m
WHERE
    program_merchant.program_id = p.program_id
    AND program_merchant.merchant_id = m.merchant_id
    AND p.code = %(program)s
    AND m.code = %(merchant)s;

-- name: admin_merchants
-- All merchants with the programmes that they accept.
SELECT
    m.code,
    m.name,
    m.state,
    (
        SELECT coalesce(array_agg(p.code ORDER BY p.code), '{}')
        FROM program_merchant AS a INNER JOIN program AS p USING (program_id)
        WHERE a.merchant_id = m.merchant_id
    ) AS programs,
    (SELECT count(*) FROM store AS s WHERE s.merchant_id = m.merchant_id) AS stores
FROM merchant AS m
ORDER BY m.code;

-- name: admin_set_merchant_state
-- Suspends, closes or activates a merchant. CLOSED (3) is for good.
UPDATE merchant SET state = %(state)s
WHERE code = %(merchant)s AND state <> 3
RETURNING merchant_id;

-- name: admin_insert_stores
-- New stores, one element of each array a row; their currencies divided by blanks.
INSERT INTO store (
    merchant_id, code, name, country, currencies, time_zone, cut_off, jurisdiction,
    merchant_category
)
SELECT
    m.merchant_id,
    given.code,
    given.name,
    given.country,
    string_to_array(given.currencies, ' ')::char(3) [],
    given.time_zone,
    given.cut_off,
    given.jurisdiction,
    given.merchant_category
FROM unnest(
    %(merchants)s::text [],
    %(codes)s::text [],
    %(names)s::text [],
    %(countries)s::text [],
    %(currencies)s::text [],
    %(time_zones)s::text [],
    %(cut_offs)s::time [],
    %(jurisdictions)s::text [],
    %(merchant_categories)s::text []
) AS given (
    merchant, code, name, country, currencies, time_zone, cut_off, jurisdiction,
    merchant_category
)
INNER JOIN merchant AS m ON given.merchant = m.code;

-- name: admin_stores
-- All stores, or those of one merchant.
SELECT
    m.code AS merchant,
    s.code,
    s.name,
    s.country,
    array_to_string(s.currencies, ' ') AS currencies,
    s.time_zone,
    s.cut_off,
    s.merchant_category,
    s.state,
    s.jurisdiction,
    (SELECT count(*) FROM terminal AS t WHERE t.store_id = s.store_id) AS terminals
FROM store AS s
INNER JOIN merchant AS m USING (merchant_id)
WHERE %(merchant)s::text IS NULL OR m.code = %(merchant)s
ORDER BY m.code, s.code;

-- name: admin_set_store_state
-- Suspends, closes or activates a store. CLOSED (3) is for good.
UPDATE store SET state = %(state)s
FROM merchant AS m
WHERE
    store.merchant_id = m.merchant_id
    AND m.code = %(merchant)s
    AND store.code = %(store)s
    AND store.state <> 3
RETURNING store.store_id;

-- name: admin_set_store_category
-- Says what a store sells, or with NULL that nobody says.
UPDATE store SET merchant_category = %(merchant_category)s
FROM merchant AS m
WHERE
    store.merchant_id = m.merchant_id
    AND m.code = %(merchant)s
    AND store.code = %(store)s
RETURNING store.store_id;

-- name: admin_known_programs
-- Which of these programmes there are.
SELECT code FROM program
WHERE code = any(%(programs)s::text []);

-- name: admin_known_merchants
-- Which of these merchants there are.
SELECT code FROM merchant
WHERE code = any(%(merchants)s::text []);

-- name: admin_known_stores
-- Which of these stores there are (store_code_key).
SELECT
    m.code AS merchant,
    s.code AS store
FROM unnest(%(merchants)s::text [], %(stores)s::text []) AS given (merchant, store)
INNER JOIN merchant AS m ON given.merchant = m.code
INNER JOIN store AS s ON m.merchant_id = s.merchant_id AND given.store = s.code;
