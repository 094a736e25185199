-- What people must look at.

-- name: admin_exceptions
-- Exceptions, the newest first: those kept, and what was neither confirmed nor undone
-- for a day. One is over when the transaction that it is about is undone. Undoing and
-- confirming are asked for one by one: each has an index of its own, both have none.
--
-- Indexes: transaction_unconfirmed_idx, transaction_effective_reversal_key,
-- transaction_confirm_key, transaction_pkey.
SELECT
    x.kind,
    x.opened_at,
    u.host_time AS closed_at,
    m.code AS merchant,
    s.code AS store,
    n.code AS terminal,
    t.transaction_id,
    t.request_id,
    t.activity,
    x.reason,
    x.amount_minor,
    x.currency,
    t.requested_minor,
    t.requested_exponent,
    t.approved_minor,
    t.card_last_four,
    t.host_time,
    t.local_time,
    t.merchant_reference,
    t.cashier_id
FROM (
    SELECT e.transaction_id, e.kind, e.opened_at, e.reason, e.amount_minor, e.currency
    FROM exception_item AS e
    UNION ALL
    SELECT
        w.transaction_id,
        3::smallint,
        w.host_time + interval '24 hours',
        NULL::smallint,
        w.approved_minor,
        w.transaction_currency
    FROM transaction AS w
    WHERE
        w.unconfirmed
        AND w.host_time <= (SELECT scrip_clock() - interval '24 hours')
        AND NOT EXISTS (
            SELECT 1 FROM transaction AS d
            WHERE
                d.original_transaction_id = w.transaction_id
                AND d.effective
                AND d.activity <> 19
        )
        AND NOT EXISTS (
            SELECT 1 FROM transaction AS c
            WHERE
                c.original_transaction_id = w.transaction_id
                AND c.effective
                AND c.activity = 19
        )
) AS x
INNER JOIN transaction AS t USING (transaction_id)
INNER JOIN terminal AS n ON t.terminal_id = n.terminal_id
INNER JOIN store AS s ON t.store_id = s.store_id
INNER JOIN merchant AS m ON t.merchant_id = m.merchant_id
LEFT JOIN transaction AS u
    ON u.original_transaction_id = t.transaction_id AND u.effective AND u.activity <> 19
WHERE
    (%(merchant)s::text IS NULL OR m.code = %(merchant)s)
    AND (%(store)s::text IS NULL OR s.code = %(store)s)
    AND (%(since)s::timestamptz IS NULL OR x.opened_at >= %(since)s)
    AND (%(closed)s::boolean OR u.transaction_id IS NULL)
ORDER BY x.opened_at DESC, t.transaction_id DESC
LIMIT %(most)s::bigint;
