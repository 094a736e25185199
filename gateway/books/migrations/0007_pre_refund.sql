-- Refund and Void: what they are recorded with, and the wall around a sale's refunds.

-- 1 ACTIVATE, 2 LOAD, 3 REDEEM, 4 REVERSAL, 6 CASH_OUT, 7 REFUND, 8 VOID (5 BALANCE is
-- never recorded). Every row there is has one of the first.
-- squawk-ignore ban-drop-constraint
ALTER TABLE transaction DROP CONSTRAINT IF EXISTS transaction_activity_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE transaction ADD CONSTRAINT transaction_activity_check
CHECK (activity IN (1, 2, 3, 4, 6, 7, 8));

-- Only an approved reversal or void can have undone something.
-- squawk-ignore ban-drop-constraint
ALTER TABLE transaction DROP CONSTRAINT transaction_effective_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE transaction ADD CONSTRAINT transaction_effective_check CHECK (
    effective IS NULL
    OR (
        activity IN (4, 8) AND result = 1
        AND (original_transaction_id IS NOT NULL OR NOT effective)
    )
);

-- The refunds of a sale; none is there yet.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX transaction_refund_idx ON transaction (original_transaction_id)
WHERE activity = 7 AND result = 1;

-- The refunds of a sale that stand come to no more than it was approved for, and to
-- nothing where it was undone. Two batches cannot pass it side by side: both change the
-- sale's card, so one of them has no place in the card's chain (card_id, card_seq).
CREATE FUNCTION refuse_excess_refund() RETURNS trigger
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
            WHERE u.original_transaction_id = f.transaction_id AND u.effective
        ) IS NULL;
    SELECT o.approved_minor INTO refundable FROM transaction AS o
    WHERE o.transaction_id = NEW.original_transaction_id AND o.activity = 3
        AND (
            SELECT u.transaction_id FROM transaction AS u
            WHERE u.original_transaction_id = o.transaction_id AND u.effective
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
REVOKE ALL ON FUNCTION refuse_excess_refund() FROM public;

CREATE TRIGGER transaction_refund_capped
AFTER INSERT ON transaction
FOR EACH ROW
WHEN (new.effective OR (new.activity = 7 AND new.result = 1))
EXECUTE FUNCTION refuse_excess_refund();
