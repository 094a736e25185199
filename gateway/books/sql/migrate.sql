-- What the runner of migrations needs before and around them.

-- name: migrate_ensure_roles
-- Create the roles that are absent, without passwords: who may connect as whom is the
-- business of pg_hba.conf. Let the owner own the schema. Needs a superuser, or
-- scrip_owner with CREATEROLE; where an administrator made all roles, scrip_owner does.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'scrip_owner', 'scrip_gateway', 'scrip_admin', 'scrip_reader'
    ] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            RAISE NOTICE 'another runner has just created %', wanted;
        END;
    END LOOP;
    -- The console comes as the owner and then acts with less rights.
    BEGIN
        GRANT scrip_admin, scrip_reader TO scrip_owner;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE NOTICE 'grant scrip_admin and scrip_reader to scrip_owner by hand';
    END;
    IF current_user <> 'scrip_owner' THEN
        EXECUTE format(
            'GRANT CREATE ON DATABASE %I TO scrip_owner', current_database()
        );
        GRANT USAGE, CREATE ON SCHEMA public TO scrip_owner;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
END
$$;

-- name: migrate_as_owner
-- Everything is made by, and belongs to, the owner's role.
SET ROLE scrip_owner;

-- name: migrate_limits
-- A migration gives up rather than stop the tills; a file may ask for more time.
SELECT
    set_config('lock_timeout', %(lock_timeout)s, true),
    set_config('statement_timeout', %(statement_timeout)s, true);

-- name: migrate_lock
-- One runner at a time, for as long as its connection lives.
SELECT pg_try_advisory_lock(7021490318) AS locked;

-- name: migrate_history_table
-- Where it stands which migrations ran, and what they were.
CREATE TABLE IF NOT EXISTS schema_migration (
    name text PRIMARY KEY,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: migrate_history_exists
-- Tell a database that was never migrated.
SELECT to_regclass('schema_migration') IS NOT NULL AS there;

-- name: migrate_history
-- What ran. Index: schema_migration_pkey.
SELECT name, sha256 FROM schema_migration ORDER BY name;

-- name: migrate_record
-- Record what just ran, in its own transaction.
INSERT INTO schema_migration (name, sha256) VALUES (%(name)s, %(sha256)s);
