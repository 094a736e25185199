-- The check of the books, card by card and request by request.

-- name: check_card_balances
-- The balance of each card is what its postings say.
SELECT card_id, c.balance_minor, p.balance_minor AS posted_minor
FROM card AS c
FULL JOIN (
    SELECT card_id, -sum(amount_minor) AS balance_minor
    FROM posting
    WHERE account = 1
    GROUP BY card_id
) AS p USING (card_id)
WHERE c.balance_minor IS DISTINCT FROM coalesce(p.balance_minor, 0)
LIMIT %(most)s;

-- name: check_card_money
-- No card is below zero or below what is reserved on it, and a card that is not active
-- yet has nothing.
SELECT card_id, state, balance_minor, held_minor, unconfirmed_minor
FROM card
WHERE
    balance_minor < held_minor + unconfirmed_minor
    OR held_minor < 0
    OR unconfirmed_minor < 0
    OR (state <= 2 AND balance_minor <> 0)
LIMIT %(most)s;

-- name: check_card_history
-- The changes of a card are numbered from one without a gap, in the order of time, and
-- each begins with the balance with which the one before ended.
SELECT
    card_id, card_seq, transaction_id, before_seq, balance_before_minor,
    before_balance_minor, host_time, before_time
FROM (
    SELECT
        card_id, card_seq, transaction_id, balance_before_minor, host_time,
        lag(card_seq) OVER card_steps AS before_seq,
        lag(balance_after_minor) OVER card_steps AS before_balance_minor,
        lag(host_time) OVER card_steps AS before_time
    FROM transaction
    WHERE card_seq IS NOT NULL
    WINDOW card_steps AS (PARTITION BY card_id ORDER BY card_seq)
) AS steps
WHERE
    card_seq <> coalesce(before_seq, 0) + 1
    OR balance_before_minor <> coalesce(before_balance_minor, 0)
    OR host_time < before_time
LIMIT %(most)s;

-- name: check_card_last
-- A card stands as its last change left it: version, balance, state, time, last day.
SELECT
    c.card_id, c.version, t.card_seq, c.balance_minor, t.balance_after_minor, c.state,
    t.card_state, c.last_transaction_at, t.host_time
FROM card AS c
LEFT JOIN (
    SELECT DISTINCT ON (card_id)
        card_id, card_seq, balance_after_minor, held_after_minor, card_state,
        host_time, expires_on
    FROM transaction
    WHERE card_seq IS NOT NULL
    ORDER BY card_id ASC, card_seq DESC
) AS t USING (card_id)
WHERE
    c.version <> coalesce(t.card_seq, 0)
    OR c.balance_minor <> coalesce(t.balance_after_minor, 0)
    OR c.held_minor <> coalesce(t.held_after_minor, 0)
    OR c.last_transaction_at IS DISTINCT FROM t.host_time
    OR (
        t.card_seq IS NOT NULL
        AND (
            c.state <> t.card_state
            OR c.expires_on IS DISTINCT FROM t.expires_on
        )
    )
LIMIT %(most)s;

-- name: check_card_steps
-- Each change moves the card's balance by exactly its own amount, and leaves available
-- what is not reserved; what changes no card leaves its balance as it was.
SELECT
    t.transaction_id, t.activity, t.card_minor, t.balance_before_minor,
    t.balance_after_minor, t.available_after_minor, t.held_after_minor
FROM transaction AS t
LEFT JOIN transaction AS o ON t.original_transaction_id = o.transaction_id
WHERE
    t.balance_after_minor - t.balance_before_minor <> CASE
        WHEN t.card_seq IS NULL THEN 0
        WHEN t.activity IN (9, 11) OR (t.activity = 4 AND o.activity = 9) THEN 0
        WHEN t.activity IN (3, 6, 10, 14, 18)
            OR (t.activity IN (4, 8) AND o.activity NOT IN (3, 6, 10))
            THEN -t.card_minor
        ELSE t.card_minor
    END
    OR t.available_after_minor > t.balance_after_minor - t.held_after_minor
    OR t.available_before_minor > t.balance_before_minor
LIMIT %(most)s;

-- name: check_card_loads
-- The loads of a card that were not undone are as many, and as much, as it counts; what
-- came by a transfer is one of them. A card that was replaced handed its count over.
SELECT
    c.card_id, c.load_count, coalesce(t.loads, 0) AS loads, c.loaded_minor,
    coalesce(t.loaded_minor, 0) AS sum_minor
FROM card AS c
LEFT JOIN (
    SELECT
        line.last_card_id AS card_id,
        sum(t.sign) AS loads,
        sum(t.sign * t.card_minor) AS loaded_minor
    FROM (
        SELECT
            t.card_id,
            t.card_minor,
            CASE
                WHEN t.activity IN (1, 2) THEN 1
                WHEN t.activity = 15 AND o.card_state <> 7 THEN 1
                WHEN t.activity IN (4, 8) AND o.activity IN (1, 2) THEN -1
                ELSE 0
            END AS sign
        FROM transaction AS t
        LEFT JOIN transaction AS o ON t.original_transaction_id = o.transaction_id
        WHERE t.result <= 2 AND t.card_seq IS NOT NULL AND t.card_minor > 0
    ) AS t
    INNER JOIN card_line_v1 AS line USING (card_id)
    WHERE t.sign <> 0
    GROUP BY line.last_card_id
) AS t USING (card_id)
WHERE
    c.load_count <> coalesce(t.loads, 0)
    OR c.loaded_minor <> coalesce(t.loaded_minor, 0)
LIMIT %(most)s;

-- name: check_cash_outs
-- A cash-out paid all that was available, in the card's currency, while nothing was held.
SELECT
    transaction_id, approved_minor, card_minor, transaction_currency, card_currency,
    available_before_minor, available_after_minor, held_after_minor
FROM transaction
WHERE
    activity = 6
    AND result <= 2
    AND (
        result <> 1
        OR card_minor = 0
        OR (
            approved_minor, card_minor, transaction_currency, available_after_minor,
            held_after_minor
        ) IS DISTINCT FROM (
            available_before_minor, available_before_minor, card_currency, 0::bigint,
            0::bigint
        )
    )
LIMIT %(most)s;

-- name: check_cards_known
-- Each transaction on a card agrees with the card about programme and currency.
SELECT
    t.transaction_id, t.card_id, t.program_id, t.card_currency,
    c.program_id AS card_program_id, c.currency
FROM transaction AS t
LEFT JOIN card AS c USING (card_id)
WHERE
    t.card_id IS NOT NULL
    AND (
        c.card_id IS NULL
        OR t.program_id IS DISTINCT FROM c.program_id
        OR t.card_currency IS DISTINCT FROM c.currency
    )
LIMIT %(most)s;

-- name: check_originals
-- Whatever names an original names one that was recorded before it.
SELECT t.transaction_id, t.original_transaction_id
FROM transaction AS t
LEFT JOIN transaction AS o ON t.original_transaction_id = o.transaction_id
WHERE
    t.original_transaction_id IS NOT NULL
    AND (
        o.transaction_id IS NULL
        OR t.activity NOT IN (4, 7, 8, 9, 10, 11, 15, 17, 18, 19)
    )
LIMIT %(most)s;

-- name: check_reversals
-- An effective reversal or void undoes an approved transaction on the same card or one
-- that it replaced, whole, at that one's own amounts and rates, after it; a void on the
-- same business day. Only a sale told offline may have changed no card. What undoes a
-- hold or makes it smaller is of the hold as it stood then (check_hold_steps).
SELECT
    r.transaction_id, r.original_transaction_id, o.activity, o.result, r.card_id,
    o.card_id AS original_card_id, r.card_minor, o.card_minor AS original_minor
FROM transaction AS r
LEFT JOIN transaction AS o ON r.original_transaction_id = o.transaction_id
LEFT JOIN card_line_v1 AS r_line ON r.card_id = r_line.card_id
LEFT JOIN card_line_v1 AS o_line ON o.card_id = o_line.card_id
WHERE
    r.effective
    AND r.activity IN (4, 8)
    AND (
        o.transaction_id IS NULL
        OR o.activity IN (4, 8, 12, 13, 14, 15, 16, 19)
        OR (r.activity = 8 AND o.business_date <> r.business_date)
        OR (r.activity = 8 AND o.batch_no <> r.batch_no)
        OR o.result > 2
        OR o.store_id <> r.store_id
        OR (o.card_seq IS NULL) <> (r.card_seq IS NULL)
        OR (o.card_seq IS NULL AND NOT o.offline)
        OR (o_line.generation, o.card_seq) >= (r_line.generation, r.card_seq)
        OR o_line.last_card_id IS DISTINCT FROM r_line.last_card_id
        OR o.activity <> 9 AND (
            o.card_minor, o.approved_minor, o.transaction_currency,
            o.rate_transaction, o.rate_card, o.rate_table_version, o.rounding
        ) IS DISTINCT FROM (
            r.card_minor, r.approved_minor, r.transaction_currency,
            r.rate_transaction, r.rate_card, r.rate_table_version, r.rounding
        )
    )
LIMIT %(most)s;

-- name: check_reversed_once
-- No transaction is undone twice.
SELECT original_transaction_id, count(*) AS times
FROM transaction
WHERE effective AND activity <> 19
GROUP BY original_transaction_id
HAVING count(*) > 1
LIMIT %(most)s;

-- name: check_reversed_nets_zero
-- A transaction and what undid it together post nothing on any account.
SELECT
    r.original_transaction_id,
    p.account,
    p.owner_id,
    p.currency,
    sum(p.amount_minor) AS sum_minor
FROM transaction AS r
CROSS JOIN LATERAL (
    VALUES (r.transaction_id), (r.original_transaction_id)
) AS pair (transaction_id)
INNER JOIN posting AS p ON pair.transaction_id = p.transaction_id
WHERE r.effective AND r.activity IN (4, 8)
GROUP BY r.original_transaction_id, p.account, p.owner_id, p.currency
HAVING sum(p.amount_minor) <> 0
LIMIT %(most)s;

-- name: check_refunds
-- A refund is of an approved Redeem or Capture on the same card or one that it replaced,
-- for the same merchant, in its currency and at its rates, after it.
SELECT
    f.transaction_id, f.original_transaction_id, o.activity, o.result, f.card_id,
    o.card_id AS original_card_id
FROM transaction AS f
LEFT JOIN transaction AS o ON f.original_transaction_id = o.transaction_id
LEFT JOIN card_line_v1 AS f_line ON f.card_id = f_line.card_id
LEFT JOIN card_line_v1 AS o_line ON o.card_id = o_line.card_id
WHERE
    f.activity = 7
    AND f.result <= 2
    AND (
        o.transaction_id IS NULL
        OR o.activity NOT IN (3, 10)
        OR o.result > 2
        OR o.store_id <> f.store_id
        OR o.card_seq IS NULL
        OR (o_line.generation, o.card_seq) >= (f_line.generation, f.card_seq)
        OR o_line.last_card_id IS DISTINCT FROM f_line.last_card_id
        OR (
            o.merchant_id, o.transaction_currency, o.rate_transaction,
            o.rate_card, o.applied_rate, o.rate_table_version, o.rate_effective_from
        ) IS DISTINCT FROM (
            f.merchant_id, f.transaction_currency, f.rate_transaction,
            f.rate_card, f.applied_rate, f.rate_table_version, f.rate_effective_from
        )
    )
LIMIT %(most)s;

-- name: check_refunded
-- The refunds of a sale that stand come to no more than it was approved for; when they
-- come to all of it, the card has all of its own amount back; and a sale that was undone
-- has none.
SELECT
    o.transaction_id, o.approved_minor, o.card_minor,
    sum(f.approved_minor) AS refunded_minor,
    sum(f.card_minor) AS refunded_card_minor,
    count(r.transaction_id) AS undone
FROM transaction AS f
INNER JOIN transaction AS o ON f.original_transaction_id = o.transaction_id
LEFT JOIN transaction AS r
    ON r.original_transaction_id = o.transaction_id AND r.effective AND r.activity <> 19
LEFT JOIN transaction AS u
    ON u.original_transaction_id = f.transaction_id AND u.effective AND u.activity <> 19
WHERE f.activity = 7 AND f.result <= 2 AND u.transaction_id IS NULL
GROUP BY o.transaction_id, o.approved_minor, o.card_minor
HAVING
    sum(f.approved_minor) > o.approved_minor
    OR sum(f.card_minor) > o.card_minor
    OR (sum(f.approved_minor) = o.approved_minor AND sum(f.card_minor) <> o.card_minor)
    OR count(r.transaction_id) > 0
LIMIT %(most)s;

-- name: check_keys_lead
-- Each request key leads to the transaction of that very request; each tombstone to a
-- reversal, at a terminal of the same store, that found nothing to undo.
SELECT
    k.terminal_id, k.request_id, k.transaction_id, k.fingerprint IS NULL AS tombstone,
    t.terminal_id AS found_terminal_id, t.request_id AS found_request_id, t.activity,
    t.result
FROM request_key AS k
LEFT JOIN transaction AS t USING (transaction_id)
WHERE
    t.transaction_id IS NULL
    OR (k.fingerprint IS NULL) <> (k.fingerprint_key_id IS NULL)
    OR CASE
        WHEN k.fingerprint IS NULL THEN
            t.activity <> 4
            OR t.result <> 11
            OR (k.terminal_id, k.request_id) = (t.terminal_id, t.request_id)
        ELSE (k.terminal_id, k.request_id) <> (t.terminal_id, t.request_id)
    END
LIMIT %(most)s;

-- name: check_transactions_keyed
-- Each transaction stands under the key of its own request: one request, one outcome.
-- What nobody asked for by itself has none.
SELECT t.transaction_id, t.terminal_id, t.request_id, k.transaction_id AS kept
FROM transaction AS t
LEFT JOIN request_key AS k USING (terminal_id, request_id)
WHERE
    t.request_id IS NOT NULL
    AND (
        k.transaction_id IS DISTINCT FROM t.transaction_id
        OR k.fingerprint IS NULL
    )
LIMIT %(most)s;

-- name: check_rates
-- All rows of the rate table, for recomputing conversions.
SELECT version, currency, usd_per_unit, effective_from, as_of, source FROM rate;

-- name: check_conversions
-- What was converted, page by page, to be computed again: at the moment of the sale for
-- what came of it. Of a refund also the sale, and what stood of its refunds at that
-- moment; of what is held or captured all that was so far. What undid a refund has its
-- own amounts (check_reversals), and what undid a hold is a step of it. On one card
-- card_seq tells what came before; on two of a line time does, and in one batch the id.
SELECT
    t.transaction_id, t.transaction_currency, t.card_currency, t.requested_exponent,
    t.approved_minor, t.card_minor, t.rate_transaction, t.rate_card, t.applied_rate,
    t.rate_table_version, t.rate_effective_from, t.rounding,
    coalesce(o.host_time, t.host_time) AS priced_at,
    CASE WHEN t.activity = 7 THEN o.approved_minor END AS sold_minor,
    o.card_minor AS sold_card_minor,
    refunded.approved_minor AS refunded_minor,
    refunded.card_minor AS refunded_card_minor,
    CASE t.activity
        WHEN 9 THEN step.authorized_minor
        WHEN 10 THEN step.captured_minor
    END AS total_minor
FROM transaction AS t
LEFT JOIN hold_step AS step USING (transaction_id)
LEFT JOIN transaction AS o
    ON
        t.original_transaction_id = o.transaction_id
        AND (t.effective OR t.activity IN (7, 9, 10))
LEFT JOIN LATERAL (
    SELECT
        coalesce(sum(f.approved_minor), 0)::bigint AS approved_minor,
        coalesce(sum(f.card_minor), 0)::bigint AS card_minor
    FROM transaction AS f
    LEFT JOIN transaction AS u
        ON
            u.original_transaction_id = f.transaction_id
            AND u.effective
            AND u.activity <> 19
    WHERE
        f.original_transaction_id = t.original_transaction_id
        AND f.activity = 7
        AND f.result = 1
        AND CASE
            WHEN f.card_id = t.card_id THEN f.card_seq < t.card_seq
            ELSE (f.host_time, f.transaction_id) < (t.host_time, t.transaction_id)
        END
        AND CASE
            WHEN u.card_seq IS NULL THEN true
            WHEN u.card_id = t.card_id THEN u.card_seq > t.card_seq
            ELSE (u.host_time, u.transaction_id) > (t.host_time, t.transaction_id)
        END
) AS refunded ON t.activity = 7
WHERE
    t.rate_table_version IS NOT NULL
    AND (t.effective IS NOT TRUE OR o.activity NOT IN (7, 9, 10));
