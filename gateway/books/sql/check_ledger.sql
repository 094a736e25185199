-- The check of the books: each query gives the rows that break a rule, at most as many as
-- asked. All run in one snapshot and read whole tables; none is of the money path.
--
-- The sign of a transaction: 1 where it debits the card (Redeem, CashOut, Capture, what a
-- transfer took, an adjustment down), -1 where it credits it (Activate, Load, Refund, what
-- a transfer brought, an adjustment up), the opposite of its original's for a reversal or
-- void, 0 where it moves nothing: what is held or released is not posted.

-- name: check_postings_sum
-- The postings of each transaction sum to zero in each currency, and are at least two.
SELECT
    transaction_id,
    currency,
    sum(amount_minor) AS sum_minor,
    count(*) AS lines
FROM posting
GROUP BY transaction_id, currency
HAVING sum(amount_minor) <> 0 OR count(*) < 2
LIMIT %(most)s;

-- name: check_currencies_sum
-- All postings together sum to zero in each currency.
SELECT currency, sum(amount_minor) AS sum_minor
FROM posting
GROUP BY currency
HAVING sum(amount_minor) <> 0
LIMIT %(most)s;

-- name: check_postings_belong
-- Each posting belongs to an approved transaction that changed its card, and stands for
-- that transaction's programme or merchant.
SELECT
    p.transaction_id, p.line, p.card_id, p.account, p.owner_id,
    t.result, t.card_id AS transaction_card_id, t.program_id, t.merchant_id
FROM posting AS p
LEFT JOIN transaction AS t USING (transaction_id)
WHERE
    t.transaction_id IS NULL
    OR t.result > 2
    OR t.card_seq IS NULL
    OR p.card_id <> t.card_id
    OR p.owner_id <> CASE
        WHEN p.account IN (1, 4, 8, 9) THEN t.program_id
        WHEN p.account IN (2, 3) THEN t.merchant_id
        ELSE p.owner_id
    END
LIMIT %(most)s;

-- name: check_records_posted
-- What a transaction says it moved is what its postings move: the card's amount on the
-- liability, the approved amount on the merchant's account, through clearing where the
-- currencies differ, an adjustment on the programme's own account, what a transfer moved
-- on the transfers account, and nothing at all where it moved nothing.
WITH posted AS (
    SELECT
        transaction_id,
        count(*) AS lines,
        count(*) FILTER (WHERE account = 4) AS clearing_lines,
        sum(amount_minor) FILTER (WHERE account = 1) AS liability_minor,
        sum(amount_minor) FILTER (WHERE account = 2) AS payable_minor,
        sum(amount_minor) FILTER (WHERE account = 3) AS receivable_minor,
        sum(amount_minor) FILTER (WHERE account = 8) AS adjustments_minor,
        sum(amount_minor) FILTER (WHERE account = 9) AS transfers_minor,
        min(currency) FILTER (WHERE account = 1) AS liability_currency,
        min(currency) FILTER (WHERE account IN (2, 3)) AS merchant_currency
    FROM posting
    GROUP BY transaction_id
),

signed AS (
    SELECT
        t.transaction_id, t.card_minor, t.approved_minor, t.card_currency,
        t.transaction_currency,
        coalesce(o.activity, t.activity) AS activity,
        CASE
            WHEN t.result > 2 OR t.card_seq IS NULL OR t.card_minor = 0 THEN 0
            WHEN t.activity IN (9, 11) OR o.activity = 9 THEN 0
            WHEN t.activity IN (3, 6, 10, 14, 18) THEN 1
            WHEN t.activity IN (1, 2, 7, 15, 17) THEN -1
            WHEN o.activity IN (3, 6, 10) THEN -1
            ELSE 1
        END AS sign
    FROM transaction AS t
    LEFT JOIN transaction AS o
        ON t.original_transaction_id = o.transaction_id AND t.activity IN (4, 8)
)

SELECT
    s.transaction_id, s.sign, s.card_minor, s.approved_minor, p.lines,
    p.liability_minor, p.payable_minor, p.receivable_minor
FROM signed AS s
LEFT JOIN posted AS p USING (transaction_id)
WHERE
    coalesce(p.liability_minor, 0) <> s.sign * s.card_minor
    OR coalesce(p.payable_minor, 0)
    <> CASE WHEN s.activity IN (3, 6, 7, 10) THEN -s.sign * s.approved_minor ELSE 0 END
    OR coalesce(p.receivable_minor, 0)
    <> CASE
        WHEN s.activity IN (3, 6, 7, 10, 14, 15, 17, 18) THEN 0
        ELSE -s.sign * s.approved_minor
    END
    OR coalesce(p.adjustments_minor, 0)
    <> CASE WHEN s.activity IN (17, 18) THEN -s.sign * s.card_minor ELSE 0 END
    OR coalesce(p.transfers_minor, 0)
    <> CASE WHEN s.activity IN (14, 15) THEN -s.sign * s.card_minor ELSE 0 END
    OR coalesce(p.lines, 0) <> CASE
        WHEN s.sign = 0 THEN 0
        WHEN s.card_currency = s.transaction_currency THEN 2
        ELSE 4
    END
    OR coalesce(p.clearing_lines, 0) <> CASE
        WHEN s.sign <> 0 AND s.card_currency <> s.transaction_currency THEN 2
        ELSE 0
    END
    OR p.liability_currency <> s.card_currency
    OR p.merchant_currency <> s.transaction_currency
LIMIT %(most)s;

-- name: check_liability
-- The card liability of each programme and currency is the sum of its cards' balances.
SELECT
    program_id,
    currency,
    c.balance_minor AS cards_minor,
    p.balance_minor AS liability_minor
FROM (
    SELECT program_id, currency, sum(balance_minor) AS balance_minor
    FROM card
    GROUP BY program_id, currency
) AS c
FULL JOIN (
    SELECT owner_id AS program_id, currency, -sum(amount_minor) AS balance_minor
    FROM posting
    WHERE account = 1
    GROUP BY owner_id, currency
) AS p USING (program_id, currency)
WHERE coalesce(c.balance_minor, 0) <> coalesce(p.balance_minor, 0)
LIMIT %(most)s;

-- name: check_conservation
-- Loads and refunds less spends, less what was undone of all, is what all cards hold.
SELECT
    program_id,
    currency,
    c.balance_minor AS cards_minor,
    t.moved_minor AS transactions_minor
FROM (
    SELECT program_id, currency, sum(balance_minor) AS balance_minor
    FROM card
    GROUP BY program_id, currency
) AS c
FULL JOIN (
    SELECT
        t.program_id,
        t.card_currency AS currency,
        sum(
            CASE
                WHEN t.activity IN (9, 11) OR (t.activity = 4 AND o.activity = 9) THEN 0
                WHEN t.activity IN (3, 6, 10, 14, 18)
                    OR (t.activity IN (4, 8) AND o.activity NOT IN (3, 6, 10))
                    THEN -t.card_minor
                ELSE t.card_minor
            END
        ) AS moved_minor
    FROM transaction AS t
    LEFT JOIN transaction AS o ON t.original_transaction_id = o.transaction_id
    WHERE t.result <= 2 AND t.card_seq IS NOT NULL
    GROUP BY t.program_id, t.card_currency
) AS t USING (program_id, currency)
WHERE coalesce(c.balance_minor, 0) <> coalesce(t.moved_minor, 0)
LIMIT %(most)s;

-- name: check_declines
-- What was declined approved nothing, and changed no card but by counting a PIN.
SELECT transaction_id, result, approved_minor, card_minor, card_seq, effective
FROM transaction AS t
WHERE
    result > 2
    AND (
        approved_minor <> 0
        OR card_minor <> 0
        OR effective
        OR (
            card_seq IS NOT NULL
            AND NOT EXISTS (SELECT FROM card_pin AS p WHERE p.card_id = t.card_id)
        )
    )
LIMIT %(most)s;

-- name: check_approvals
-- An approval is of the whole amount; in part, only a Redeem or an Authorize is, of less
-- than was asked. A sale told offline is approved whatever of it was paid; what changes
-- no card debited nothing. A block or its end may find the card as it should be.
SELECT transaction_id, activity, result, requested_minor, approved_minor, card_seq
FROM transaction
WHERE
    result <= 2
    AND CASE
        WHEN activity IN (4, 8) THEN
            result <> 1
            OR effective IS NULL
            OR (activity = 8 AND NOT effective)
            OR (card_seq IS NOT NULL AND NOT effective)
            OR (card_seq IS NULL AND effective AND approved_minor + card_minor <> 0)
        WHEN activity = 19 THEN result <> 1 OR effective IS NULL
        WHEN offline THEN
            result <> 1
            OR approved_minor > requested_minor
            OR (card_seq IS NULL) <> (approved_minor = 0)
            OR (card_minor = 0) <> (approved_minor = 0)
        -- An adjustment that waits for its approval.
        WHEN activity IN (17, 18) AND NOT effective THEN false
        WHEN activity = 12 AND card_seq IS NULL THEN card_state <> 4
        WHEN activity = 13 AND card_seq IS NULL THEN card_state NOT IN (3, 5)
        WHEN card_seq IS NULL THEN true
        WHEN result = 1 THEN approved_minor <> coalesce(requested_minor, 0)
        ELSE
            activity NOT IN (3, 9)
            OR approved_minor = 0
            OR card_minor = 0
            OR approved_minor >= requested_minor
    END
LIMIT %(most)s;

-- name: check_conversion_recorded
-- Where the currencies differ the conversion is recorded, and only there; where they are
-- one, the card is moved by exactly what was approved. A release approves no amount, and
-- a confirmation moves none.
SELECT
    transaction_id, transaction_currency, card_currency, approved_minor, card_minor,
    rate_table_version
FROM transaction
WHERE
    result <= 2
    AND card_seq IS NOT NULL
    AND activity NOT IN (11, 19)
    AND CASE
        WHEN card_minor = 0 AND approved_minor = 0 THEN rate_table_version IS NOT NULL
        WHEN transaction_currency = card_currency THEN
            rate_table_version IS NOT NULL OR approved_minor <> card_minor
        ELSE rate_table_version IS NULL
    END
LIMIT %(most)s;
