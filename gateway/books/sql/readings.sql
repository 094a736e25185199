-- What is read without locks: balances, the policy.

-- name: balances
-- Read cards by number, with the clock and the policy's version, in one snapshot; one
-- row without a card where none of them is known. Index: card_number_index_key.
SELECT
    m.clock, m.version, c.card_id, c.program_id, c.product_id, c.number_index,
    c.last_four, c.state, c.block_reason, c.currency, c.balance_minor, c.held_minor,
    c.unconfirmed_minor, c.load_count, c.expires_on, c.version, c.last_transaction_at
FROM
    (SELECT scrip_clock() AS clock, p.version FROM policy_version AS p OFFSET 0) AS m
LEFT JOIN card AS c ON c.number_index = ANY(%(indexes)s::bytea[]);

-- name: policy_version
-- Tell which version of the policy is in force. No index: a single row.
SELECT version FROM policy_version;

-- name: clock_shift
-- Tell how far the clock is shifted. No index: a single row.
SELECT shift FROM clock_offset;

-- name: unsafe_settings
-- Name what is off without which a commit may be lost with the power. No index: a view
-- of the settings.
SELECT name
FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'
ORDER BY name;

-- name: last_approval
-- The newest transaction that was approved, with its approval code.
-- Index: transaction_pkey.
SELECT transaction_id, approval_code FROM transaction
WHERE approval_code IS NOT NULL
ORDER BY transaction_id DESC
LIMIT 1;

-- name: policy_programs
-- All programmes; a few rows, read whole.
SELECT program_id, code, name, time_zone FROM program;

-- name: policy_products
-- All products; a few rows, read whole.
SELECT
    product_id, program_id, code, currency, reloadable, fixed_amount_minor, permitted,
    max_load_minor, max_redeem_minor, max_balance_minor, validity_days
FROM card_product;

-- name: policy_accepted
-- Which merchant accepts which programme; read whole.
SELECT program_id, merchant_id FROM program_merchant;

-- name: policy_merchants
-- All merchants; read whole.
SELECT merchant_id, code, name, state FROM merchant;

-- name: policy_stores
-- All stores; read whole.
SELECT
    store_id, merchant_id, code, country, currencies, time_zone, cut_off, state
FROM store;

-- name: policy_terminals
-- All terminals; read whole.
SELECT terminal_id, store_id, code, state FROM terminal;

-- name: policy_devices
-- All devices with the certificates that hold; read whole.
-- Index: device_certificate_device_idx.
SELECT
    d.store_id, d.code, d.kind, d.terminal_id, d.revoked,
    ARRAY(
        SELECT c.sha256 FROM device_certificate AS c
        WHERE c.device_id = d.device_id AND NOT c.revoked
    ) AS certificates
FROM device AS d;

-- name: policy_rules
-- How old rates may be; a few rows, read whole.
SELECT currency, max_age FROM currency_rule WHERE max_age IS NOT NULL;

-- name: policy_rates
-- The rates of versions that are not known yet: a version never changes once it was
-- seen. Index: rate_pkey.
SELECT
    r.version, r.currency, r.usd_per_unit, r.effective_from, r.as_of, r.source
FROM rate_table AS t
INNER JOIN rate AS r USING (version)
WHERE t.version <> ALL(%(known_versions)s::bigint[]);
