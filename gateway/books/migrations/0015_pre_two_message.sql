-- Terminals that send two messages or sell offline, and what people must look at.
-- statement_timeout: 10min
--
-- It runs while no worker of the release before does, so it may look through tables as
-- it goes; what it drops comes back wider a line later.
-- squawk-ignore-file constraint-missing-not-valid, ban-drop-constraint
-- squawk-ignore-file adding-foreign-key-constraint, require-concurrent-index-creation

ALTER TABLE terminal
-- It confirms what was approved there.
ADD COLUMN two_message boolean NOT NULL DEFAULT false,
-- What it may sell while it cannot ask; NULL: nothing.
ADD COLUMN floor_limit_minor bigint,
ADD COLUMN floor_limit_currency char(3);
ALTER TABLE terminal ADD CONSTRAINT terminal_floor_limit_check CHECK (
    num_nulls(floor_limit_minor, floor_limit_currency) IN (0, 2)
    AND floor_limit_minor BETWEEN 1 AND 1000000000000000
    AND floor_limit_currency ~ '^[A-Z]{3}$'
);

-- What changes no card may be effective all the same: 19 CONFIRM of a debit; 4 REVERSAL
-- and 8 VOID of an Advice that debited nothing.
ALTER TABLE transaction DROP CONSTRAINT transaction_card_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_card_check CHECK (
    CASE
        WHEN card_seq IS NOT NULL THEN num_nulls(
            card_id, program_id, card_currency, card_state,
            balance_before_minor, balance_after_minor,
            available_before_minor, available_after_minor, held_after_minor
        ) = 0
        ELSE card_minor = 0 AND (effective IS NOT TRUE OR activity IN (4, 8, 19))
    END
);

-- Only an approval waits to be confirmed, and what was told offline does not.
ALTER TABLE transaction ADD CONSTRAINT transaction_unconfirmed_check CHECK (
    NOT unconfirmed
    OR (activity IN (1, 2, 3, 6, 7, 10) AND result <= 2 AND NOT offline)
);
CREATE INDEX transaction_unconfirmed_idx ON transaction (host_time)
WHERE unconfirmed;

-- What the books cannot settle by themselves. Inserted, never changed; it is over when
-- the transaction that it is about is undone.
CREATE TABLE exception_item (
    transaction_id uuid NOT NULL REFERENCES transaction,
    -- 1 ADVICE_NOT_PAID, 2 LOAD_NOT_REVERSED
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 2),
    opened_by uuid NOT NULL REFERENCES transaction,
    -- gateway/domain/results.py: a decline, which kept it from being settled
    reason smallint NOT NULL CHECK (reason BETWEEN 3 AND 31 AND reason <> 24),
    store_id bigint NOT NULL REFERENCES store,
    amount_minor bigint NOT NULL
    CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    currency char(3) NOT NULL CHECK (octet_length(currency) = 3),
    opened_at timestamptz NOT NULL,
    CONSTRAINT exception_item_pkey PRIMARY KEY (transaction_id, kind)
);
CREATE INDEX exception_item_store_idx ON exception_item (store_id, opened_at);

GRANT SELECT, INSERT ON exception_item TO scrip_gateway;
GRANT SELECT ON exception_item TO scrip_reader;
