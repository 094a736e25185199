-- No more is given back of a day than was counted on it: rounding may free a cent more by
-- a reversed increment than it held. gateway/domain/counting.py says the same.

-- What the transactions of a card's last counted day come to, whoever counts.
-- What a hold's card no longer keeps is given back on the day it was placed, on that card;
-- on another day or card a reversed increment gives back what it counted there, at most.
CREATE OR REPLACE VIEW card_use_v1 AS
SELECT
    step.card_id,
    coalesce(sum(step.load_minor), 0)::bigint AS load_minor,
    coalesce(sum(step.loads), 0)::bigint AS loads,
    coalesce(sum(step.spend_minor), 0)::bigint AS spend_minor,
    coalesce(sum(step.spends), 0)::bigint AS spends
FROM (
    SELECT
        t.card_id,
        CASE
            WHEN t.activity IN (1, 2) THEN t.card_minor
            WHEN undone.activity IN (1, 2) THEN -undone.card_minor
        END AS load_minor,
        CASE
            WHEN t.activity IN (1, 2) AND t.card_minor > 0 THEN 1
            WHEN undone.activity IN (1, 2) AND undone.card_minor > 0 THEN -1
        END AS loads,
        CASE
            WHEN t.activity IN (3, 6, 9) THEN t.card_minor
            WHEN undone.activity IN (3, 6) THEN -undone.card_minor
            WHEN undone.activity = 9 AND of_today
                THEN t.available_before_minor - t.available_after_minor
            WHEN undone.activity = 9
                THEN greatest(
                    t.available_before_minor - t.available_after_minor,
                    -undone.card_minor
                )
            WHEN undone.activity = 10 AND of_today
                THEN t.available_before_minor - t.available_after_minor
            WHEN t.activity IN (10, 11) AND of_today
                THEN t.available_before_minor - t.available_after_minor
            WHEN t.activity IN (10, 11)
                THEN greatest(t.available_before_minor - t.available_after_minor, 0)
        END AS spend_minor,
        CASE
            WHEN t.activity IN (3, 6) THEN 1
            WHEN t.activity = 9 AND t.original_transaction_id IS NULL THEN 1
            WHEN undone.activity IN (3, 6) THEN -1
            WHEN undone.activity = 9 AND undone.original_transaction_id IS NULL THEN -1
        END AS spends
    FROM card AS c
    INNER JOIN program AS p USING (program_id)
    INNER JOIN transaction AS t
        ON
            c.card_id = t.card_id
            AND t.card_seq IS NOT NULL
            AND t.result <= 2
            AND c.counted_on = (t.host_time AT TIME ZONE p.time_zone)::date
    LEFT JOIN transaction AS undone
        ON
            t.activity IN (4, 8)
            AND t.effective
            AND t.original_transaction_id = undone.transaction_id
            AND t.card_id = undone.card_id
            AND (
                undone.activity = 10
                OR c.counted_on = (undone.host_time AT TIME ZONE p.time_zone)::date
            )
    LEFT JOIN hold_step AS s ON t.transaction_id = s.transaction_id
    LEFT JOIN hold_step AS o ON undone.transaction_id = o.transaction_id
    LEFT JOIN transaction AS placed
        ON coalesce(s.hold_id, o.hold_id) = placed.transaction_id
    CROSS JOIN LATERAL (
        SELECT coalesce(
            placed.card_id = t.card_id
            AND c.counted_on = (placed.host_time AT TIME ZONE p.time_zone)::date,
            false
        ) AS of_today
    ) AS hold
) AS step
GROUP BY step.card_id;
