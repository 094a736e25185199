-- Who may do what. No role but the owner's may change or delete what was recorded.

REVOKE ALL ON FUNCTION raise_policy_version() FROM public;
REVOKE ALL ON FUNCTION refuse_late_rate() FROM public;
REVOKE ALL ON FUNCTION refuse_unbalanced_postings() FROM public;

-- Every process looks before it starts whether the schema is that of its release.
GRANT SELECT ON schema_migration TO scrip_gateway, scrip_admin, scrip_reader;

-- Workers: read the policy, change cards, add to the journal.
GRANT SELECT ON
clock_offset, policy_version, program, merchant, program_merchant, store, terminal,
device, device_certificate, card_product, rate_table, rate, currency_rule
TO scrip_gateway;
GRANT SELECT, INSERT ON transaction, posting, request_key TO scrip_gateway;
-- Not the encrypted number: the money path never needs it.
GRANT SELECT (
    card_id, program_id, product_id, number_index, number_index_key_id, last_four,
    state, block_reason, currency, balance_minor, held_minor, unconfirmed_minor,
    next_hold_expiry, last_transaction_at, load_count, expires_on, version
) ON card TO scrip_gateway;
GRANT UPDATE (
    state, block_reason, balance_minor, held_minor, unconfirmed_minor,
    next_hold_expiry, last_transaction_at, load_count, expires_on, version
) ON card TO scrip_gateway;

-- The operator's console: change the policy, create cards. It moves no money.
GRANT SELECT ON
clock_offset, policy_version, program, merchant, program_merchant, store, terminal,
device, device_certificate, card_product, rate_table, rate, currency_rule
TO scrip_admin;
GRANT INSERT, UPDATE ON
program, merchant, store, terminal, device, device_certificate, card_product,
currency_rule
TO scrip_admin;
GRANT INSERT, DELETE ON program_merchant TO scrip_admin;
GRANT INSERT ON rate_table, rate TO scrip_admin;
GRANT INSERT ON card TO scrip_admin;
GRANT SELECT (
    card_id, program_id, product_id, number_index, number_index_key_id, last_four,
    state, block_reason, currency, balance_minor, held_minor, unconfirmed_minor,
    next_hold_expiry, last_transaction_at, load_count, expires_on, version
) ON card TO scrip_admin;
GRANT USAGE ON
SEQUENCE program_program_id_seq, merchant_merchant_id_seq, store_store_id_seq,
terminal_terminal_id_seq, device_device_id_seq, card_product_product_id_seq,
rate_table_version_seq, card_card_id_seq
TO scrip_admin;

-- Checks and reports: read.
GRANT SELECT ON
clock_offset, policy_version, program, merchant, program_merchant, store, terminal,
device, device_certificate, card_product, rate_table, rate, currency_rule,
transaction, posting, request_key
TO scrip_reader;
GRANT SELECT (
    card_id, program_id, product_id, number_index, number_index_key_id, last_four,
    state, block_reason, currency, balance_minor, held_minor, unconfirmed_minor,
    next_hold_expiry, last_transaction_at, load_count, expires_on, version
) ON card TO scrip_reader;
