-- Cash-out: a small rest of a card, paid out where the law or its product allow it.
-- statement_timeout: 10min
--
-- It runs while no worker of the release before does, because they do not count what is
-- counted here from now on (loaded_minor). So it may look through tables as it goes, and
-- the checks that it drops come back wider a line later.
-- squawk-ignore-file constraint-missing-not-valid, ban-drop-constraint

-- The law, dated: what a country, or a part of it, rules for some cards from a day on.
CREATE TABLE cash_out_rule (
    jurisdiction text NOT NULL
    CHECK (jurisdiction ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),
    -- In the local time of the store.
    effective_from date NOT NULL,
    -- 1 ANY, 2 SINGLE_LOAD, 3 RELOADABLE
    cards smallint NOT NULL CHECK (cards BETWEEN 1 AND 3),
    -- 1 BELOW the amount, 2 UP_TO it, 3 USED to so many percent, 4 NEVER
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 4),
    limit_minor bigint CHECK (limit_minor BETWEEN 1 AND 1000000000000000),
    currency char(3) CHECK (currency ~ '^[A-Z]{3}$'),
    used_percent smallint CHECK (used_percent BETWEEN 1 AND 100),
    source text NOT NULL CHECK (char_length(source) BETWEEN 1 AND 500),
    CONSTRAINT cash_out_rule_pkey PRIMARY KEY (jurisdiction, effective_from, cards),
    CONSTRAINT cash_out_rule_whole_check CHECK (
        (limit_minor IS NOT NULL) = (kind <= 2)
        AND (currency IS NOT NULL) = (kind <= 2)
        AND (used_percent IS NOT NULL) = (kind = 3)
        -- Only a card of one load has a face value that stays.
        AND (kind <> 3 OR cards = 2)
    )
);

CREATE TRIGGER cash_out_rule_policy
BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON cash_out_rule
FOR EACH STATEMENT EXECUTE FUNCTION raise_policy_version();

-- The part of the country whose law holds in a store; NULL: its country's alone.
ALTER TABLE store ADD COLUMN jurisdiction text;
ALTER TABLE store ADD CONSTRAINT store_jurisdiction_check
CHECK (jurisdiction ~ ('^' || country || '-[A-Z0-9]{1,3}$'));

-- The largest balance that is paid out wherever the card is taken; NULL: by law only.
ALTER TABLE card_product ADD COLUMN cash_out_limit_minor bigint;
ALTER TABLE card_product ADD CONSTRAINT card_product_cash_out_limit_minor_check
CHECK (cash_out_limit_minor BETWEEN 1 AND 1000000000000000);

ALTER TABLE card_product DROP CONSTRAINT card_product_permitted_check;
ALTER TABLE card_product ADD CONSTRAINT card_product_permitted_check CHECK (
    array_position(permitted, NULL) IS NULL
    AND permitted <@ ARRAY[1, 2, 3, 4, 5, 6]::smallint[]
);

ALTER TABLE transaction DROP CONSTRAINT transaction_activity_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_activity_check
CHECK (activity IN (1, 2, 3, 4, 6));

-- The sum of the loads that were not undone.
ALTER TABLE card ADD COLUMN loaded_minor bigint NOT NULL DEFAULT 0;

UPDATE card SET loaded_minor = t.loaded_minor
FROM (
    SELECT
        l.card_id,
        sum(CASE WHEN l.activity = 4 THEN -l.card_minor ELSE l.card_minor END)
        AS loaded_minor
    FROM transaction AS l
    LEFT JOIN transaction AS o ON l.original_transaction_id = o.transaction_id
    WHERE
        l.card_seq IS NOT NULL
        AND (l.activity IN (1, 2) OR (l.activity = 4 AND o.activity IN (1, 2)))
    GROUP BY l.card_id
) AS t
WHERE card.card_id = t.card_id AND t.loaded_minor <> 0;

GRANT SELECT ON cash_out_rule TO scrip_gateway, scrip_admin, scrip_reader;
GRANT INSERT, UPDATE ON cash_out_rule TO scrip_admin;
GRANT SELECT (loaded_minor) ON card TO scrip_gateway, scrip_admin, scrip_reader;
GRANT UPDATE (loaded_minor) ON card TO scrip_gateway;
