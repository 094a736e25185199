-- What the heavily restricted cards of the benchmark are held to, on all three levels:
-- long lists, which this store is on or not as it must be, and hours which leave out one
-- minute a day, half a day from now.
INSERT INTO merchant (code, name) VALUES ('elsewhere', 'Elsewhere');
INSERT INTO store (merchant_id, code, country, currencies, time_zone)
SELECT m.merchant_id, 'store-' || n, 'AE', '{USD}', 'UTC'
FROM merchant AS m CROSS JOIN generate_series(1, 1000) AS n
WHERE m.code = 'elsewhere';
UPDATE store AS s SET merchant_category = '5812'
FROM merchant AS m WHERE m.merchant_id = s.merchant_id AND m.code = 'bench';
INSERT INTO store_group (program_id, code)
SELECT p.program_id, 'group-' || n
FROM program AS p CROSS JOIN generate_series(1, 50) AS n;
INSERT INTO store_group_member (store_id, store_group_id)
SELECT s.store_id, g.store_group_id
FROM store AS s INNER JOIN merchant AS m USING (merchant_id) CROSS JOIN store_group AS g
WHERE m.code = 'bench' AND g.code = 'group-1';

INSERT INTO restriction_set (program_id, code)
SELECT p.program_id, s.code
FROM program AS p CROSS JOIN (
    VALUES ('product'), ('batch')
    UNION ALL
    SELECT 'card-' || n FROM generate_series(0, 49) AS n
) AS s (code);
INSERT INTO restriction_version (restriction_set_id, version)
SELECT s.restriction_set_id, 1 FROM restriction_set AS s;

-- The product: 300 countries and 500 categories are allowed, at these hours.
INSERT INTO restriction_entry (restriction_version_id, rule, country)
SELECT v.restriction_version_id, 1, chr(65 + n / 26) || chr(65 + n % 26)
FROM restriction_version AS v
INNER JOIN restriction_set AS s USING (restriction_set_id)
CROSS JOIN generate_series(0, 299) AS n
WHERE s.code = 'product';
INSERT INTO restriction_entry (restriction_version_id, rule, merchant_category)
SELECT v.restriction_version_id, 1, (5400 + n)::text
FROM restriction_version AS v
INNER JOIN restriction_set AS s USING (restriction_set_id)
CROSS JOIN generate_series(1, 500) AS n
WHERE s.code = 'product';
INSERT INTO restriction_window (
    restriction_version_id, weekdays, begins_minute, ends_minute
)
SELECT v.restriction_version_id, 1 << d, (n.closed + 1) % 1440,
    CASE WHEN n.closed = 0 THEN 1440 ELSE n.closed END
FROM restriction_version AS v
INNER JOIN restriction_set AS s USING (restriction_set_id)
CROSS JOIN generate_series(0, 6) AS d
CROSS JOIN (
    SELECT (extract(EPOCH FROM scrip_clock())::bigint / 60 + 720) % 1440 AS closed
) AS n
WHERE s.code = 'product';

-- The issue batch: 1,000 stores and 100 categories are denied.
INSERT INTO restriction_entry (restriction_version_id, rule, store_id)
SELECT v.restriction_version_id, 2, o.store_id
FROM restriction_version AS v
INNER JOIN restriction_set AS s USING (restriction_set_id)
CROSS JOIN store AS o INNER JOIN merchant AS m USING (merchant_id)
WHERE s.code = 'batch' AND m.code = 'elsewhere';
INSERT INTO restriction_entry (restriction_version_id, rule, merchant_category)
SELECT v.restriction_version_id, 2, (7000 + n)::text
FROM restriction_version AS v
INNER JOIN restriction_set AS s USING (restriction_set_id)
CROSS JOIN generate_series(1, 100) AS n
WHERE s.code = 'batch';

-- The cards: one of 50 sets each, which allows 500 stores, and 50 groups.
INSERT INTO restriction_entry (restriction_version_id, rule, store_id)
SELECT v.restriction_version_id, 1, o.store_id
FROM restriction_version AS v
INNER JOIN restriction_set AS s USING (restriction_set_id)
CROSS JOIN store AS o INNER JOIN merchant AS m USING (merchant_id)
WHERE s.code LIKE 'card-%' AND m.code = 'elsewhere' AND o.store_id % 2 = 0;
INSERT INTO restriction_entry (restriction_version_id, rule, store_group_id)
SELECT v.restriction_version_id, 1, g.store_group_id
FROM restriction_version AS v
INNER JOIN restriction_set AS s USING (restriction_set_id)
CROSS JOIN store_group AS g
WHERE s.code LIKE 'card-%';

UPDATE card_product AS p SET restriction_set_id = s.restriction_set_id
FROM restriction_set AS s WHERE p.code = 'restricted' AND s.code = 'product';
INSERT INTO issue_batch (product_id, program_id, restriction_set_id)
SELECT p.product_id, p.program_id, s.restriction_set_id
FROM card_product AS p CROSS JOIN restriction_set AS s
WHERE p.code = 'restricted' AND s.code = 'batch';
UPDATE card AS c SET
    issue_batch_id = b.issue_batch_id, restriction_set_id = s.restriction_set_id
FROM issue_batch AS b CROSS JOIN restriction_set AS s
WHERE b.product_id = c.product_id AND s.code = 'card-' || c.card_id % 50;
