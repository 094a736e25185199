-- What the policy was at each of its versions, so that a decision can be explained by
-- the rules that it saw. Rates and the content of restriction versions never change and
-- need no history.
-- statement_timeout: 10min
--
-- squawk-ignore-file require-concurrent-index-creation
-- squawk-ignore-file constraint-missing-not-valid, ban-drop-constraint

-- Room for the holds of a card that is replaced.
ALTER TABLE transaction DROP CONSTRAINT transaction_seen_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_seen_check
CHECK (octet_length(seen) <= 65536);

-- One row for each change of a row that decisions look at. Inserted, never changed.
CREATE TABLE policy_history (
    history_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy_version bigint NOT NULL CHECK (policy_version >= 1),
    table_name text NOT NULL,
    row_key jsonb NOT NULL,
    -- NULL: it was taken out.
    content jsonb
);

CREATE INDEX policy_history_row_idx
ON policy_history (table_name, row_key, history_id);

-- The columns of the key are the trigger's arguments. The change has raised the version
-- before (raise_policy_version), and keeps it locked until it commits: triggers fire in
-- the order of their names, and _remembered comes after _policy.
CREATE FUNCTION keep_policy_history() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
DECLARE
    changed jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO public.policy_history (policy_version, table_name, row_key, content)
    SELECT
        p.version,
        TG_TABLE_NAME,
        (SELECT jsonb_object_agg(k, changed -> k) FROM unnest(TG_ARGV) AS k),
        CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE changed END
    FROM public.policy_version AS p;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION keep_policy_history() FROM public;

-- The rows of a table as they were at the version that the session names.
CREATE FUNCTION policy_rows_at(wanted text) RETURNS SETOF jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, public
AS $$
    SELECT h.content
    FROM (
        SELECT DISTINCT ON (row_key) row_key, content
        FROM public.policy_history
        WHERE table_name = wanted
            AND policy_version <= current_setting('scrip.policy_version')::bigint
        ORDER BY row_key, history_id DESC
    ) AS h
    WHERE h.content IS NOT NULL
$$;
REVOKE ALL ON FUNCTION policy_rows_at(text) FROM public;
GRANT EXECUTE ON FUNCTION policy_rows_at(text) TO scrip_gateway, scrip_reader;

-- Tables of the policy as they were: who sets search_path = policy_at, public and
-- scrip.policy_version reads an old policy by the queries that read the new one. A
-- migration that adds a column to one of these tables makes its view again.
CREATE SCHEMA policy_at;
GRANT USAGE ON SCHEMA policy_at TO scrip_gateway, scrip_reader;

CREATE VIEW policy_at.policy_version AS
SELECT current_setting('scrip.policy_version')::bigint AS version;
GRANT SELECT ON policy_at.policy_version TO scrip_gateway, scrip_reader;

CREATE FUNCTION remember_policy_of(kept text, VARIADIC key text []) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
DECLARE
    arguments text := (SELECT string_agg(quote_literal(k), ', ') FROM unnest(key) AS k);
BEGIN
    EXECUTE format(
        'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON public.%I '
        'FOR EACH ROW EXECUTE FUNCTION public.keep_policy_history(%s)',
        kept || '_remembered', kept, arguments
    );
    EXECUTE format(
        'INSERT INTO public.policy_history '
        '(policy_version, table_name, row_key, content) '
        'SELECT p.version, %L, '
        '(SELECT jsonb_object_agg(k, to_jsonb(t) -> k) FROM unnest(%L::text[]) AS k), '
        'to_jsonb(t) FROM public.policy_version AS p CROSS JOIN public.%I AS t',
        kept, key, kept
    );
    PERFORM public.show_policy_of(kept);
END
$$;
REVOKE ALL ON FUNCTION remember_policy_of(text, text []) FROM public;

CREATE FUNCTION show_policy_of(kept text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    EXECUTE format('DROP VIEW IF EXISTS policy_at.%I', kept);
    EXECUTE format(
        'CREATE VIEW policy_at.%I AS SELECT r.* FROM public.policy_rows_at(%L) AS h '
        'CROSS JOIN LATERAL jsonb_populate_record(NULL::public.%I, h) AS r',
        kept, kept, kept
    );
    EXECUTE format(
        'GRANT SELECT ON policy_at.%I TO scrip_gateway, scrip_reader', kept
    );
END
$$;
REVOKE ALL ON FUNCTION show_policy_of(text) FROM public;

SELECT remember_policy_of('program', 'program_id');
SELECT remember_policy_of('merchant', 'merchant_id');
SELECT remember_policy_of('program_merchant', 'program_id', 'merchant_id');
SELECT remember_policy_of('store', 'store_id');
SELECT remember_policy_of('store_group_member', 'store_id', 'store_group_id');
SELECT remember_policy_of('terminal', 'terminal_id');
SELECT remember_policy_of('device', 'device_id');
SELECT remember_policy_of('card_product', 'product_id');
SELECT remember_policy_of('currency_rule', 'currency');
SELECT remember_policy_of(
    'cash_out_rule', 'jurisdiction', 'effective_from', 'cards'
);
SELECT remember_policy_of('issue_batch', 'issue_batch_id');
SELECT remember_policy_of('restriction_version', 'restriction_version_id');
SELECT remember_policy_of('limit_version', 'limit_version_id');

GRANT SELECT ON policy_history TO scrip_gateway, scrip_reader;

-- An audit row of an explanation names a transaction that is somebody else's.
CREATE OR REPLACE FUNCTION audit_faults_v1(most integer)
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
                OR (
                    -- 8 EXPLAIN names what was looked at, whoever did that.
                    a.operation <> 8
                    AND (
                        t.result <> a.result
                        OR t.terminal_id <> a.terminal_id
                        OR t.actor IS DISTINCT FROM a.staff
                    )
                )
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
                SELECT FROM audit AS a
                WHERE a.transaction_id = t.transaction_id AND a.operation <> 8
            )
        LIMIT most
    )
$$;
