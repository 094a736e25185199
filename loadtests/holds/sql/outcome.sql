-- How long after its time each hold's RELEASE row was written, and how many it has.
WITH released AS (
    SELECT
        h.hold_id, count(t.transaction_id) AS releases,
        extract(EPOCH FROM min(t.host_time) - h.expires_at)::double precision AS lag_s
    FROM hold AS h
    LEFT JOIN transaction AS t
        ON t.original_transaction_id = h.hold_id AND t.activity = 11
    GROUP BY h.hold_id
)

SELECT
    count(*) AS holds,
    count(*) FILTER (WHERE releases = 1) AS once,
    count(*) FILTER (WHERE lag_s <= 2) AS in_time,
    min(lag_s) AS least_s,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY lag_s) AS p50_s,
    percentile_disc(0.9) WITHIN GROUP (ORDER BY lag_s) AS p90_s,
    percentile_disc(0.99) WITHIN GROUP (ORDER BY lag_s) AS p99_s,
    percentile_disc(0.999) WITHIN GROUP (ORDER BY lag_s) AS p999_s,
    max(lag_s) AS most_s
FROM released;
