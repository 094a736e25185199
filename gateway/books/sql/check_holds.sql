-- The check of the books, hold by hold. Nothing of a hold is in the ledger: what these
-- rules read are the cards' held amounts, the holds, and the steps they were made of.

-- name: check_held
-- What a card holds is what its open holds keep, and none of them ends before the moment
-- at which the card is looked at.
SELECT
    card_id, c.held_minor, h.held_minor AS holds_minor, c.next_hold_expiry,
    h.expires_at
FROM card AS c
FULL JOIN (
    SELECT
        card_id,
        sum(card_minor - captured_card_minor) AS held_minor,
        min(card_minor - captured_card_minor) AS least_minor,
        min(expires_at) AS expires_at
    FROM hold
    WHERE state = 1
    GROUP BY card_id
) AS h USING (card_id)
WHERE
    c.held_minor IS DISTINCT FROM coalesce(h.held_minor, 0)
    OR h.least_minor <= 0
    OR (h.expires_at IS NOT NULL AND c.next_hold_expiry IS NULL)
    OR c.next_hold_expiry > h.expires_at
LIMIT %(most)s;

-- name: check_holds_made
-- A hold is what its steps made of it: placed once, ended at most once, holding and
-- captured so much.
SELECT
    h.hold_id, h.state, h.authorized_minor, h.card_minor, h.captured_minor,
    h.captured_card_minor, s.steps, s.placed, s.ends, s.held_minor
FROM hold AS h
LEFT JOIN (
    SELECT
        s.hold_id,
        count(*) AS steps,
        count(*) FILTER (
            WHERE s.transaction_id = s.hold_id AND s.held_change_minor = s.held_minor
        ) AS placed,
        count(*) FILTER (WHERE s.state <> 1) AS ends,
        max(s.state) AS state,
        sum(s.held_change_minor) AS held_minor,
        coalesce(
            sum(
                CASE t.activity
                    WHEN 9 THEN t.approved_minor
                    WHEN 4 THEN -t.approved_minor
                END
            ) FILTER (WHERE t.original_transaction_id IS DISTINCT FROM s.hold_id
                OR t.activity = 9), 0
        ) AS authorized_minor,
        coalesce(sum(t.approved_minor) FILTER (WHERE t.activity = 10), 0)
        AS captured_minor,
        coalesce(sum(t.card_minor) FILTER (WHERE t.activity = 10), 0)
        AS captured_card_minor,
        bool_and(s.currency = h.currency AND s.expires_at = h.expires_at) AS same
    FROM hold_step AS s
    INNER JOIN hold AS h USING (hold_id)
    INNER JOIN transaction AS t ON s.transaction_id = t.transaction_id
    GROUP BY s.hold_id
) AS s USING (hold_id)
WHERE
    s.placed IS DISTINCT FROM 1
    OR s.ends <> CASE WHEN h.state = 1 THEN 0 ELSE 1 END
    OR s.state <> h.state
    OR NOT s.same
    OR s.held_minor
    <> CASE WHEN h.state = 1 THEN h.card_minor - h.captured_card_minor ELSE 0 END
    OR (s.authorized_minor, s.captured_minor, s.captured_card_minor)
    IS DISTINCT FROM
    (h.authorized_minor::numeric, h.captured_minor::numeric, h.captured_card_minor::numeric)
LIMIT %(most)s;

-- name: check_hold_steps
-- What is held, captured or released has its one hold, which it names; it says what it
-- changed, and it came in the hold's time, which only a release by time came after.
SELECT
    t.transaction_id, t.activity, t.result, t.card_minor, s.hold_id,
    s.held_change_minor, t.original_transaction_id, t.host_time, s.expires_at
FROM transaction AS t
LEFT JOIN hold_step AS s USING (transaction_id)
LEFT JOIN transaction AS o ON t.original_transaction_id = o.transaction_id
WHERE
    (s.hold_id IS NULL AND t.result <= 2 AND t.activity IN (9, 10, 11))
    OR (
        s.hold_id IS NOT NULL
        AND (
            t.result > 2
            OR t.card_seq IS NULL
            OR CASE t.activity
                WHEN 9 THEN
                    t.card_minor <> s.held_change_minor
                    OR coalesce(t.original_transaction_id, t.transaction_id) <> s.hold_id
                WHEN 10 THEN t.original_transaction_id IS DISTINCT FROM s.hold_id
                WHEN 11 THEN
                    t.card_minor <> -s.held_change_minor
                    OR t.original_transaction_id IS DISTINCT FROM s.hold_id
                    OR t.approved_minor <> 0
                WHEN 4 THEN
                    t.card_minor <> -s.held_change_minor
                    OR o.activity IS DISTINCT FROM 9
                    OR coalesce(o.original_transaction_id, o.transaction_id) <> s.hold_id
                ELSE true
            END
            OR (s.expires_at <= t.host_time) <> (t.request_id IS NULL)
        )
    )
LIMIT %(most)s;

-- name: check_held_chain
-- Whatever is asked of one card changes its held amount by its step, or not at all.
SELECT card_id, card_seq, transaction_id, activity, held_after_minor, before_minor
FROM (
    SELECT
        t.card_id, t.card_seq, t.transaction_id, t.activity, t.held_after_minor,
        coalesce(s.held_change_minor, 0) AS change_minor,
        coalesce(lag(t.held_after_minor) OVER card_steps, 0) AS before_minor
    FROM transaction AS t
    LEFT JOIN hold_step AS s USING (transaction_id)
    WHERE t.card_seq IS NOT NULL
    WINDOW card_steps AS (PARTITION BY t.card_id ORDER BY t.card_seq)
) AS steps
WHERE activity <= 11 AND held_after_minor <> before_minor + change_minor
LIMIT %(most)s;
