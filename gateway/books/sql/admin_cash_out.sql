-- name: admin_put_cash_out_rules
-- Rules of law, one element of each array a row; a rule for the same cards from the same
-- day is replaced (cash_out_rule_pkey).
INSERT INTO cash_out_rule (
    jurisdiction, effective_from, cards, kind, limit_minor, currency, used_percent,
    source
)
SELECT
    given.jurisdiction,
    given.effective_from,
    given.cards,
    given.kind,
    given.limit_minor,
    given.currency,
    given.used_percent,
    given.source
FROM unnest(
    %(jurisdictions)s::text [],
    %(effective_froms)s::date [],
    %(cards)s::smallint [],
    %(kinds)s::smallint [],
    %(limits_minor)s::bigint [],
    %(currencies)s::text [],
    %(used_percents)s::smallint [],
    %(sources)s::text []
) AS given (
    jurisdiction, effective_from, cards, kind, limit_minor, currency, used_percent,
    source
)
ON CONFLICT ON CONSTRAINT cash_out_rule_pkey DO UPDATE SET
kind = excluded.kind,
limit_minor = excluded.limit_minor,
currency = excluded.currency,
used_percent = excluded.used_percent,
source = excluded.source;

-- name: admin_cash_out_rules
-- All rules of law, or those of one jurisdiction, in the order in which they came.
SELECT
    jurisdiction, effective_from, cards, kind, limit_minor, currency, used_percent,
    source
FROM cash_out_rule
WHERE %(jurisdiction)s::text IS NULL OR jurisdiction = %(jurisdiction)s
ORDER BY jurisdiction, effective_from, cards;

-- name: admin_permit_cash_out
-- Lets a product be paid out: by law and, with a limit, up to that balance everywhere.
UPDATE card_product SET
    permitted = CASE
        WHEN 6 = any(card_product.permitted) THEN card_product.permitted
        ELSE card_product.permitted || 6::smallint
    END,
    cash_out_limit_minor = %(limit_minor)s
FROM program AS p
WHERE
    card_product.program_id = p.program_id
    AND p.code = %(program)s
    AND card_product.code = %(product)s;

-- name: admin_forbid_cash_out
-- Lets a product be paid out nowhere.
UPDATE card_product SET
    permitted = array_remove(card_product.permitted, 6::smallint),
    cash_out_limit_minor = NULL
FROM program AS p
WHERE
    card_product.program_id = p.program_id
    AND p.code = %(program)s
    AND card_product.code = %(product)s;

-- name: admin_set_store_jurisdiction
-- Says whose law holds in a store; NULL: its country's alone (store_code_key).
UPDATE store SET jurisdiction = %(jurisdiction)s
FROM merchant AS m
WHERE
    store.merchant_id = m.merchant_id
    AND m.code = %(merchant)s
    AND store.code = %(store)s;
