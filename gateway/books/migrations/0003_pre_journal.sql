-- What was asked, what was answered, and the double entry. Inserted, never changed.

-- The order of the columns is that of TransactionRecord in gateway/domain/record.py.
CREATE TABLE transaction (
    transaction_id uuid CONSTRAINT transaction_pkey PRIMARY KEY,
    terminal_id bigint NOT NULL,
    request_id uuid NOT NULL,
    -- 1 ACTIVATE, 2 LOAD, 3 REDEEM, 4 REVERSAL (5 BALANCE is never recorded)
    activity smallint NOT NULL CHECK (activity BETWEEN 1 AND 4),
    -- gateway/domain/results.py; 24 DUPLICATE is never recorded
    result smallint NOT NULL CHECK (result BETWEEN 1 AND 23),
    merchant_id bigint NOT NULL,
    store_id bigint NOT NULL,
    program_id bigint,
    card_id bigint,
    card_number_index bytea CHECK (octet_length(card_number_index) = 32),
    card_last_four text CHECK (char_length(card_last_four) <= 4),
    card_seq bigint CHECK (card_seq >= 1),
    card_state smallint CHECK (card_state BETWEEN 1 AND 7),
    expires_on date,
    original_transaction_id uuid,
    effective boolean,
    reason smallint,
    requested_minor bigint,
    requested_exponent bigint,
    transaction_currency char(3) CHECK (octet_length(transaction_currency) = 3),
    approved_minor bigint NOT NULL
    CHECK (approved_minor BETWEEN 0 AND 1000000000000000),
    card_minor bigint NOT NULL CHECK (card_minor BETWEEN 0 AND 1000000000000000),
    card_currency char(3) CHECK (octet_length(card_currency) = 3),
    rate_transaction numeric(20, 12) CHECK (rate_transaction > 0),
    rate_card numeric(20, 12) CHECK (rate_card > 0),
    applied_rate numeric(34, 12) CHECK (applied_rate >= 0),
    rate_table_version bigint CHECK (rate_table_version >= 0),
    rate_effective_from timestamptz,
    -- Units of the card's currency: at most half a minor unit.
    rounding numeric CHECK (rounding BETWEEN -0.5 AND 0.5),
    markup_bps smallint NOT NULL CHECK (markup_bps BETWEEN 0 AND 10000),
    available_before_minor bigint CHECK (available_before_minor >= 0),
    available_after_minor bigint CHECK (available_after_minor >= 0),
    balance_before_minor bigint CHECK (balance_before_minor >= 0),
    balance_after_minor bigint CHECK (balance_after_minor >= 0),
    held_after_minor bigint CHECK (held_after_minor >= 0),
    balances_shown boolean NOT NULL,
    host_time timestamptz NOT NULL,
    business_date date NOT NULL,
    batch_no bigint NOT NULL CHECK (batch_no >= 1),
    policy_version bigint NOT NULL CHECK (policy_version >= 1),
    approval_code text CHECK (char_length(approval_code) <= 16),
    merchant_reference text CHECK (char_length(merchant_reference) <= 64),
    cashier_id text CHECK (char_length(cashier_id) <= 64),
    entry_mode smallint CHECK (entry_mode BETWEEN 0 AND 99),
    local_time text CHECK (char_length(local_time) <= 64),
    system_trace_no text CHECK (char_length(system_trace_no) <= 16),
    terminal_batch_no text CHECK (char_length(terminal_batch_no) <= 64),
    -- A decline moves nothing.
    CONSTRAINT transaction_decline_check CHECK (
        result <= 2 OR (approved_minor = 0 AND card_minor = 0)
    ),
    -- Only an approved reversal can have undone something.
    CONSTRAINT transaction_effective_check CHECK (
        effective IS NULL
        OR (
            activity = 4 AND result = 1
            AND (original_transaction_id IS NOT NULL OR NOT effective)
        )
    ),
    -- What changes a card's row says which card, and from what to what.
    CONSTRAINT transaction_card_check CHECK (
        CASE
            WHEN card_seq IS NOT NULL THEN num_nulls(
                card_id, program_id, card_currency, card_state,
                balance_before_minor, balance_after_minor,
                available_before_minor, available_after_minor, held_after_minor
            ) = 0
            ELSE card_minor = 0 AND effective IS NOT TRUE
        END
    ),
    -- The record of a conversion is whole or absent.
    CONSTRAINT transaction_rates_check CHECK (
        num_nulls(
            rate_transaction, rate_card, applied_rate,
            rate_table_version, rate_effective_from, rounding
        ) IN (0, 6)
    )
);

-- The history of a card, and the proof that each change of its row was written once.
CREATE UNIQUE INDEX transaction_card_seq_key ON transaction (card_id, card_seq)
WHERE card_seq IS NOT NULL;

-- What is undone is undone once.
CREATE UNIQUE INDEX transaction_effective_reversal_key
ON transaction (original_transaction_id)
WHERE effective;

-- A debit is positive, a credit negative. Accounts: 1 CARD_LIABILITY,
-- 2 MERCHANT_PAYABLE, 3 MERCHANT_RECEIVABLE, 4 FX_CLEARING, 5 FX_ROUNDING,
-- 6 BREAKAGE, 7 FEES, 8 ADJUSTMENTS. The owner is the programme of 1 and 4, the
-- merchant of 2 and 3.
CREATE TABLE posting (
    transaction_id uuid NOT NULL,
    card_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    amount_minor bigint NOT NULL CHECK (
        amount_minor <> 0
        AND amount_minor BETWEEN -1000000000000000 AND 1000000000000000
    ),
    line smallint NOT NULL CHECK (line BETWEEN 1 AND 99),
    account smallint NOT NULL CHECK (account BETWEEN 1 AND 8),
    currency char(3) NOT NULL CHECK (octet_length(currency) = 3),
    CONSTRAINT posting_pkey PRIMARY KEY (transaction_id, line)
);

-- Once a statement, over all its rows: the postings of a transaction are inserted
-- together, so they sum to zero in each currency at once.
CREATE FUNCTION refuse_unbalanced_postings() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT p.transaction_id, p.currency, sum(p.amount_minor) AS amount_minor
    INTO wrong
    FROM added AS p
    GROUP BY p.transaction_id, p.currency
    HAVING sum(p.amount_minor) <> 0
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            CONSTRAINT = 'posting_balance_check',
            TABLE = 'posting',
            MESSAGE = format(
                'the postings of %s sum to %s in %s',
                wrong.transaction_id, wrong.amount_minor, wrong.currency
            );
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER posting_balanced
AFTER INSERT ON posting
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced_postings();

-- One request, one outcome. Without a fingerprint it is a tombstone: the reversal that
-- left it came first, and the request will never be recorded.
CREATE TABLE request_key (
    terminal_id bigint NOT NULL,
    request_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    fingerprint_key_id bigint,
    fingerprint bytea CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT request_key_pkey PRIMARY KEY (terminal_id, request_id),
    -- A claim never commits without its outcome.
    CONSTRAINT request_key_transaction_fkey FOREIGN KEY (transaction_id)
    REFERENCES transaction DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT request_key_tombstone_check CHECK (
        (fingerprint IS NULL) = (fingerprint_key_id IS NULL)
    )
);

-- What a statement is stopped with that changed fewer rows than it was given.
CREATE FUNCTION require_rows_v1(changed bigint, wanted bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    IF changed <> wanted THEN
        RAISE EXCEPTION USING
            ERRCODE = 'SC001',
            MESSAGE = format('%s rows were changed, not %s', changed, wanted);
    END IF;
END
$$;
