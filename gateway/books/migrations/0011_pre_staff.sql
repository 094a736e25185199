-- Staff: who they are, what they did, and adjustments, which take two of them.
-- statement_timeout: 1min
--
-- It runs while no worker of the release before does, so it may look through the
-- devices as it goes.
-- squawk-ignore-file constraint-missing-not-valid, ban-drop-constraint

-- 3 STAFF is a person at a desk, with a terminal of their own and at least one role:
-- 1 CALL_CENTRE, 2 OPERATOR (gateway/domain/staff.py).
ALTER TABLE device ADD COLUMN roles smallint [] NOT NULL DEFAULT '{}';
ALTER TABLE device DROP CONSTRAINT device_kind_check;
ALTER TABLE device ADD CONSTRAINT device_kind_check CHECK (kind BETWEEN 1 AND 3);
ALTER TABLE device DROP CONSTRAINT device_terminal_check;
ALTER TABLE device ADD CONSTRAINT device_terminal_check CHECK (
    (kind IN (1, 3)) = (terminal_id IS NOT NULL)
);
ALTER TABLE device ADD CONSTRAINT device_roles_check CHECK (
    array_position(roles, NULL) IS NULL
    AND roles <@ ARRAY[1, 2]::smallint []
    AND (kind = 3) = (cardinality(roles) > 0)
);

-- What one of the staff asked to put right, and who else let it happen. The row comes
-- with the request; the approval fills its last two columns, once.
CREATE TABLE adjustment (
    transaction_id uuid PRIMARY KEY REFERENCES transaction,
    requested_by text NOT NULL CHECK (char_length(requested_by) BETWEEN 1 AND 64),
    reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 200),
    approval_id uuid UNIQUE REFERENCES transaction,
    approved_by text CHECK (char_length(approved_by) BETWEEN 1 AND 64)
    CONSTRAINT adjustment_second_person CHECK (approved_by <> requested_by),
    CONSTRAINT adjustment_approval_check CHECK (
        (approval_id IS NULL) = (approved_by IS NULL)
    )
);

CREATE FUNCTION refuse_approved_adjustment() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = 'adjustment_once_check',
        TABLE = 'adjustment',
        MESSAGE = format(
            'the adjustment %s was approved, or would become another',
            OLD.transaction_id
        );
END
$$;
REVOKE ALL ON FUNCTION refuse_approved_adjustment() FROM public;

CREATE TRIGGER adjustment_once
BEFORE UPDATE ON adjustment
FOR EACH ROW
WHEN (
    old.approval_id IS NOT NULL
    OR new.transaction_id <> old.transaction_id
    OR new.requested_by <> old.requested_by
    OR new.reason <> old.reason
)
EXECUTE FUNCTION refuse_approved_adjustment();

-- What staff did: one row a call, chained by hashes. It has no foreign keys on purpose:
-- they would wait for rows while the chain's lock is held.
CREATE TABLE audit (
    audit_id bigint PRIMARY KEY CHECK (audit_id >= 1),
    host_time timestamptz NOT NULL,
    -- The desk, which tells the merchant, and the staff member's code there.
    terminal_id bigint NOT NULL,
    staff text NOT NULL CHECK (char_length(staff) BETWEEN 1 AND 64),
    -- 1 CALL_CENTRE, 2 OPERATOR
    role smallint NOT NULL CHECK (role BETWEEN 1 AND 2),
    -- StaffOperation in gateway/domain/staff.py
    operation smallint NOT NULL CHECK (operation BETWEEN 1 AND 99),
    -- 2 ADMIN, 3 IVR
    channel smallint NOT NULL CHECK (channel BETWEEN 1 AND 6),
    request_id uuid,
    card_id bigint,
    transaction_id uuid,
    -- gateway/domain/results.py
    result smallint NOT NULL CHECK (result BETWEEN 1 AND 99),
    -- It was decided before, and answered again.
    replayed boolean NOT NULL,
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE INDEX audit_transaction_idx ON audit (transaction_id)
WHERE transaction_id IS NOT NULL;
CREATE INDEX audit_card_idx ON audit (card_id) WHERE card_id IS NOT NULL;

-- A value within the text that is hashed: its length, then itself, so that two
-- different rows never give the same text. gateway/books/audit_chain.py does the same.
CREATE FUNCTION audit_part_v1(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
RETURN coalesce(octet_length(value)::text || ':' || value, '-');

-- The hash of a row: SHA-256 over the hash before it and its content.
CREATE FUNCTION audit_hash_v1(entry audit) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public
RETURN sha256(
    (entry).previous_hash || convert_to(
        audit_part_v1((entry).audit_id::text)
        || audit_part_v1(
            ((extract(EPOCH FROM (entry).host_time) * 1000000)::bigint)::text
        )
        || audit_part_v1((entry).terminal_id::text)
        || audit_part_v1((entry).staff)
        || audit_part_v1((entry).role::text)
        || audit_part_v1((entry).operation::text)
        || audit_part_v1((entry).channel::text)
        || audit_part_v1((entry).request_id::text)
        || audit_part_v1((entry).card_id::text)
        || audit_part_v1((entry).transaction_id::text)
        || audit_part_v1((entry).result::text)
        || audit_part_v1((entry).replayed::int::text),
        'UTF8'
    )
);

-- Numbers and chains each row as it comes. The lock is the last thing that a
-- transaction takes before it commits, so whoever holds it waits for nobody.
CREATE FUNCTION chain_audit() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
BEGIN
    -- "scripaud" as a number.
    PERFORM pg_advisory_xact_lock(8314615134238635364);
    SELECT a.audit_id + 1, a.hash INTO NEW.audit_id, NEW.previous_hash
    FROM audit AS a
    ORDER BY a.audit_id DESC
    LIMIT 1;
    IF NOT FOUND THEN
        NEW.audit_id := 1;
        NEW.previous_hash := decode(repeat('00', 32), 'hex');
    END IF;
    NEW.hash := audit_hash_v1(NEW);
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION chain_audit() FROM public;

CREATE TRIGGER audit_chained
BEFORE INSERT ON audit
FOR EACH ROW EXECUTE FUNCTION chain_audit();

REVOKE ALL ON FUNCTION audit_part_v1(text) FROM public;
REVOKE ALL ON FUNCTION audit_hash_v1(audit) FROM public;

CREATE FUNCTION refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = 'audit_kept_check',
        TABLE = 'audit',
        MESSAGE = 'what is audited is never changed';
END
$$;
REVOKE ALL ON FUNCTION refuse_audit_change() FROM public;

CREATE TRIGGER audit_kept
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- What is wrong with the audit: rows that were changed, put in or taken out, and what
-- staff did without a row. For the check of the books, whoever runs it: it tells no more
-- than where to look.
CREATE FUNCTION audit_faults_v1(most integer)
RETURNS TABLE (audit_id bigint, transaction_id uuid, fault text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH chained AS (
        SELECT
            a AS entry,
            lag(a.audit_id, 1, 0::bigint) OVER chain AS id_before,
            lag(a.hash, 1, decode(repeat('00', 32), 'hex')) OVER chain AS hash_before
        FROM audit AS a
        WINDOW chain AS (ORDER BY a.audit_id)
    )

    (
        SELECT
            (c.entry).audit_id,
            (c.entry).transaction_id,
            CASE
                WHEN (c.entry).audit_id <> c.id_before + 1 THEN 'rows are missing before it'
                WHEN (c.entry).hash <> audit_hash_v1(c.entry) THEN 'its content was changed'
                ELSE 'the row before it was changed'
            END
        FROM chained AS c
        WHERE
            (c.entry).audit_id <> c.id_before + 1
            OR (c.entry).hash <> audit_hash_v1(c.entry)
            OR (c.entry).previous_hash <> c.hash_before
        ORDER BY (c.entry).audit_id
        LIMIT most
    )
    UNION ALL
    (
        SELECT
            a.audit_id,
            a.transaction_id,
            'its transaction says something else'
        FROM audit AS a
        LEFT JOIN transaction AS t ON a.transaction_id = t.transaction_id
        WHERE
            a.transaction_id IS NOT NULL
            AND (
                t.transaction_id IS NULL
                OR t.card_id IS DISTINCT FROM a.card_id
                OR t.result <> a.result
                OR t.terminal_id <> a.terminal_id
                OR t.actor IS DISTINCT FROM a.staff
            )
        LIMIT most
    )
    UNION ALL
    (
        SELECT
            NULL,
            t.transaction_id,
            'staff did this without a row'
        FROM transaction AS t
        WHERE
            t.actor IS NOT NULL
            AND t.request_id IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM audit AS a WHERE a.transaction_id = t.transaction_id
            )
        LIMIT most
    )
$$;
REVOKE ALL ON FUNCTION audit_faults_v1(integer) FROM public;
GRANT EXECUTE ON FUNCTION audit_faults_v1(integer)
TO scrip_gateway, scrip_admin, scrip_reader;

-- Workers only add, and cannot choose a row's place in the chain.
GRANT INSERT (
    host_time, terminal_id, staff, role, operation, channel, request_id, card_id,
    transaction_id, result, replayed
) ON audit TO scrip_gateway;
GRANT INSERT (transaction_id, requested_by, reason) ON adjustment TO scrip_gateway;
GRANT UPDATE (approval_id, approved_by) ON adjustment TO scrip_gateway;
GRANT SELECT ON adjustment TO scrip_gateway, scrip_admin, scrip_reader;
GRANT SELECT ON audit TO scrip_admin, scrip_reader;
