-- What explains a transaction: itself, what it names, and the cards it was about.

-- name: explained_transactions
-- Read transactions by their ids. Index: transaction_pkey.
SELECT
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
FROM transaction AS t
WHERE t.transaction_id = ANY(%(transaction_ids)s::uuid[]);

-- name: explained_seconds
-- Read what transactions wrote on a second card, by that card and its number there.
-- Index: transaction_card_seq_key.
SELECT
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
            unnest(%(card_ids)s::bigint[]) AS card_id,
            unnest(%(card_seqs)s::bigint[]) AS card_seq
    ) AS asked
INNER JOIN transaction AS t USING (card_id, card_seq);

-- name: explained_cards
-- Read cards by their ids, for what never changes of them. Index: card_pkey.
SELECT
    card_id, program_id, product_id, number_index, last_four, state, block_reason,
    currency, balance_minor, held_minor, unconfirmed_minor, load_count, expires_on,
    version, last_transaction_at, loaded_minor, issue_batch_id, restriction_set_id,
    next_hold_expiry, replaced_by, limit_set_id
FROM card
WHERE card_id = ANY(%(card_ids)s::bigint[]);
