-- One batch of the money path, up to its decisions. Every statement that may wait for a
-- lock reads nothing but the rows it locks: what it waited for is seen by the next ones.

-- name: begin
-- Open the batch's transaction; its isolation is a setting of the connection.
BEGIN;

-- name: commit
-- End the batch; what this answers is "COMMIT" or nothing was committed.
COMMIT;

-- name: rollback
-- Give up the batch: its locks and its claims.
ROLLBACK;

-- name: set_patience
-- Bound each wait for a lock of this transaction from here on. No index: no table.
SELECT set_config('lock_timeout', %(lock_timeout)s::text, true);

-- name: lock_free_cards
-- Lock those of the named cards that nobody holds, and wait for none.
-- Indexes: card_number_index_key and card_pkey, joined by a BitmapOr; request_key_pkey,
-- transaction_pkey.
SELECT card_id
FROM card
WHERE
    number_index = ANY(%(indexes)s::bytea[])
    OR card_id = ANY(%(card_ids)s::bigint[])
    OR card_id = ANY(
        ARRAY(
            SELECT t.card_id
            FROM
                (
                    SELECT
                        unnest(%(terminal_ids)s::bigint[]) AS terminal_id,
                        unnest(%(request_ids)s::uuid[]) AS request_id
                ) AS asked
            INNER JOIN request_key AS k USING (terminal_id, request_id)
            INNER JOIN transaction AS t USING (transaction_id)
            WHERE t.card_id IS NOT NULL
        )
    )
ORDER BY card_id
FOR UPDATE SKIP LOCKED;

-- name: named_cards
-- Tell who last held every card that a number, id or request key names: held now or not,
-- xmax is the number of that transaction.
-- Indexes: card_number_index_key, request_key_pkey, transaction_pkey, card_pkey.
SELECT
    card_id,
    xmax::text::bigint AS holder,
    number_index,
    NULL::bigint AS terminal_id,
    NULL::uuid AS request_id
FROM card
WHERE number_index = ANY(%(indexes)s::bytea[])
UNION ALL
SELECT card_id, xmax::text::bigint, NULL::bytea, NULL::bigint, NULL::uuid
FROM card
WHERE card_id = ANY(%(card_ids)s::bigint[])
UNION ALL
SELECT c.card_id, c.xmax::text::bigint, NULL::bytea, k.terminal_id, k.request_id
FROM
    (
        SELECT
            unnest(%(terminal_ids)s::bigint[]) AS terminal_id,
            unnest(%(request_ids)s::uuid[]) AS request_id
    ) AS asked
INNER JOIN request_key AS k USING (terminal_id, request_id)
INNER JOIN transaction AS t USING (transaction_id)
INNER JOIN card AS c USING (card_id);

-- name: lock_cards_by_index
-- Lock the cards that tills named by number, in the order of card_id.
-- Index: card_number_index_key.
SELECT
    card_id, program_id, product_id, number_index, last_four, state, block_reason,
    currency, balance_minor, held_minor, unconfirmed_minor, load_count, expires_on,
    version, last_transaction_at, loaded_minor, issue_batch_id, restriction_set_id,
    next_hold_expiry, replaced_by, limit_set_id, counted_on, day_load_minor, day_loads,
    day_spend_minor, day_spends
FROM card
WHERE number_index = ANY(%(indexes)s::bytea[])
ORDER BY card_id
FOR UPDATE;

-- name: lock_cards_by_id
-- Lock the cards of originals that commands name, in the order of card_id.
-- Index: card_pkey.
SELECT
    card_id, program_id, product_id, number_index, last_four, state, block_reason,
    currency, balance_minor, held_minor, unconfirmed_minor, load_count, expires_on,
    version, last_transaction_at, loaded_minor, issue_batch_id, restriction_set_id,
    next_hold_expiry, replaced_by, limit_set_id, counted_on, day_load_minor, day_loads,
    day_spend_minor, day_spends
FROM card
WHERE card_id = ANY(%(card_ids)s::bigint[])
ORDER BY card_id
FOR UPDATE;

-- name: lock_free_cards_by_id
-- Lock those of the cards that nobody holds, and wait for none. Index: card_pkey.
SELECT
    card_id, program_id, product_id, number_index, last_four, state, block_reason,
    currency, balance_minor, held_minor, unconfirmed_minor, load_count, expires_on,
    version, last_transaction_at, loaded_minor, issue_batch_id, restriction_set_id,
    next_hold_expiry, replaced_by, limit_set_id, counted_on, day_load_minor, day_loads,
    day_spend_minor, day_spends
FROM card
WHERE card_id = ANY(%(card_ids)s::bigint[])
ORDER BY card_id
FOR UPDATE SKIP LOCKED;

-- name: lock_cards
-- Lock cards named either way, all in the order of card_id, each once.
-- Indexes: card_number_index_key and card_pkey, joined by a BitmapOr.
SELECT
    card_id, program_id, product_id, number_index, last_four, state, block_reason,
    currency, balance_minor, held_minor, unconfirmed_minor, load_count, expires_on,
    version, last_transaction_at, loaded_minor, issue_batch_id, restriction_set_id,
    next_hold_expiry, replaced_by, limit_set_id, counted_on, day_load_minor, day_loads,
    day_spend_minor, day_spends
FROM card
WHERE
    number_index = ANY(%(indexes)s::bytea[])
    OR card_id = ANY(%(card_ids)s::bigint[])
ORDER BY card_id
FOR UPDATE;

-- name: lock_terminals
-- Lock what terminals did that count, after the cards and in the order of terminal_id.
-- Index: terminal_use_pkey.
SELECT terminal_id, counted_on, load_minor, loads, spend_minor, spends
FROM terminal_use
WHERE terminal_id = ANY(%(terminal_ids)s::bigint[])
ORDER BY terminal_id
FOR UPDATE;

-- name: claim_keys
-- Claim request keys, in the order given; those that are returned were won. Waits for
-- whoever claims the same key now. Index: request_key_pkey.
INSERT INTO request_key (
    terminal_id, request_id, transaction_id, fingerprint_key_id, fingerprint
)
SELECT
    unnest(%(terminal_ids)s::bigint[]),
    unnest(%(request_ids)s::uuid[]),
    unnest(%(transaction_ids)s::uuid[]),
    unnest(%(fingerprint_key_ids)s::bigint[]),
    unnest(%(fingerprints)s::bytea[])
ON CONFLICT (terminal_id, request_id) DO NOTHING
RETURNING terminal_id, request_id;

-- name: card_pins
-- Read what is kept of PINs, and their wrong tries: a row for each channel, or one
-- without. Their cards are locked by a statement before, and whoever counts a try locks
-- the card first. Indexes: card_number_index_key and card_pkey, joined by a BitmapOr,
-- card_pin_pkey, card_pin_try_pkey.
SELECT
    p.card_id, p.key_id, p.tag, t.channel, t.tries, t.last_tried_at, t.wrong_total
FROM card AS c
INNER JOIN card_pin AS p USING (card_id)
LEFT JOIN card_pin_try AS t USING (card_id)
WHERE
    c.number_index = ANY(%(indexes)s::bytea[])
    OR c.card_id = ANY(%(card_ids)s::bigint[]);

-- name: batch_moment
-- Read the batch's clock, then the version of the policy. No index: two single rows.
SELECT clock, policy_version FROM batch_moment_v1();

-- name: cards_of
-- Tell which cards the requests of these keys are about, and which took their places or
-- those of the cards named, without a lock.
-- Indexes: request_key_pkey, transaction_pkey, card_pkey.
WITH RECURSIVE about (card_id) AS (
    SELECT t.card_id
    FROM
        (
            SELECT
                unnest(%(terminal_ids)s::bigint[]) AS terminal_id,
                unnest(%(request_ids)s::uuid[]) AS request_id
        ) AS asked
    INNER JOIN request_key AS k USING (terminal_id, request_id)
    INNER JOIN transaction AS t USING (transaction_id)
    WHERE t.card_id IS NOT NULL
    UNION
    SELECT unnest(%(card_ids)s::bigint[])
    UNION
    SELECT c.replaced_by
    FROM about
    INNER JOIN card AS c USING (card_id)
    WHERE c.replaced_by IS NOT NULL
)

SELECT card_id FROM about;

-- name: stored_requests
-- Read what is kept under request keys: the key's fingerprint, what undid the
-- transaction (4 a reversal, 8 a void), whether it was confirmed, for an approved Activate what followed it on its
-- card (approved, not undone, undoing nothing; at most 257), what its refunds come to
-- that were not undone, what it made of a hold, and the transaction.
-- Indexes: request_key_pkey, transaction_pkey, transaction_effective_reversal_key,
-- transaction_confirm_key, transaction_card_seq_key, transaction_refund_idx,
-- hold_step_pkey.
SELECT
    k.terminal_id,
    k.request_id,
    k.fingerprint_key_id,
    k.fingerprint,
    (
        SELECT r.activity FROM transaction AS r
        WHERE
            r.original_transaction_id = t.transaction_id
            AND r.effective AND r.activity <> 19
    ) AS undone_by,
    (
        SELECT r.activity FROM transaction AS r
        WHERE
            r.original_transaction_id = t.transaction_id
            AND r.effective AND r.activity = 19
    ) AS confirmed_by,
    CASE
        WHEN t.activity = 1 AND t.result <= 2 THEN ARRAY(
            SELECT later.transaction_id
            FROM transaction AS later
            WHERE
                later.card_id = t.card_id
                AND later.card_seq > t.card_seq
                AND later.result <= 2
                AND later.activity NOT IN (4, 8, 11, 12, 13, 19, 20)
                -- Not NOT EXISTS: a plan made on an empty table would join all reversals.
                AND (
                    SELECT r.transaction_id FROM transaction AS r
                    WHERE
                        r.original_transaction_id = later.transaction_id
                        AND r.effective AND r.activity <> 19
                ) IS NULL
            ORDER BY later.card_seq
            LIMIT 257
        )
        ELSE '{}'
    END AS later_activity,
    refunds.approved_minor AS refunded_minor,
    refunds.card_minor AS refunded_card_minor,
    step.transaction_id AS step_transaction_id, step.hold_id, step.held_change_minor,
    step.state, step.currency, step.authorized_minor, step.captured_minor,
    step.held_minor, step.expires_at,
    t.transaction_id, t.terminal_id, t.request_id, t.activity, t.result,
    t.merchant_id, t.store_id, t.program_id, t.card_id, t.card_number_index,
    t.card_last_four, t.card_seq, t.card_state, t.expires_on,
    t.original_transaction_id, t.effective, t.reason, t.requested_minor,
    t.requested_exponent, t.transaction_currency, t.approved_minor, t.card_minor,
    t.card_currency, t.rate_transaction, t.rate_card, t.applied_rate,
    t.rate_table_version, t.rate_effective_from, t.rounding, t.markup_bps,
    t.available_before_minor, t.available_after_minor, t.balance_before_minor,
    t.balance_after_minor, t.held_after_minor, t.balances_shown, t.host_time,
    t.business_date, t.batch_no, t.policy_version, t.approval_code,
    t.merchant_reference, t.cashier_id, t.entry_mode, t.local_time,
    t.system_trace_no, t.terminal_batch_no, t.refusal, t.restriction_version_id,
    t.refusal_hours, t.channel, t.actor, t.offline, t.unconfirmed, t.seen,
    t.limit_kind, t.limit_value, t.limit_window_s, t.limit_version_id, t.terminal_minor
FROM
    (
        SELECT
            unnest(%(terminal_ids)s::bigint[]) AS terminal_id,
            unnest(%(request_ids)s::uuid[]) AS request_id
    ) AS asked
INNER JOIN request_key AS k USING (terminal_id, request_id)
INNER JOIN transaction AS t USING (transaction_id)
LEFT JOIN hold_step AS step ON t.transaction_id = step.transaction_id
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(f.approved_minor), 0)::bigint AS approved_minor,
        coalesce(sum(f.card_minor), 0)::bigint AS card_minor
    FROM transaction AS f
    WHERE
        f.original_transaction_id = t.transaction_id
        AND f.activity = 7
        AND f.result = 1
        AND (
            SELECT r.transaction_id FROM transaction AS r
            WHERE
                r.original_transaction_id = f.transaction_id
                AND r.effective AND r.activity <> 19
        ) IS NULL
) AS refunds;

-- name: holds_named
-- Read the holds that the requests of these keys placed or changed.
-- Indexes: request_key_pkey, hold_step_pkey, hold_pkey.
SELECT DISTINCT
    h.hold_id, h.card_id, h.terminal_id, h.state, h.currency, h.authorized_minor,
    h.card_minor, h.captured_minor, h.captured_card_minor, h.rate_transaction,
    h.rate_card, h.applied_rate, h.rate_table_version, h.rate_effective_from,
    h.expires_at, (
        SELECT t.host_time FROM transaction AS t
        WHERE t.transaction_id = h.hold_id AND t.card_id = h.card_id
    ) AS placed_at
FROM
    (
        SELECT
            unnest(%(terminal_ids)s::bigint[]) AS terminal_id,
            unnest(%(request_ids)s::uuid[]) AS request_id
    ) AS asked
INNER JOIN request_key AS k USING (terminal_id, request_id)
INNER JOIN hold_step AS step USING (transaction_id)
INNER JOIN hold AS h ON step.hold_id = h.hold_id;

-- name: holds_open
-- Read the open holds of cards. Index: hold_open_card_idx.
SELECT
    h.hold_id, h.card_id, h.terminal_id, h.state, h.currency, h.authorized_minor,
    h.card_minor, h.captured_minor, h.captured_card_minor, h.rate_transaction,
    h.rate_card, h.applied_rate, h.rate_table_version, h.rate_effective_from,
    h.expires_at, (
        SELECT t.host_time FROM transaction AS t
        WHERE t.transaction_id = h.hold_id AND t.card_id = h.card_id
    ) AS placed_at
FROM hold AS h
WHERE h.card_id = ANY(%(card_ids)s::bigint[]) AND h.state = 1;

-- name: recent_uses
-- Read the loads and sales of cards since moments. Index: transaction_card_seq_key.
SELECT card_id, transaction_id, flow, used_at
FROM recent_uses_v1(%(card_ids)s::bigint[], %(moments)s::timestamptz[]);
