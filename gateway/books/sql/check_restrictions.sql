-- The check of the books: restrictions.

-- name: check_refusals
-- What a restriction refused names a version of a set of the card's own programme and
-- why, and is a decline that shows no balance; nothing else names one.
SELECT
    t.transaction_id, t.activity, t.result, t.refusal, t.refusal_hours,
    t.restriction_version_id, t.program_id, s.program_id AS set_program_id
FROM transaction AS t
LEFT JOIN restriction_version AS v USING (restriction_version_id)
LEFT JOIN restriction_set AS s USING (restriction_set_id)
WHERE
    num_nonnulls(t.refusal, t.restriction_version_id, t.refusal_hours) > 0
    AND (
        t.result <> 21
        OR t.activity IN (4, 7, 8)
        OR t.balances_shown
        OR t.refusal IS NULL
        OR t.program_id IS NULL
        OR s.program_id IS DISTINCT FROM t.program_id
        OR (t.refusal = 4) <> (t.refusal_hours IS NOT NULL)
    )
LIMIT %(most)s;

-- name: check_restrictions
-- Each restriction set has a version in force that restricts something, and what a group
-- of a merchant holds are that merchant's stores.
SELECT s.restriction_set_id, v.restriction_version_id, NULL::bigint AS store_group_id
FROM restriction_set AS s
LEFT JOIN (
    SELECT DISTINCT ON (restriction_set_id) restriction_set_id, restriction_version_id
    FROM restriction_version
    ORDER BY restriction_set_id ASC, version DESC
) AS v USING (restriction_set_id)
WHERE
    NOT EXISTS (
        SELECT FROM restriction_entry AS e
        WHERE e.restriction_version_id = v.restriction_version_id
    )
    AND NOT EXISTS (
        SELECT FROM restriction_window AS w
        WHERE w.restriction_version_id = v.restriction_version_id
    )
UNION ALL
SELECT NULL, NULL, g.store_group_id
FROM store_group AS g
INNER JOIN store_group_member AS m USING (store_group_id)
INNER JOIN store AS s USING (store_id)
WHERE g.merchant_id <> s.merchant_id
LIMIT %(most)s;
