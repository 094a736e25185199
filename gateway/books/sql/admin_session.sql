-- name: admin_settings
-- Makes a connection the console's: its role, UTC, and no endless wait for a lock.
SELECT
    set_config('role', %(role)s, false),
    set_config('timezone', 'UTC', false),
    set_config('lock_timeout', %(lock_timeout)s, false),
    set_config('idle_in_transaction_session_timeout', %(idle_timeout)s, false);

-- name: admin_clock
-- The gateway's clock, how far it is shifted, and whether anything was recorded yet.
SELECT
    scrip_clock() AS now,
    shift
FROM clock_offset;

-- name: admin_shift_clock_to
-- Owner only. Seconds alone: days of an interval would follow the session's time zone.
UPDATE clock_offset
SET shift = make_interval(
    secs => extract(EPOCH FROM %(now)s::timestamptz - clock_timestamp())::float8
)
RETURNING scrip_clock() AS now, shift;

-- name: admin_shift_clock_by
-- Owner only.
UPDATE clock_offset
SET shift = shift + make_interval(secs => extract(EPOCH FROM %(by)s::interval)::float8)
RETURNING scrip_clock() AS now, shift;
