-- Holds, cards that take another's place, and what a transaction tells from now on.
-- statement_timeout: 10min
--
-- It runs while no worker of the release before does, so it may look through tables as
-- it goes; what it drops comes back wider a line later.
-- squawk-ignore-file constraint-missing-not-valid, ban-drop-constraint
-- squawk-ignore-file adding-foreign-key-constraint, require-concurrent-index-creation
-- squawk-ignore-file require-concurrent-index-deletion, ban-drop-not-null

-- What a transaction came by, and who of the staff asked.
ALTER TABLE transaction
-- 1 API, 2 ADMIN, 3 IVR, 4 PORTAL, 5 SYSTEM, 6 FRAUD
ADD COLUMN channel smallint NOT NULL DEFAULT 1,
ADD COLUMN actor text,
-- A sale that was made before it was told (Advice).
ADD COLUMN offline boolean NOT NULL DEFAULT false,
-- Its terminal has still to confirm it.
ADD COLUMN unconfirmed boolean NOT NULL DEFAULT false,
-- What else the decision saw, for its explanation.
ADD COLUMN seen bytea;

ALTER TABLE transaction
ADD CONSTRAINT transaction_channel_check CHECK (channel BETWEEN 1 AND 6),
ADD CONSTRAINT transaction_actor_check CHECK (char_length(actor) <= 64),
ADD CONSTRAINT transaction_seen_check CHECK (octet_length(seen) <= 4096);

-- gateway/domain/results.py; 5 BALANCE and 24 DUPLICATE are never recorded.
ALTER TABLE transaction DROP CONSTRAINT transaction_activity_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_activity_check
CHECK (activity BETWEEN 1 AND 20 AND activity <> 5);
ALTER TABLE transaction DROP CONSTRAINT transaction_result_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_result_check
CHECK (result BETWEEN 1 AND 31 AND result <> 24);
ALTER TABLE card_product DROP CONSTRAINT card_product_permitted_check;
ALTER TABLE card_product ADD CONSTRAINT card_product_permitted_check CHECK (
    array_position(permitted, NULL) IS NULL
    AND permitted <@ ARRAY[
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20
    ]::smallint[]
);

-- Nobody asked for a release by time, and the second row of a transfer has the first's.
ALTER TABLE transaction ALTER COLUMN request_id DROP NOT NULL;
ALTER TABLE transaction ADD CONSTRAINT transaction_request_check
CHECK (request_id IS NOT NULL OR activity IN (11, 15));

-- 4 REVERSAL and 8 VOID undo; 17 and 18 carry an adjustment out; 19 CONFIRM confirms.
ALTER TABLE transaction DROP CONSTRAINT transaction_effective_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_effective_check CHECK (
    effective IS NULL
    OR (
        activity IN (4, 8, 17, 18, 19) AND result = 1
        AND (original_transaction_id IS NOT NULL OR NOT effective)
    )
);
DROP INDEX transaction_effective_reversal_key;
CREATE UNIQUE INDEX transaction_effective_reversal_key
ON transaction (original_transaction_id)
WHERE effective AND activity <> 19;

-- What is confirmed is confirmed once.
CREATE UNIQUE INDEX transaction_confirm_key ON transaction (original_transaction_id)
WHERE effective AND activity = 19;

-- 9 TRANSFERS: between the two rows of a transfer; the programme owns it.
ALTER TABLE posting DROP CONSTRAINT posting_account_check;
ALTER TABLE posting ADD CONSTRAINT posting_account_check
CHECK (account BETWEEN 1 AND 9);

-- The card that took over what a REPLACED one held.
ALTER TABLE card ADD COLUMN replaced_by bigint REFERENCES card;
ALTER TABLE card ADD CONSTRAINT card_replaced_check CHECK (
    (state = 7) = (replaced_by IS NOT NULL) AND replaced_by <> card_id
);

-- What is kept on a card for a later capture. Its state and amounts change while it is
-- open; once it is not, nothing does.
CREATE TABLE hold (
    -- The AUTHORIZE that placed it.
    hold_id uuid PRIMARY KEY REFERENCES transaction,
    card_id bigint NOT NULL REFERENCES card,
    terminal_id bigint NOT NULL REFERENCES terminal,
    -- 1 OPEN, 2 CAPTURED, 3 CANCELLED, 4 EXPIRED
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    authorized_minor bigint NOT NULL
    CHECK (authorized_minor BETWEEN 1 AND 1000000000000000),
    card_minor bigint NOT NULL CHECK (card_minor BETWEEN 1 AND 1000000000000000),
    captured_minor bigint NOT NULL
    CHECK (captured_minor BETWEEN 0 AND 1000000000000000),
    captured_card_minor bigint NOT NULL
    CHECK (captured_card_minor BETWEEN 0 AND 1000000000000000),
    rate_transaction numeric(20, 12) CHECK (rate_transaction > 0),
    rate_card numeric(20, 12) CHECK (rate_card > 0),
    applied_rate numeric(34, 12) CHECK (applied_rate >= 0),
    rate_table_version bigint CHECK (rate_table_version >= 0),
    rate_effective_from timestamptz,
    expires_at timestamptz NOT NULL,
    CONSTRAINT hold_rates_check CHECK (
        num_nulls(
            rate_transaction, rate_card, applied_rate, rate_table_version,
            rate_effective_from
        ) IN (0, 5)
    ),
    CONSTRAINT hold_captured_check CHECK (
        state = 1 OR (state = 2) = (captured_minor > 0) OR state IN (3, 4)
    )
);

CREATE INDEX hold_open_card_idx ON hold (card_id) WHERE state = 1;
CREATE INDEX hold_open_expiry_idx ON hold (expires_at) WHERE state = 1;

-- What each transaction made of a hold. Inserted, never changed.
CREATE TABLE hold_step (
    transaction_id uuid PRIMARY KEY REFERENCES transaction,
    hold_id uuid NOT NULL REFERENCES hold,
    -- What the card's held amount changed by.
    held_change_minor bigint NOT NULL,
    -- The hold after it.
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    currency char(3) NOT NULL,
    authorized_minor bigint NOT NULL,
    captured_minor bigint NOT NULL,
    held_minor bigint NOT NULL CHECK (held_minor >= 0 AND (state = 1 OR held_minor = 0)),
    expires_at timestamptz NOT NULL
);

CREATE INDEX hold_step_hold_idx ON hold_step (hold_id);
-- A hold ends once.
CREATE UNIQUE INDEX hold_step_end_key ON hold_step (hold_id) WHERE state <> 1;

CREATE FUNCTION refuse_ended_hold() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = 'hold_ended_check',
        TABLE = 'hold',
        MESSAGE = format('the hold %s has ended, or would become another', OLD.hold_id);
END
$$;
REVOKE ALL ON FUNCTION refuse_ended_hold() FROM public;

CREATE TRIGGER hold_ended
BEFORE UPDATE ON hold
FOR EACH ROW
WHEN (
    old.state <> 1
    OR new.hold_id <> old.hold_id
    OR new.terminal_id <> old.terminal_id
    OR new.currency <> old.currency
    OR new.captured_minor < old.captured_minor
    OR new.rate_transaction IS DISTINCT FROM old.rate_transaction
    OR new.rate_card IS DISTINCT FROM old.rate_card
)
EXECUTE FUNCTION refuse_ended_hold();

-- A capture is refunded like a sale; a confirmation undoes nothing.
CREATE OR REPLACE FUNCTION refuse_excess_refund() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
DECLARE
    refunded numeric;
    refundable numeric;
BEGIN
    SELECT sum(f.approved_minor) INTO refunded FROM transaction AS f
    WHERE f.original_transaction_id = NEW.original_transaction_id
        AND f.activity = 7 AND f.result = 1
        AND (
            SELECT u.transaction_id FROM transaction AS u
            WHERE u.original_transaction_id = f.transaction_id
                AND u.effective AND u.activity <> 19
        ) IS NULL;
    SELECT o.approved_minor INTO refundable FROM transaction AS o
    WHERE o.transaction_id = NEW.original_transaction_id AND o.activity IN (3, 10)
        AND (
            SELECT u.transaction_id FROM transaction AS u
            WHERE u.original_transaction_id = o.transaction_id
                AND u.effective AND u.activity <> 19
        ) IS NULL;
    IF NEW.original_transaction_id IS NULL OR refunded > coalesce(refundable, 0) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            CONSTRAINT = 'transaction_refund_check',
            TABLE = 'transaction',
            MESSAGE = format(
                'the refunds of %s come to %s of %s',
                NEW.original_transaction_id, refunded, coalesce(refundable, 0)
            );
    END IF;
    RETURN NULL;
END
$$;

GRANT SELECT (replaced_by) ON card TO scrip_gateway, scrip_admin, scrip_reader;
GRANT UPDATE (replaced_by) ON card TO scrip_gateway;
GRANT SELECT, INSERT ON hold, hold_step TO scrip_gateway;
GRANT UPDATE (
    card_id, state, authorized_minor, card_minor, captured_minor, captured_card_minor
) ON hold TO scrip_gateway;
GRANT SELECT ON hold, hold_step TO scrip_reader;
