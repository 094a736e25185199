-- The limit to beat: one stored-function transaction per redemption, the same rows into
-- the same schema, the same durability. What Postgres does one commit at a time.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE OR REPLACE FUNCTION bench.redeem(
    p_card bigint, p_request uuid, p_terminal bigint, p_merchant bigint, p_store bigint
) RETURNS smallint
LANGUAGE plpgsql
AS $$
DECLARE
    made uuid := uuidv7();
    seen public.card;
    known uuid;
    moment timestamptz;
BEGIN
    SELECT * INTO seen FROM public.card WHERE card_id = p_card FOR UPDATE;
    SELECT transaction_id INTO known FROM public.request_key
    WHERE terminal_id = p_terminal AND request_id = p_request;
    IF FOUND THEN
        RETURN 1;
    END IF;
    moment := greatest(public.scrip_clock(), seen.last_transaction_at);
    IF seen.balance_minor - seen.held_minor - seen.unconfirmed_minor < 1 THEN
        RETURN 14;
    END IF;
    INSERT INTO public.request_key (
        terminal_id, request_id, fingerprint, fingerprint_key_id, transaction_id
    ) VALUES (
        p_terminal, p_request, decode(repeat('ab', 32), 'hex'), 1, made
    );
    INSERT INTO public.transaction (
        transaction_id, terminal_id, request_id, activity, result, merchant_id, store_id,
        program_id, card_id, card_last_four, card_seq, card_state, requested_minor,
        requested_exponent, transaction_currency, approved_minor, card_minor,
        card_currency, markup_bps, available_before_minor, available_after_minor,
        balance_before_minor, balance_after_minor, held_after_minor, balances_shown,
        host_time, business_date, batch_no, policy_version, approval_code
    ) VALUES (
        made, p_terminal, p_request, 3, 1, p_merchant, p_store,
        seen.program_id, p_card, seen.last_four, seen.version + 1, seen.state, 1,
        2, seen.currency, 1, 1,
        seen.currency, 0, seen.balance_minor, seen.balance_minor - 1,
        seen.balance_minor, seen.balance_minor - 1, seen.held_minor, true,
        moment, moment::date, 1, 1, 'ABC234'
    );
    INSERT INTO public.posting (
        transaction_id, line, card_id, account, owner_id, currency, amount_minor
    ) VALUES
    (made, 1, p_card, 1, seen.program_id, seen.currency, 1),
    (made, 2, p_card, 2, p_merchant, seen.currency, -1);
    UPDATE public.card
    SET balance_minor = balance_minor - 1, version = version + 1,
        last_transaction_at = moment
    WHERE card_id = p_card;
    RETURN 1;
END
$$;
