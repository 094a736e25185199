-- name: admin_insert_terminals
-- New terminals, one element of each array a row.
INSERT INTO terminal (store_id, code)
SELECT
    s.store_id,
    given.code
FROM unnest(
    %(merchants)s::text [], %(stores)s::text [], %(codes)s::text []
) AS given (merchant, store, code)
INNER JOIN merchant AS m ON given.merchant = m.code
INNER JOIN store AS s ON m.merchant_id = s.merchant_id AND given.store = s.code;

-- name: admin_insert_devices
-- New devices; one of kind TERMINAL (1) names its terminal, a CONTROLLER (2) none.
INSERT INTO device (store_id, code, kind, terminal_id)
SELECT
    s.store_id,
    given.code,
    given.kind,
    t.terminal_id
FROM unnest(
    %(merchants)s::text [],
    %(stores)s::text [],
    %(codes)s::text [],
    %(kinds)s::smallint [],
    %(terminals)s::text []
) AS given (merchant, store, code, kind, terminal)
INNER JOIN merchant AS m ON given.merchant = m.code
INNER JOIN store AS s ON m.merchant_id = s.merchant_id AND given.store = s.code
LEFT JOIN terminal AS t ON s.store_id = t.store_id AND given.terminal = t.code;

-- name: admin_insert_certificates
-- Lets devices in with these certificates.
INSERT INTO device_certificate (sha256, device_id)
SELECT
    given.sha256,
    d.device_id
FROM unnest(
    %(merchants)s::text [],
    %(stores)s::text [],
    %(codes)s::text [],
    %(sha256s)s::bytea []
) AS given (merchant, store, code, sha256)
INNER JOIN merchant AS m ON given.merchant = m.code
INNER JOIN store AS s ON m.merchant_id = s.merchant_id AND given.store = s.code
INNER JOIN device AS d ON s.store_id = d.store_id AND given.code = d.code;

-- name: admin_revoke_certificates
-- Takes back the certificates of devices, but for the ones named.
UPDATE device_certificate SET revoked = true
WHERE
    device_id IN (
        SELECT d.device_id
        FROM unnest(
            %(merchants)s::text [], %(stores)s::text [], %(codes)s::text []
        ) AS given (merchant, store, code)
        INNER JOIN merchant AS m ON given.merchant = m.code
        INNER JOIN store AS s ON m.merchant_id = s.merchant_id AND given.store = s.code
        INNER JOIN device AS d ON s.store_id = d.store_id AND given.code = d.code
    )
    AND NOT revoked
    AND sha256 <> all(%(kept)s::bytea []);

-- name: admin_revoke_device
-- Takes a device's access away, whatever its certificates.
UPDATE device SET revoked = true
FROM store AS s
INNER JOIN merchant AS m USING (merchant_id)
WHERE
    device.store_id = s.store_id
    AND m.code = %(merchant)s
    AND s.code = %(store)s
    AND device.code = %(device)s
RETURNING device.device_id;

-- name: admin_terminals
-- All terminals, or those of one merchant or store, with their working devices.
SELECT
    m.code AS merchant,
    s.code AS store,
    t.code,
    t.state,
    t.two_message,
    t.floor_limit_minor,
    t.floor_limit_currency,
    (
        SELECT coalesce(array_agg(d.code ORDER BY d.code), '{}')
        FROM device AS d
        WHERE d.terminal_id = t.terminal_id AND NOT d.revoked
    ) AS devices
FROM terminal AS t
INNER JOIN store AS s USING (store_id)
INNER JOIN merchant AS m USING (merchant_id)
WHERE
    (%(merchant)s::text IS NULL OR m.code = %(merchant)s)
    AND (%(store)s::text IS NULL OR s.code = %(store)s)
ORDER BY m.code, s.code, t.code;

-- name: admin_devices
-- All devices, or those of one merchant or store, with how many certificates hold.
SELECT
    m.code AS merchant,
    s.code AS store,
    d.code,
    d.kind,
    t.code AS terminal,
    d.revoked,
    (
        SELECT count(*) FROM device_certificate AS c
        WHERE c.device_id = d.device_id AND NOT c.revoked
    ) AS certificates
FROM device AS d
INNER JOIN store AS s USING (store_id)
INNER JOIN merchant AS m USING (merchant_id)
LEFT JOIN terminal AS t USING (terminal_id)
WHERE
    (%(merchant)s::text IS NULL OR m.code = %(merchant)s)
    AND (%(store)s::text IS NULL OR s.code = %(store)s)
ORDER BY m.code, s.code, d.code;

-- name: admin_set_terminal_state
-- Suspends, closes or activates a terminal. CLOSED (3) is for good.
UPDATE terminal SET state = %(state)s
FROM store AS s
INNER JOIN merchant AS m USING (merchant_id)
WHERE
    terminal.store_id = s.store_id
    AND m.code = %(merchant)s
    AND s.code = %(store)s
    AND terminal.code = %(terminal)s
    AND terminal.state <> 3
RETURNING terminal.terminal_id;

-- name: admin_set_terminal_terms
-- Says whether a terminal confirms its approvals, and what it may sell offline.
UPDATE terminal SET
    two_message = coalesce(%(two_message)s::boolean, terminal.two_message),
    floor_limit_minor = CASE
        WHEN %(sets_floor_limit)s::boolean THEN %(floor_limit_minor)s::bigint
        ELSE terminal.floor_limit_minor
    END,
    floor_limit_currency = CASE
        WHEN %(sets_floor_limit)s::boolean THEN %(floor_limit_currency)s::text
        ELSE terminal.floor_limit_currency
    END
FROM store AS s
INNER JOIN merchant AS m USING (merchant_id)
WHERE
    terminal.store_id = s.store_id
    AND m.code = %(merchant)s
    AND s.code = %(store)s
    AND terminal.code = %(terminal)s
    AND terminal.state <> 3
RETURNING terminal.terminal_id;

-- name: admin_known_terminals
-- Which of these terminals there are (terminal_code_key).
SELECT
    m.code AS merchant,
    s.code AS store,
    t.code AS terminal
FROM unnest(
    %(merchants)s::text [], %(stores)s::text [], %(codes)s::text []
) AS given (merchant, store, code)
INNER JOIN merchant AS m ON given.merchant = m.code
INNER JOIN store AS s ON m.merchant_id = s.merchant_id AND given.store = s.code
INNER JOIN terminal AS t ON s.store_id = t.store_id AND given.code = t.code;

-- name: admin_known_devices
-- Which of these devices there are (device_code_key).
SELECT
    m.code AS merchant,
    s.code AS store,
    d.code AS device,
    d.kind,
    d.revoked
FROM unnest(
    %(merchants)s::text [], %(stores)s::text [], %(codes)s::text []
) AS given (merchant, store, code)
INNER JOIN merchant AS m ON given.merchant = m.code
INNER JOIN store AS s ON m.merchant_id = s.merchant_id AND given.store = s.code
INNER JOIN device AS d ON s.store_id = d.store_id AND given.code = d.code;
