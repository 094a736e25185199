-- Place a hold on each of these cards: the rows that Authorize writes, set by set, through
-- the walls of the schema, so that the books stay clean.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE OR REPLACE FUNCTION bench.place_holds(
    p_first bigint, p_last bigint, p_amount bigint, p_start timestamptz, p_spread interval
) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    placed bigint;
BEGIN
    CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
    SELECT
        c.card_id, c.program_id, c.currency, c.last_four, c.version, c.state,
        c.balance_minor, c.held_minor, c.expires_on,
        uuidv7() AS transaction_id, gen_random_uuid() AS request_id,
        t.terminal_id, s.store_id, s.merchant_id,
        greatest(public.scrip_clock(), c.last_transaction_at) AS moment, p.time_zone,
        p_start + random() * p_spread AS expires_at
    FROM public.card AS c
    INNER JOIN public.program AS p USING (program_id)
    CROSS JOIN public.terminal AS t
    INNER JOIN public.store AS s USING (store_id)
    WHERE c.card_id BETWEEN p_first AND p_last;

    INSERT INTO public.transaction (
        transaction_id, terminal_id, request_id, activity, result, merchant_id, store_id,
        program_id, card_id, card_last_four, card_seq, card_state, expires_on,
        requested_minor, requested_exponent, transaction_currency, approved_minor,
        card_minor, card_currency, markup_bps, available_before_minor,
        available_after_minor, balance_before_minor, balance_after_minor,
        held_after_minor, balances_shown, host_time, business_date, batch_no,
        policy_version, approval_code
    )
    SELECT
        transaction_id, terminal_id, request_id, 9, 1, merchant_id, store_id,
        program_id, card_id, last_four, version + 1, state, expires_on,
        p_amount, 2, currency, p_amount,
        p_amount, currency, 0, balance_minor - held_minor,
        balance_minor - held_minor - p_amount, balance_minor, balance_minor,
        held_minor + p_amount, true, moment, moment::date, 1,
        1, 'ABC234'
    FROM batch;

    INSERT INTO public.request_key (
        terminal_id, request_id, fingerprint, fingerprint_key_id, transaction_id
    )
    SELECT
        terminal_id, request_id, decode(repeat('ab', 32), 'hex'), 1, transaction_id
    FROM batch;

    INSERT INTO public.hold (
        hold_id, card_id, terminal_id, state, currency, authorized_minor, card_minor,
        captured_minor, captured_card_minor, expires_at
    )
    SELECT
        transaction_id, card_id, terminal_id, 1, currency, p_amount, p_amount,
        0, 0, expires_at
    FROM batch;

    INSERT INTO public.hold_step (
        transaction_id, hold_id, held_change_minor, state, currency, authorized_minor,
        captured_minor, held_minor, expires_at
    )
    SELECT
        transaction_id, transaction_id, p_amount, 1, currency, p_amount,
        0, p_amount, expires_at
    FROM batch;

    UPDATE public.card AS c
    SET
        held_minor = c.held_minor + p_amount, version = b.version + 1,
        -- A hold counts as a sale of its day; its end gives the amount back.
        counted_on = (b.moment AT TIME ZONE b.time_zone)::date,
        day_spend_minor = p_amount + CASE
            WHEN c.counted_on = (b.moment AT TIME ZONE b.time_zone)::date
                THEN c.day_spend_minor
            ELSE 0
        END,
        day_spends = 1 + CASE
            WHEN c.counted_on = (b.moment AT TIME ZONE b.time_zone)::date
                THEN c.day_spends
            ELSE 0
        END,
        last_transaction_at = b.moment,
        next_hold_expiry = least(c.next_hold_expiry, b.expires_at)
    FROM batch AS b
    WHERE c.card_id = b.card_id;
    GET DIAGNOSTICS placed = ROW_COUNT;
    DROP TABLE batch;
    RETURN placed;
END
$$;
