-- Give every pending card of the benchmark its first money: the rows that Activate with
-- an initial amount writes, set by set, so that the books stay clean.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE OR REPLACE FUNCTION bench.fund(p_terminal bigint, p_amount bigint, p_limit bigint)
RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    funded bigint;
BEGIN
    CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
    SELECT
        c.card_id, c.program_id, c.currency, c.last_four, c.version,
        uuidv7() AS transaction_id, gen_random_uuid() AS request_id,
        t.terminal_id, s.store_id, s.merchant_id, public.scrip_clock() AS moment
    FROM public.card AS c
    CROSS JOIN public.terminal AS t
    INNER JOIN public.store AS s USING (store_id)
    WHERE c.state = 2 AND t.terminal_id = p_terminal
    LIMIT p_limit;

    INSERT INTO public.transaction (
        transaction_id, terminal_id, request_id, activity, result, merchant_id, store_id,
        program_id, card_id, card_last_four, card_seq, card_state, requested_minor,
        requested_exponent, transaction_currency, approved_minor, card_minor,
        card_currency, markup_bps, available_before_minor, available_after_minor,
        balance_before_minor, balance_after_minor, held_after_minor, balances_shown,
        host_time, business_date, batch_no, policy_version, approval_code
    )
    SELECT
        transaction_id, terminal_id, request_id, 1, 1, merchant_id, store_id,
        program_id, card_id, last_four, version + 1, 3, p_amount,
        2, currency, p_amount, p_amount,
        currency, 0, 0, p_amount,
        0, p_amount, 0, true,
        moment, moment::date, 1, 1, 'ABC234'
    FROM batch;

    INSERT INTO public.request_key (
        terminal_id, request_id, fingerprint, fingerprint_key_id, transaction_id
    )
    SELECT
        terminal_id, request_id, decode(repeat('ab', 32), 'hex'), 1, transaction_id
    FROM batch;

    INSERT INTO public.posting (
        transaction_id, line, card_id, account, owner_id, currency, amount_minor
    )
    SELECT transaction_id, 1, card_id, 1, program_id, currency, -p_amount FROM batch
    UNION ALL
    SELECT transaction_id, 2, card_id, 3, merchant_id, currency, p_amount FROM batch;

    UPDATE public.card AS c
    SET
        state = 3, balance_minor = p_amount, load_count = 1, version = b.version + 1,
        last_transaction_at = b.moment, loaded_minor = p_amount,
        counted_on = (b.moment AT TIME ZONE p.time_zone)::date,
        day_load_minor = p_amount, day_loads = 1
    FROM batch AS b
    INNER JOIN public.program AS p USING (program_id)
    WHERE c.card_id = b.card_id;
    GET DIAGNOSTICS funded = ROW_COUNT;
    DROP TABLE batch;
    RETURN funded;
END
$$;
