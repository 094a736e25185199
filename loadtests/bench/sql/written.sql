SELECT
    (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS wal_bytes,
    (SELECT sum(xact_commit) FROM pg_stat_database)::bigint AS commits;
