-- The check of the books: what waits to be confirmed, what was sold offline, and what
-- people must look at.

-- name: check_confirmations
-- A confirmation is of an approval that waited for it, in the same store, for the same
-- amount; it changes a card only where a credit waited there; and what was confirmed was
-- not reversed.
SELECT
    t.transaction_id, t.original_transaction_id, t.effective, t.card_seq, o.activity,
    o.unconfirmed, r.transaction_id AS reversal_id
FROM transaction AS t
LEFT JOIN transaction AS o ON t.original_transaction_id = o.transaction_id
LEFT JOIN transaction AS c
    ON c.original_transaction_id = o.transaction_id AND c.effective AND c.activity = 19
LEFT JOIN transaction AS r
    ON r.original_transaction_id = o.transaction_id AND r.effective AND r.activity = 4
WHERE
    t.activity = 19
    AND t.result <= 2
    AND (
        o.transaction_id IS NULL
        OR NOT o.unconfirmed
        OR o.store_id <> t.store_id
        OR t.card_minor <> 0
        OR (t.approved_minor, t.transaction_currency)
        IS DISTINCT FROM (o.approved_minor, o.transaction_currency)
        OR (t.card_seq IS NOT NULL)
        <> (t.effective AND o.activity IN (1, 2, 7) AND o.card_minor > 0)
        OR c.transaction_id IS NULL
        OR r.transaction_id IS NOT NULL
    )
LIMIT %(most)s;

-- name: check_unconfirmed
-- What cannot be spent of a card yet is the credits on it, or on the cards whose place it
-- took, that were neither confirmed nor undone.
WITH RECURSIVE waiting AS (
    SELECT t.transaction_id, t.card_id, t.card_minor
    FROM transaction AS t
    LEFT JOIN transaction AS d
        ON d.original_transaction_id = t.transaction_id AND d.effective
    WHERE t.unconfirmed AND t.activity IN (1, 2, 7) AND d.transaction_id IS NULL
),

moved (transaction_id, card_id) AS (
    SELECT transaction_id, card_id FROM waiting
    UNION ALL
    SELECT m.transaction_id, c.replaced_by
    FROM moved AS m
    INNER JOIN card AS c USING (card_id)
    WHERE c.replaced_by IS NOT NULL
)

SELECT
    c.card_id, c.unconfirmed_minor, coalesce(w.waiting_minor, 0) AS waiting_minor
FROM card AS c
LEFT JOIN (
    SELECT m.card_id, sum(waiting.card_minor) AS waiting_minor
    FROM moved AS m
    INNER JOIN waiting USING (transaction_id)
    GROUP BY m.card_id
) AS w USING (card_id)
WHERE
    c.unconfirmed_minor
    <> CASE WHEN c.replaced_by IS NULL THEN coalesce(w.waiting_minor, 0) ELSE 0 END
LIMIT %(most)s;

-- name: check_unconfirmed_steps
-- What cannot be spent yet grows with each credit that waits to be confirmed, falls when
-- it is confirmed or undone, and else stays; 14 and 15 move it to another card.
SELECT card_id, card_seq, transaction_id, before_minor, waiting_minor, change_minor
FROM (
    SELECT
        t.card_id, t.card_seq, t.transaction_id, t.activity,
        t.balance_after_minor - t.held_after_minor - t.available_after_minor
            AS waiting_minor,
        lag(t.balance_after_minor - t.held_after_minor - t.available_after_minor)
            OVER card_steps AS before_minor,
        CASE
            WHEN t.unconfirmed AND t.activity IN (1, 2, 7) THEN t.card_minor
            WHEN NOT coalesce(t.effective AND o.unconfirmed, false)
                OR o.activity NOT IN (1, 2, 7)
                OR (t.activity IN (4, 8) AND c.transaction_id IS NOT NULL)
                THEN 0
            ELSE -o.card_minor
        END AS change_minor
    FROM transaction AS t
    LEFT JOIN transaction AS o ON t.original_transaction_id = o.transaction_id
    LEFT JOIN transaction AS c
        ON
            c.original_transaction_id = o.transaction_id
            AND c.effective
            AND c.activity = 19
    WHERE t.card_seq IS NOT NULL
    WINDOW card_steps AS (PARTITION BY t.card_id ORDER BY t.card_seq)
) AS steps
WHERE
    activity NOT IN (14, 15) AND waiting_minor <> coalesce(before_minor, 0) + change_minor
LIMIT %(most)s;

-- name: check_advices
-- A sale told offline is a Redeem that nobody has to confirm; it is refused only for its
-- place (3, 4) or its amount (6), and says why exactly where it was not paid in full.
SELECT
    transaction_id, activity, result, reason, requested_minor, approved_minor,
    unconfirmed
FROM transaction
WHERE
    offline
    AND (
        activity <> 3
        OR unconfirmed
        OR result NOT IN (1, 3, 4, 6)
        OR (reason IS NOT NULL) <> (result = 1 AND approved_minor < requested_minor)
    )
LIMIT %(most)s;

-- name: check_exceptions
-- Each sale told offline that was not paid in full has its exception (1) over the rest,
-- each credit that a reversal could not take back has one (2) over all of it, and there
-- are no others.
WITH wanted AS (
    SELECT
        transaction_id, 1::smallint AS kind, store_id, reason,
        requested_minor - approved_minor AS amount_minor,
        transaction_currency AS currency
    FROM transaction
    WHERE offline AND result = 1 AND reason IS NOT NULL
    UNION ALL
    SELECT DISTINCT
        o.transaction_id, 2::smallint, o.store_id, r.result, o.approved_minor,
        o.transaction_currency
    FROM transaction AS r
    INNER JOIN transaction AS o ON r.original_transaction_id = o.transaction_id
    WHERE
        r.activity = 4 AND r.result = 10 AND o.activity IN (1, 2, 7) AND o.card_minor > 0
)

SELECT
    e.transaction_id, e.kind, e.amount_minor, e.currency, e.reason,
    w.transaction_id AS wanted_id, w.kind AS wanted_kind,
    w.amount_minor AS wanted_minor, w.currency AS wanted_currency,
    w.reason AS wanted_reason
FROM exception_item AS e
FULL JOIN wanted AS w ON e.transaction_id = w.transaction_id AND e.kind = w.kind
LEFT JOIN transaction AS b ON e.opened_by = b.transaction_id
WHERE
    (e.store_id, e.reason, e.amount_minor, e.currency)
    IS DISTINCT FROM (w.store_id, w.reason, w.amount_minor, w.currency)
    OR e.opened_at <> b.host_time
    OR CASE
        WHEN e.kind = 1 THEN e.opened_by <> e.transaction_id
        ELSE b.original_transaction_id IS DISTINCT FROM e.transaction_id
    END
LIMIT %(most)s;
