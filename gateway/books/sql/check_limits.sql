-- The check of the books: limits, and what of them is used.

-- name: check_card_uses
-- What each card used of its day is what the transactions of that day come to.
SELECT
    c.card_id, c.counted_on, c.day_load_minor, u.load_minor, c.day_loads, u.loads,
    c.day_spend_minor, u.spend_minor, c.day_spends, u.spends
FROM card AS c
LEFT JOIN card_use_v1 AS u USING (card_id)
WHERE
    (c.day_load_minor, c.day_loads, c.day_spend_minor, c.day_spends)
    <> (
        coalesce(u.load_minor, 0), coalesce(u.loads, 0), coalesce(u.spend_minor, 0),
        coalesce(u.spends, 0)
    )
LIMIT %(most)s;

-- name: check_terminal_uses
-- What each terminal with limits did on its last business day is what its transactions
-- of that day come to that were not undone on it. When a clock went back, those of an
-- earlier day that were made after it (their ids tell) may be counted on it besides.
SELECT
    e.terminal_id, e.counted_on, e.load_minor, u.load_minor AS counted_load_minor,
    e.loads, u.loads AS counted_loads, e.spend_minor,
    u.spend_minor AS counted_spend_minor, e.spends, u.spends AS counted_spends
FROM terminal_use AS e
LEFT JOIN LATERAL (
    SELECT t.transaction_id
    FROM transaction AS t
    WHERE
        t.terminal_id = e.terminal_id
        AND t.business_date = e.counted_on
        AND t.terminal_minor IS NOT NULL
    ORDER BY t.transaction_id
    LIMIT 1
) AS first ON true
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(d.load_minor) FILTER (WHERE d.of_day), 0) AS load_minor,
        coalesce(sum(d.loads) FILTER (WHERE d.of_day), 0) AS loads,
        coalesce(sum(d.spend_minor) FILTER (WHERE d.of_day), 0) AS spend_minor,
        coalesce(sum(d.spends) FILTER (WHERE d.of_day), 0) AS spends,
        coalesce(sum(d.load_minor), 0) AS most_load_minor,
        coalesce(sum(d.loads), 0) AS most_loads,
        coalesce(sum(d.spend_minor), 0) AS most_spend_minor,
        coalesce(sum(d.spends), 0) AS most_spends
    FROM (
        SELECT
            t.business_date = e.counted_on AS of_day,
            CASE WHEN t.activity <= 2 THEN t.terminal_minor END AS load_minor,
            CASE WHEN t.activity <= 2 THEN 1 END AS loads,
            CASE WHEN t.activity > 2 THEN t.terminal_minor END AS spend_minor,
            CASE
                WHEN
                    t.activity > 2
                    AND (t.activity <> 9 OR t.original_transaction_id IS NULL)
                    THEN 1
            END AS spends
        FROM transaction AS t
        WHERE
            t.terminal_id = e.terminal_id
            AND (
                (
                    t.business_date = e.counted_on
                    AND NOT EXISTS (
                        SELECT FROM transaction AS r
                        WHERE
                            r.original_transaction_id = t.transaction_id
                            AND r.effective
                            AND r.activity IN (4, 8)
                            AND r.business_date = t.business_date
                    )
                )
                OR (
                    t.business_date < e.counted_on
                    AND t.transaction_id > first.transaction_id
                )
            )
            AND t.terminal_minor IS NOT NULL
            AND t.activity IN (1, 2, 3, 6, 9)
    ) AS d
) AS u
WHERE
    e.load_minor NOT BETWEEN u.load_minor AND u.most_load_minor
    OR e.loads NOT BETWEEN u.loads AND u.most_loads
    OR e.spend_minor NOT BETWEEN u.spend_minor AND u.most_spend_minor
    OR e.spends NOT BETWEEN u.spends AND u.most_spends
LIMIT %(most)s;

-- name: check_limits
-- A decline of check 14 names a version of the card's or of the terminal's limits, of
-- the card's own programme; each set has a version; a batch has a set of its currency.
SELECT
    t.transaction_id, t.limit_kind, t.limit_version_id, NULL::bigint AS limit_set_id,
    NULL::bigint AS issue_batch_id
FROM transaction AS t
LEFT JOIN limit_version AS v USING (limit_version_id)
LEFT JOIN limit_set AS s USING (limit_set_id)
WHERE
    t.limit_kind IS NOT NULL
    AND (
        NOT t.balances_shown
        OR CASE
            WHEN t.limit_kind >= 10 THEN v.terminal_id IS DISTINCT FROM t.terminal_id
            WHEN t.limit_version_id IS NULL THEN t.limit_kind NOT IN (1, 2, 5, 9)
            ELSE s.program_id IS DISTINCT FROM t.program_id
        END
    )
UNION ALL
SELECT NULL, NULL, NULL, s.limit_set_id, NULL
FROM limit_set AS s
WHERE NOT EXISTS (
    SELECT FROM limit_version AS v WHERE v.limit_set_id = s.limit_set_id
)
UNION ALL
SELECT NULL, NULL, NULL, s.limit_set_id, b.issue_batch_id
FROM issue_batch AS b
INNER JOIN limit_set AS s USING (limit_set_id)
INNER JOIN card_product AS p ON b.product_id = p.product_id
WHERE s.currency <> p.currency OR s.program_id <> p.program_id
LIMIT %(most)s;
