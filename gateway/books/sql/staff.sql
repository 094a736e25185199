-- What staff do, beside what every batch writes.

-- name: insert_audit
-- Add to the audit, last of all before a commit: a trigger takes the chain's lock, and
-- numbers and hashes each row. Index: audit_pkey.
INSERT INTO audit (
    host_time, terminal_id, staff, role, operation, channel, request_id, card_id,
    transaction_id, result, replayed
)
SELECT
    unnest(%(host_times)s::timestamptz[]),
    unnest(%(terminal_ids)s::bigint[]),
    unnest(%(staff)s::text[]),
    unnest(%(roles)s::smallint[]),
    unnest(%(operations)s::smallint[]),
    unnest(%(channels)s::smallint[]),
    unnest(%(request_ids)s::uuid[]),
    unnest(%(card_ids)s::bigint[]),
    unnest(%(transaction_ids)s::uuid[]),
    unnest(%(results)s::smallint[]),
    unnest(%(replayed)s::boolean[]);

-- name: insert_adjustments
-- Keep who asked for adjustments, and why. Index: adjustment_pkey is written.
INSERT INTO adjustment (transaction_id, requested_by, reason)
SELECT
    unnest(%(transaction_ids)s::uuid[]),
    unnest(%(requested_by)s::text[]),
    unnest(%(reasons)s::text[]);

-- name: approve_adjustments
-- Keep who let adjustments happen; a trigger refuses one that was approved before.
-- Index: adjustment_pkey.
WITH approved AS (
    UPDATE adjustment SET
        approval_id = given.approval_id,
        approved_by = given.approved_by
    FROM (
        SELECT
            unnest(%(transaction_ids)s::uuid[]) AS transaction_id,
            unnest(%(approval_ids)s::uuid[]) AS approval_id,
            unnest(%(approved_by)s::text[]) AS approved_by
    ) AS given
    WHERE adjustment.transaction_id = given.transaction_id
    RETURNING adjustment.transaction_id
)

SELECT require_rows_v1(count(*), cardinality(%(transaction_ids)s::uuid[]))
FROM approved;
