-- What is read without locks: balances, the policy.

-- name: balances
-- Read cards by number, with the clock and the policy's version, in one snapshot; one
-- row without a card where none of them is known. What is held by holds whose time is
-- over is free. Indexes: card_number_index_key, hold_open_card_idx.
SELECT
    m.clock, m.version, c.card_id, c.program_id, c.product_id, c.number_index,
    c.last_four, c.state, c.block_reason, c.currency, c.balance_minor,
    c.held_minor - CASE
        WHEN c.next_hold_expiry <= m.clock THEN (
            SELECT
                coalesce(
                    sum(greatest(h.card_minor - h.captured_card_minor, 0))
                    FILTER (WHERE h.expires_at <= m.clock), 0
                )
            FROM hold AS h
            WHERE h.card_id = c.card_id AND h.state = 1
        )::bigint
        ELSE 0
    END AS held_minor,
    c.unconfirmed_minor, c.load_count, c.expires_on, c.version, c.last_transaction_at,
    c.loaded_minor,
    c.issue_batch_id, c.restriction_set_id, c.next_hold_expiry, c.replaced_by,
    c.limit_set_id
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
SELECT program_id, code, name, time_zone, tip_tolerance_bps FROM program;

-- name: policy_products
-- All products; a few rows, read whole.
SELECT
    product_id, program_id, code, currency, reloadable, fixed_amount_minor, permitted,
    max_load_minor, max_redeem_minor, max_balance_minor, validity_days,
    cash_out_limit_minor,
    restriction_set_id, limit_set_id, pin_required_for, pin_max_tries, pin_lock_s,
    hold_ttl_s
FROM card_product;

-- name: policy_accepted
-- Which merchant accepts which programme; read whole.
SELECT program_id, merchant_id FROM program_merchant;

-- name: policy_merchants
-- All merchants; read whole.
SELECT merchant_id, code, name, state FROM merchant;

-- name: policy_stores
-- All stores with the groups they are in; read whole. Index: store_group_member_pkey.
SELECT
    s.store_id, s.merchant_id, s.code, s.country, s.currencies, s.time_zone, s.cut_off,
    s.state, s.jurisdiction, s.merchant_category,
    ARRAY(
        SELECT m.store_group_id FROM store_group_member AS m
        WHERE m.store_id = s.store_id
    ) AS groups
FROM store AS s;

-- name: policy_terminals
-- All terminals; read whole.
SELECT
    terminal_id, store_id, code, state, two_message, floor_limit_minor,
    floor_limit_currency
FROM terminal;

-- name: policy_devices
-- All devices with the certificates that hold; read whole.
-- Index: device_certificate_device_idx.
SELECT
    d.store_id, d.code, d.kind, d.terminal_id, d.revoked, d.roles,
    ARRAY(
        SELECT c.sha256 FROM device_certificate AS c
        WHERE c.device_id = d.device_id AND NOT c.revoked
    ) AS certificates
FROM device AS d;

-- name: policy_rules
-- How old rates may be; a few rows, read whole.
SELECT currency, max_age FROM currency_rule WHERE max_age IS NOT NULL;

-- name: policy_cash_out_rules
-- What the law says of paying cards out; some dozens of rows, read whole.
SELECT
    jurisdiction, effective_from, cards, kind, limit_minor, currency, used_percent
FROM cash_out_rule;

-- name: policy_issue_batches
-- The issue batches that have a restriction or a limit set; read whole.
SELECT issue_batch_id, restriction_set_id, limit_set_id
FROM issue_batch
WHERE restriction_set_id IS NOT NULL OR limit_set_id IS NOT NULL;

-- name: policy_limits
-- The version in force of each limit set and of each terminal's limits; read whole.
SELECT DISTINCT ON (v.limit_set_id, v.terminal_id)
    v.limit_set_id, v.terminal_id, v.limit_version_id,
    coalesce(s.currency, u.currency) AS currency,
    v.load_amount_minor, v.load_day_minor, v.load_day_count, v.load_window_count,
    v.load_window_s, v.spend_amount_minor, v.spend_day_minor, v.spend_day_count,
    v.spend_window_count, v.spend_window_s
FROM limit_version AS v
LEFT JOIN limit_set AS s ON v.limit_set_id = s.limit_set_id
LEFT JOIN terminal_use AS u ON v.terminal_id = u.terminal_id
ORDER BY v.limit_set_id ASC, v.terminal_id ASC, v.version DESC;

-- name: policy_restrictions
-- The version in force of each restriction set. Index: restriction_version_key.
SELECT DISTINCT ON (restriction_set_id) restriction_set_id, restriction_version_id
FROM restriction_version
ORDER BY restriction_set_id ASC, version DESC;

-- name: policy_restriction_entries
-- What the versions list that are in force and not known yet: a version never changes.
-- Indexes: restriction_version_key, restriction_entry_version_idx.
SELECT
    e.restriction_version_id, e.rule, e.store_id, e.store_group_id, e.merchant_id,
    e.country, e.merchant_category
FROM restriction_entry AS e
WHERE e.restriction_version_id IN (
    SELECT DISTINCT ON (v.restriction_set_id) v.restriction_version_id
    FROM restriction_version AS v
    ORDER BY v.restriction_set_id ASC, v.version DESC
) AND e.restriction_version_id <> ALL(%(known_versions)s::bigint[]);

-- name: policy_restriction_windows
-- When those versions hold. Indexes: restriction_version_key, restriction_window_pkey.
SELECT w.restriction_version_id, w.weekdays, w.begins_minute, w.ends_minute
FROM restriction_window AS w
WHERE w.restriction_version_id IN (
    SELECT DISTINCT ON (v.restriction_set_id) v.restriction_version_id
    FROM restriction_version AS v
    ORDER BY v.restriction_set_id ASC, v.version DESC
) AND w.restriction_version_id <> ALL(%(known_versions)s::bigint[]);

-- name: policy_rates
-- The rates of versions that are not known yet: a version never changes once it was
-- seen. Index: rate_pkey.
SELECT
    r.version, r.currency, r.usd_per_unit, r.effective_from, r.as_of, r.source
FROM rate_table AS t
INNER JOIN rate AS r USING (version)
WHERE t.version <> ALL(%(known_versions)s::bigint[]);
