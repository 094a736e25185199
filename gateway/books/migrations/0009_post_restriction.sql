-- Validates what 0008 added: reads whole tables, and lets everybody work meanwhile.
-- statement_timeout: 30min

ALTER TABLE store VALIDATE CONSTRAINT store_merchant_category_check;
ALTER TABLE card_product VALIDATE CONSTRAINT card_product_restriction_fkey;
ALTER TABLE card VALIDATE CONSTRAINT card_issue_batch_fkey;
ALTER TABLE card VALIDATE CONSTRAINT card_restriction_fkey;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_refusal_check;
