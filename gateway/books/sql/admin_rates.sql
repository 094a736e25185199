-- name: admin_open_rate_table
-- Begins a version of the rate table. From here until the end of the transaction no
-- other import can begin, so what is read next stays what it is.
INSERT INTO rate_table (source, loaded_by, approved_by)
VALUES (%(source)s, %(loaded_by)s, %(approved_by)s)
RETURNING version;

-- name: admin_insert_rates
-- The rows of one version.
INSERT INTO rate (version, currency, usd_per_unit, effective_from, as_of, source)
SELECT
    %(version)s,
    given.currency,
    given.usd_per_unit,
    given.effective_from,
    given.as_of,
    given.source
FROM unnest(
    %(currencies)s::text [],
    %(rates)s::numeric [],
    %(effective_froms)s::timestamptz [],
    %(as_ofs)s::timestamptz [],
    %(sources)s::text []
) AS given (currency, usd_per_unit, effective_from, as_of, source);

-- name: admin_rates_of
-- All rows of some currencies, in the order in which a book holds them.
SELECT
    version,
    currency,
    usd_per_unit,
    effective_from,
    as_of,
    source
FROM rate
WHERE %(currencies)s::text [] IS NULL OR currency = any(%(currencies)s::text [])
ORDER BY effective_from, version, currency;

-- name: admin_rate_tables
-- The imports, newest first: who loaded and who approved.
SELECT
    t.version,
    t.source,
    t.loaded_by,
    t.approved_by,
    t.loaded_at,
    (SELECT count(*) FROM rate AS r WHERE r.version = t.version) AS rates
FROM rate_table AS t
ORDER BY t.version DESC
LIMIT %(limit)s;

-- name: admin_currency_rules
-- How old the rate of a currency may be.
SELECT
    currency,
    max_age
FROM currency_rule
ORDER BY currency;

-- name: admin_set_currency_rule
-- Sets how old a rate may be; NULL: it never ages.
INSERT INTO currency_rule (currency, max_age)
VALUES (%(currency)s, %(max_age)s)
ON CONFLICT (currency) DO UPDATE SET max_age = excluded.max_age;
