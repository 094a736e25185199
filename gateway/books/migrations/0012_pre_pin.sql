-- PINs: what a product asks them for, what is kept of a card's, and its wrong tries.
-- statement_timeout: 10min
--
-- It runs while no worker of the release before does, so it may look through tables as
-- it goes.
-- squawk-ignore-file constraint-missing-not-valid

ALTER TABLE card_product
-- 2 LOAD, 3 REDEEM, 5 BALANCE, 6 CASH_OUT, 9 AUTHORIZE, 14 TRANSFER_BALANCE_FROM
ADD COLUMN pin_required_for smallint[] NOT NULL DEFAULT '{}',
-- So many wrong ones in a row lock the PIN,
ADD COLUMN pin_max_tries smallint NOT NULL DEFAULT 3,
-- until so long has passed without a try.
ADD COLUMN pin_lock_s bigint NOT NULL DEFAULT 3600;

ALTER TABLE card_product
ADD CONSTRAINT card_product_pin_required_check CHECK (
    array_position(pin_required_for, NULL) IS NULL
    AND pin_required_for <@ ARRAY[2, 3, 5, 6, 9, 14]::smallint[]
),
ADD CONSTRAINT card_product_pin_max_tries_check CHECK (pin_max_tries BETWEEN 1 AND 10),
ADD CONSTRAINT card_product_pin_lock_check CHECK (pin_lock_s BETWEEN 60 AND 31622400);

-- The keyed hash of a card's PIN. A table of its own: the console may write what it may
-- not read, and a card without a PIN has no row.
CREATE TABLE card_pin (
    card_id bigint PRIMARY KEY REFERENCES card,
    key_id bigint NOT NULL CHECK (key_id >= 1),
    tag bytea NOT NULL CHECK (octet_length(tag) = 32)
);

-- Wrong PINs, by card and by the way they came.
CREATE TABLE card_pin_try (
    card_id bigint NOT NULL REFERENCES card_pin,
    -- 1 API, 2 ADMIN, 3 IVR, 4 PORTAL, 5 SYSTEM, 6 FRAUD
    channel smallint NOT NULL CHECK (channel BETWEEN 1 AND 6),
    -- In a row, up to now; no product allows more.
    tries smallint NOT NULL CHECK (tries BETWEEN 0 AND 10),
    last_tried_at timestamptz NOT NULL,
    -- All there ever were: what forgives tries does not make them undone.
    wrong_total bigint NOT NULL CHECK (wrong_total >= tries),
    CONSTRAINT card_pin_try_pkey PRIMARY KEY (card_id, channel)
) WITH (fillfactor = 70);

CREATE FUNCTION refuse_forgotten_try() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = 'card_pin_try_total_check',
        TABLE = 'card_pin_try',
        MESSAGE = format(
            'wrong PINs of card %s would be fewer, or tries that nobody made',
            OLD.card_id
        );
END
$$;
REVOKE ALL ON FUNCTION refuse_forgotten_try() FROM public;

CREATE TRIGGER card_pin_try_total
BEFORE UPDATE ON card_pin_try
FOR EACH ROW
WHEN (
    new.wrong_total < old.wrong_total
    OR new.tries - old.tries > new.wrong_total - old.wrong_total
)
EXECUTE FUNCTION refuse_forgotten_try();

GRANT SELECT ON card_pin, card_pin_try TO scrip_gateway;
GRANT INSERT ON card_pin_try TO scrip_gateway;
GRANT UPDATE (tries, last_tried_at, wrong_total) ON card_pin_try TO scrip_gateway;
-- The console gives a card its PIN and can read none.
GRANT INSERT ON card_pin TO scrip_admin;
GRANT SELECT (card_id) ON card_pin TO scrip_admin;
GRANT SELECT ON card_pin_try TO scrip_admin;
GRANT SELECT (card_id, key_id) ON card_pin TO scrip_reader;
GRANT SELECT ON card_pin_try TO scrip_reader;
