-- The check of the books: the lives of cards, and what moved between them.

-- name: check_card_states
-- A card goes from one state to another only as the contract says (domain 1.3): each
-- move is of the activity that makes it, says why, and by staff also who. An activation
-- that is undone leaves a card that waits for one: none that is blocked.
SELECT
    card_id, card_seq, transaction_id, activity, before_state, card_state, reason,
    channel, actor
FROM (
    SELECT
        card_id, card_seq, transaction_id, activity, card_state, reason, channel, actor,
        original_transaction_id, lag(card_state) OVER card_steps AS before_state
    FROM transaction
    WHERE card_seq IS NOT NULL
    WINDOW card_steps AS (PARTITION BY card_id ORDER BY card_seq)
) AS steps
WHERE
    (channel IN (2, 3, 6) AND actor IS NULL)
    OR CASE activity
        WHEN 12 THEN card_state <> 4 OR reason IS NULL
        WHEN 13 THEN card_state = 4 OR reason IS NULL OR channel NOT IN (2, 3, 6)
        WHEN 16 THEN card_state <> 6
        WHEN 14 THEN
            card_state = 7
            AND (reason IS NULL OR reason NOT IN (1, 2) OR channel NOT IN (2, 3, 6))
        ELSE false
    END
    OR (
        activity IN (4, 8) AND card_state <> 2 AND EXISTS (
            SELECT 1 FROM transaction AS o
            WHERE o.transaction_id = steps.original_transaction_id AND o.activity = 1
        )
    )
    OR (
        before_state <> card_state
        AND CASE
            WHEN card_state = 4 THEN activity <> 12 OR before_state NOT IN (3, 5)
            WHEN card_state = 6 THEN activity <> 16 OR before_state NOT IN (3, 4, 5)
            WHEN card_state = 7 THEN activity <> 14 OR before_state <> 4
            WHEN before_state = 4 THEN activity <> 13
            WHEN before_state <= 2 THEN activity NOT IN (1, 15)
            WHEN card_state <= 2 THEN activity NOT IN (4, 8)
            ELSE before_state > 5 OR activity IN (12, 13, 16)
        END
    )
LIMIT %(most)s;

-- name: check_depleted
-- What is DEPLETED has nothing on it, now and after each change.
SELECT card_id, version AS card_seq, state, balance_minor
FROM card
WHERE state = 5 AND balance_minor <> 0
UNION ALL
SELECT card_id, card_seq, card_state, balance_after_minor
FROM transaction
WHERE card_seq IS NOT NULL AND card_state = 5 AND balance_after_minor <> 0
LIMIT %(most)s;

-- name: check_transfers
-- What left a card by a transfer arrived on another one of its programme and currency, at
-- the same moment and whole; a card that was replaced gave it to the one that it names.
SELECT
    a.transaction_id, b.transaction_id AS arrived_id, a.card_id,
    b.card_id AS other_card_id, a.card_minor, b.card_minor AS arrived_minor
FROM (
    SELECT * FROM transaction WHERE activity = 14 AND result <= 2
) AS a
FULL JOIN (
    SELECT * FROM transaction WHERE activity = 15
) AS b ON a.transaction_id = b.original_transaction_id
LEFT JOIN card AS c ON a.card_id = c.card_id
WHERE
    a.transaction_id IS NULL
    OR b.transaction_id IS NULL
    OR a.result <> 1
    OR a.card_id = b.card_id
    OR b.request_id IS NOT NULL
    OR (
        a.result, a.terminal_id, a.program_id, a.card_currency, a.card_minor,
        a.approved_minor, a.host_time, a.channel, a.actor
    ) IS DISTINCT FROM (
        b.result, b.terminal_id, b.program_id, b.card_currency, b.card_minor,
        b.approved_minor, b.host_time, b.channel, b.actor
    )
    OR (a.card_state = 7 AND c.replaced_by IS DISTINCT FROM b.card_id)
    OR (
        a.card_state <> 7
        AND (a.card_minor = 0 OR a.held_after_minor <> 0 OR a.available_after_minor <> 0)
    )
LIMIT %(most)s;

-- name: check_transfers_arrive
-- Nothing is between two cards: the transfers account of each programme is at zero.
SELECT owner_id, currency, sum(amount_minor) AS sum_minor
FROM posting
WHERE account = 9
GROUP BY owner_id, currency
HAVING sum(amount_minor) <> 0
LIMIT %(most)s;

-- name: check_replaced
-- A card that was replaced has nothing left: no money, no hold, no load. The one that
-- took its place is of its programme and currency, and can be used.
SELECT
    c.card_id, c.balance_minor, c.held_minor, c.unconfirmed_minor, c.load_count,
    c.loaded_minor, c.replaced_by, n.state AS successor_state, h.hold_id
FROM card AS c
LEFT JOIN card AS n ON c.replaced_by = n.card_id
LEFT JOIN hold AS h ON c.card_id = h.card_id AND h.state = 1
WHERE
    c.state = 7
    AND (
        n.card_id IS NULL
        OR n.state <= 2
        OR (c.program_id, c.currency) <> (n.program_id, n.currency)
        OR h.hold_id IS NOT NULL
        OR c.next_hold_expiry IS NOT NULL
        OR (
            c.balance_minor, c.held_minor, c.unconfirmed_minor, c.load_count,
            c.loaded_minor
        ) <> (0, 0, 0, 0, 0)
    )
LIMIT %(most)s;
