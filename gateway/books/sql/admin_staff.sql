-- name: admin_insert_staff
-- New staff devices (3), each with a terminal of its own and its roles.
INSERT INTO device (store_id, code, kind, terminal_id, roles)
SELECT
    s.store_id,
    t.code,
    3,
    t.terminal_id,
    %(roles)s::smallint []
FROM merchant AS m
INNER JOIN store AS s USING (merchant_id)
INNER JOIN terminal AS t USING (store_id)
WHERE m.code = %(merchant)s AND s.code = %(store)s AND t.code = %(device)s;

-- name: admin_staff
-- All staff, or those of one merchant or store, with how many certificates hold.
SELECT
    m.code AS merchant,
    s.code AS store,
    d.code,
    d.roles,
    d.revoked,
    (
        SELECT count(*) FROM device_certificate AS c
        WHERE c.device_id = d.device_id AND NOT c.revoked
    ) AS certificates
FROM device AS d
INNER JOIN store AS s USING (store_id)
INNER JOIN merchant AS m USING (merchant_id)
WHERE
    d.kind = 3
    AND (%(merchant)s::text IS NULL OR m.code = %(merchant)s)
    AND (%(store)s::text IS NULL OR s.code = %(store)s)
ORDER BY m.code, s.code, d.code;

-- name: admin_staff_kind
-- The kind of one device, if there is such a device.
SELECT d.kind
FROM device AS d
INNER JOIN store AS s USING (store_id)
INNER JOIN merchant AS m USING (merchant_id)
WHERE m.code = %(merchant)s AND s.code = %(store)s AND d.code = %(device)s;

-- name: admin_audit
-- The newest rows of the audit, newest first, perhaps of one staff member or card's end.
SELECT
    a.audit_id,
    a.host_time,
    m.code AS merchant,
    s.code AS store,
    a.staff,
    a.role,
    a.operation,
    a.channel,
    a.request_id,
    a.card_id,
    c.last_four,
    a.transaction_id,
    a.result,
    a.replayed
FROM audit AS a
LEFT JOIN terminal AS t USING (terminal_id)
LEFT JOIN store AS s USING (store_id)
LEFT JOIN merchant AS m USING (merchant_id)
LEFT JOIN card AS c ON a.card_id = c.card_id
WHERE
    (%(staff)s::text IS NULL OR a.staff = %(staff)s)
    AND (%(card_id)s::bigint IS NULL OR a.card_id = %(card_id)s)
ORDER BY a.audit_id DESC
LIMIT %(most)s;

-- name: admin_audit_chain
-- The whole audit in the order of its chain, for computing every hash again.
SELECT
    audit_id, host_time, terminal_id, staff, role, operation, channel, request_id,
    card_id, transaction_id, result, replayed, previous_hash, hash
FROM audit
ORDER BY audit_id;
