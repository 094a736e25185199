-- What a batch decided, written set by set: one array for each column. `unnest` stands in
-- the SELECT list, where Postgres reads all arrays in step; in FROM it would first store
-- each of them on its own.

-- name: insert_transactions
-- Record the requests and their outcomes. Indexes: those of the table are written.
INSERT INTO transaction (
    transaction_id, terminal_id, request_id, activity, result, merchant_id,
    store_id, program_id, card_id, card_number_index, card_last_four, card_seq,
    card_state, expires_on, original_transaction_id, effective, reason,
    requested_minor, requested_exponent, transaction_currency, approved_minor,
    card_minor, card_currency, rate_transaction, rate_card, applied_rate,
    rate_table_version, rate_effective_from, rounding, markup_bps,
    available_before_minor, available_after_minor, balance_before_minor,
    balance_after_minor, held_after_minor, balances_shown, host_time,
    business_date, batch_no, policy_version, approval_code, merchant_reference,
    cashier_id, entry_mode, local_time, system_trace_no, terminal_batch_no,
    refusal, restriction_version_id, refusal_hours, channel, actor, offline,
    unconfirmed, seen, limit_kind, limit_value, limit_window_s, limit_version_id,
    terminal_minor
)
SELECT
    unnest(%(transaction_id)s::uuid[]),
    unnest(%(terminal_id)s::bigint[]),
    unnest(%(request_id)s::uuid[]),
    unnest(%(activity)s::smallint[]),
    unnest(%(result)s::smallint[]),
    unnest(%(merchant_id)s::bigint[]),
    unnest(%(store_id)s::bigint[]),
    unnest(%(program_id)s::bigint[]),
    unnest(%(card_id)s::bigint[]),
    unnest(%(card_number_index)s::bytea[]),
    unnest(%(card_last_four)s::text[]),
    unnest(%(card_seq)s::bigint[]),
    unnest(%(card_state)s::smallint[]),
    unnest(%(expires_on)s::date[]),
    unnest(%(original_transaction_id)s::uuid[]),
    unnest(%(effective)s::boolean[]),
    unnest(%(reason)s::smallint[]),
    unnest(%(requested_minor)s::bigint[]),
    unnest(%(requested_exponent)s::bigint[]),
    unnest(%(transaction_currency)s::text[]),
    unnest(%(approved_minor)s::bigint[]),
    unnest(%(card_minor)s::bigint[]),
    unnest(%(card_currency)s::text[]),
    unnest(%(rate_transaction)s::numeric[]),
    unnest(%(rate_card)s::numeric[]),
    unnest(%(applied_rate)s::numeric[]),
    unnest(%(rate_table_version)s::bigint[]),
    unnest(%(rate_effective_from)s::timestamptz[]),
    unnest(%(rounding)s::numeric[]),
    unnest(%(markup_bps)s::smallint[]),
    unnest(%(available_before_minor)s::bigint[]),
    unnest(%(available_after_minor)s::bigint[]),
    unnest(%(balance_before_minor)s::bigint[]),
    unnest(%(balance_after_minor)s::bigint[]),
    unnest(%(held_after_minor)s::bigint[]),
    unnest(%(balances_shown)s::boolean[]),
    unnest(%(host_time)s::timestamptz[]),
    unnest(%(business_date)s::date[]),
    unnest(%(batch_no)s::bigint[]),
    unnest(%(policy_version)s::bigint[]),
    unnest(%(approval_code)s::text[]),
    unnest(%(merchant_reference)s::text[]),
    unnest(%(cashier_id)s::text[]),
    unnest(%(entry_mode)s::smallint[]),
    unnest(%(local_time)s::text[]),
    unnest(%(system_trace_no)s::text[]),
    unnest(%(terminal_batch_no)s::text[]),
    unnest(%(refusal)s::smallint[]),
    unnest(%(restriction_version_id)s::bigint[]),
    unnest(%(refusal_hours)s::text[]),
    unnest(%(channel)s::smallint[]),
    unnest(%(actor)s::text[]),
    unnest(%(offline)s::boolean[]),
    unnest(%(unconfirmed)s::boolean[]),
    unnest(%(seen)s::bytea[]),
    unnest(%(limit_kind)s::smallint[]),
    unnest(%(limit_value)s::bigint[]),
    unnest(%(limit_window_s)s::bigint[]),
    unnest(%(limit_version_id)s::bigint[]),
    unnest(%(terminal_minor)s::bigint[]);

-- name: insert_postings
-- Record the double entry; a trigger sums it. Indexes: posting_pkey is written.
INSERT INTO posting (
    transaction_id, line, card_id, account, owner_id, currency, amount_minor
)
SELECT
    unnest(%(transaction_ids)s::uuid[]),
    unnest(%(lines)s::smallint[]),
    unnest(%(card_ids)s::bigint[]),
    unnest(%(accounts)s::smallint[]),
    unnest(%(owner_ids)s::bigint[]),
    unnest(%(currencies)s::text[]),
    unnest(%(amounts_minor)s::bigint[]);

-- name: update_cards
-- Change the cards' rows, each only from the version that was locked and never to an
-- earlier day; fails if one of them is not as it was. Index: card_pkey.
WITH changed AS (
    UPDATE card SET
        state = next.state,
        block_reason = next.block_reason,
        balance_minor = next.balance_minor,
        held_minor = next.held_minor,
        unconfirmed_minor = next.unconfirmed_minor,
        load_count = next.load_count,
        expires_on = next.expires_on,
        version = next.version,
        last_transaction_at = next.last_transaction_at,
        loaded_minor = next.loaded_minor,
        next_hold_expiry = next.next_hold_expiry,
        replaced_by = next.replaced_by,
        counted_on = next.counted_on,
        day_load_minor = next.day_load_minor,
        day_loads = next.day_loads,
        day_spend_minor = next.day_spend_minor,
        day_spends = next.day_spends
    FROM (
        SELECT
            unnest(%(card_ids)s::bigint[]) AS card_id,
            unnest(%(locked_versions)s::bigint[]) AS locked_version,
            unnest(%(states)s::smallint[]) AS state,
            unnest(%(block_reasons)s::smallint[]) AS block_reason,
            unnest(%(balances_minor)s::bigint[]) AS balance_minor,
            unnest(%(held_minor)s::bigint[]) AS held_minor,
            unnest(%(unconfirmed_minor)s::bigint[]) AS unconfirmed_minor,
            unnest(%(load_counts)s::bigint[]) AS load_count,
            unnest(%(expire_on)s::date[]) AS expires_on,
            unnest(%(versions)s::bigint[]) AS version,
            unnest(%(moments)s::timestamptz[]) AS last_transaction_at,
            unnest(%(loaded_minor)s::bigint[]) AS loaded_minor,
            unnest(%(next_hold_expiries)s::timestamptz[]) AS next_hold_expiry,
            unnest(%(replaced_by)s::bigint[]) AS replaced_by,
            unnest(%(counted_on)s::date[]) AS counted_on,
            unnest(%(day_load_minor)s::bigint[]) AS day_load_minor,
            unnest(%(day_loads)s::bigint[]) AS day_loads,
            unnest(%(day_spend_minor)s::bigint[]) AS day_spend_minor,
            unnest(%(day_spends)s::bigint[]) AS day_spends
    ) AS next
    WHERE
        card.card_id = next.card_id
        AND card.version = next.locked_version
        AND (card.counted_on IS NULL OR card.counted_on <= next.counted_on)
    RETURNING card.card_id
)
SELECT require_rows_v1(count(*), cardinality(%(card_ids)s::bigint[])) FROM changed;

-- name: write_holds
-- Place holds, and change open ones; fails if one of them had ended. Index: hold_pkey.
WITH written AS (
    INSERT INTO hold (
        hold_id, card_id, terminal_id, state, currency, authorized_minor, card_minor,
        captured_minor, captured_card_minor, rate_transaction, rate_card, applied_rate,
        rate_table_version, rate_effective_from, expires_at
    )
    SELECT
        unnest(%(hold_id)s::uuid[]),
        unnest(%(card_id)s::bigint[]),
        unnest(%(terminal_id)s::bigint[]),
        unnest(%(state)s::smallint[]),
        unnest(%(currency)s::text[]),
        unnest(%(authorized_minor)s::bigint[]),
        unnest(%(card_minor)s::bigint[]),
        unnest(%(captured_minor)s::bigint[]),
        unnest(%(captured_card_minor)s::bigint[]),
        unnest(%(rate_transaction)s::numeric[]),
        unnest(%(rate_card)s::numeric[]),
        unnest(%(applied_rate)s::numeric[]),
        unnest(%(rate_table_version)s::bigint[]),
        unnest(%(rate_effective_from)s::timestamptz[]),
        unnest(%(expires_at)s::timestamptz[])
    ON CONFLICT (hold_id) DO UPDATE SET
        card_id = excluded.card_id,
        state = excluded.state,
        authorized_minor = excluded.authorized_minor,
        card_minor = excluded.card_minor,
        captured_minor = excluded.captured_minor,
        captured_card_minor = excluded.captured_card_minor
    WHERE hold.state = 1
    RETURNING hold.hold_id
)
SELECT require_rows_v1(count(*), cardinality(%(hold_id)s::uuid[])) FROM written;

-- name: insert_hold_steps
-- Record what became of holds. Indexes: those of the table are written.
INSERT INTO hold_step (
    transaction_id, hold_id, held_change_minor, state, currency, authorized_minor,
    captured_minor, held_minor, expires_at
)
SELECT
    unnest(%(transaction_ids)s::uuid[]),
    unnest(%(hold_ids)s::uuid[]),
    unnest(%(held_changes_minor)s::bigint[]),
    unnest(%(states)s::smallint[]),
    unnest(%(currencies)s::text[]),
    unnest(%(authorized_minor)s::bigint[]),
    unnest(%(captured_minor)s::bigint[]),
    unnest(%(held_minor)s::bigint[]),
    unnest(%(expire_at)s::timestamptz[]);

-- name: insert_exceptions
-- Keep what people must look at, each kind once for a transaction.
-- Index: exception_item_pkey.
INSERT INTO exception_item (
    transaction_id, kind, opened_by, reason, store_id, amount_minor, currency, opened_at
)
SELECT
    unnest(%(transaction_id)s::uuid[]),
    unnest(%(kind)s::smallint[]),
    unnest(%(opened_by)s::uuid[]),
    unnest(%(reason)s::smallint[]),
    unnest(%(store_id)s::bigint[]),
    unnest(%(amount_minor)s::bigint[]),
    unnest(%(currency)s::text[]),
    unnest(%(opened_at)s::timestamptz[])
ON CONFLICT (transaction_id, kind) DO NOTHING;

-- name: update_terminals
-- Write what terminals did that count; their rows are locked, and none goes back to an
-- earlier day. Index: terminal_use_pkey.
WITH changed AS (
    UPDATE terminal_use SET
        counted_on = next.counted_on,
        load_minor = next.load_minor,
        loads = next.loads,
        spend_minor = next.spend_minor,
        spends = next.spends
    FROM (
        SELECT
            unnest(%(terminal_ids)s::bigint[]) AS terminal_id,
            unnest(%(counted_on)s::date[]) AS counted_on,
            unnest(%(load_minor)s::bigint[]) AS load_minor,
            unnest(%(loads)s::bigint[]) AS loads,
            unnest(%(spend_minor)s::bigint[]) AS spend_minor,
            unnest(%(spends)s::bigint[]) AS spends
    ) AS next
    WHERE
        terminal_use.terminal_id = next.terminal_id
        AND (
            terminal_use.counted_on IS NULL
            OR terminal_use.counted_on <= next.counted_on
        )
    RETURNING terminal_use.terminal_id
)
SELECT require_rows_v1(count(*), cardinality(%(terminal_ids)s::bigint[])) FROM changed;

-- name: write_pin_tries
-- Count wrong PINs, or forgive them; fails if fewer were ever wrong than are known.
-- Index: card_pin_try_pkey.
WITH written AS (
    INSERT INTO card_pin_try (card_id, channel, tries, last_tried_at, wrong_total)
    SELECT
        unnest(%(card_ids)s::bigint[]),
        unnest(%(channels)s::smallint[]),
        unnest(%(tries)s::smallint[]),
        unnest(%(last_tried_at)s::timestamptz[]),
        unnest(%(wrong_totals)s::bigint[])
    ON CONFLICT (card_id, channel) DO UPDATE SET
        tries = excluded.tries,
        last_tried_at = excluded.last_tried_at,
        wrong_total = excluded.wrong_total
    WHERE card_pin_try.wrong_total <= excluded.wrong_total
    RETURNING card_pin_try.card_id
)
SELECT require_rows_v1(count(*), cardinality(%(card_ids)s::bigint[])) FROM written;
