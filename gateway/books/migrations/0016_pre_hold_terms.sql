-- How long a hold lives, and how much more than it a capture may take.
-- statement_timeout: 1min
--
-- Programmes and products are a few rows, so what is added may be checked as it goes.
-- squawk-ignore-file constraint-missing-not-valid

-- In hundredths of a percent of a hold's amount; 0: a capture never exceeds its hold.
ALTER TABLE program ADD COLUMN tip_tolerance_bps smallint NOT NULL DEFAULT 0;
ALTER TABLE program ADD CONSTRAINT program_tip_tolerance_bps_check
CHECK (tip_tolerance_bps BETWEEN 0 AND 10000);

-- In seconds, seven days unless the product says otherwise.
ALTER TABLE card_product ADD COLUMN hold_ttl_s bigint NOT NULL DEFAULT 604800;
ALTER TABLE card_product ADD CONSTRAINT card_product_hold_ttl_s_check
CHECK (hold_ttl_s BETWEEN 1 AND 31622400);

-- 9 AUTHORIZE: whatever may be spent may be held first.
UPDATE card_product SET permitted = array_append(permitted, 9::smallint)
WHERE 3 = ANY(permitted) AND 9 <> ALL(permitted);
