-- The check of the books: what staff did.

-- name: check_audit
-- Each row of the audit is as it was written and follows the one before it, and whatever
-- staff did has one.
SELECT audit_id, transaction_id, fault FROM audit_faults_v1(%(most)s);

-- name: check_adjustments
-- An adjustment was asked for by one of the staff and let happen by another, at the same
-- merchant and on the same card or its successor, once, for the amount that was asked.
SELECT
    t.transaction_id, t.activity, t.effective, o.transaction_id AS request_id,
    t.actor AS approved_by, o.actor AS requested_by, t.approved_minor, o.requested_minor
FROM transaction AS t
LEFT JOIN transaction AS o ON t.original_transaction_id = o.transaction_id
LEFT JOIN adjustment AS a
    ON coalesce(t.original_transaction_id, t.transaction_id) = a.transaction_id
WHERE
    t.activity IN (17, 18)
    AND t.result = 1
    AND CASE
        WHEN t.effective THEN
            o.transaction_id IS NULL
            OR o.activity <> t.activity
            OR o.result <> 1
            OR o.effective
            OR o.merchant_id <> t.merchant_id
            OR o.actor = t.actor
            OR o.requested_minor <> t.approved_minor
            OR t.card_minor <> t.approved_minor
            OR t.host_time < o.host_time
            OR t.card_seq IS NULL
            OR a.approval_id IS DISTINCT FROM t.transaction_id
            OR a.approved_by IS DISTINCT FROM t.actor
        ELSE
            t.effective IS NULL
            OR t.card_seq IS NOT NULL
            OR t.card_minor <> 0
            OR t.approved_minor <> 0
            OR a.requested_by IS DISTINCT FROM t.actor
    END
LIMIT %(most)s;
