-- The check of the books: PINs.

-- name: check_pin_tries
-- A card's PIN was wrong, by each channel, at least as often as is recorded and as is
-- counted in a row: what forgives tries does not make them undone.
SELECT
    coalesce(c.card_id, t.card_id) AS card_id,
    coalesce(c.channel, t.channel) AS channel,
    c.tries,
    c.wrong_total,
    t.recorded
FROM card_pin_try AS c
FULL JOIN (
    -- 27 INCORRECT_PIN
    SELECT card_id, channel, count(*) AS recorded
    FROM transaction
    WHERE result = 27
    GROUP BY card_id, channel
) AS t USING (card_id, channel)
WHERE c.wrong_total IS NULL OR c.wrong_total < t.recorded OR c.wrong_total < c.tries
LIMIT %(most)s;

-- name: check_pin_counted
-- Each PIN that was wrong is a change of a card that has one; a PIN that was locked (29)
-- or missing (28) was not compared, and changes nothing.
SELECT t.transaction_id, t.card_id, t.result, t.card_seq, p.card_id AS pin_card_id
FROM transaction AS t
LEFT JOIN card_pin AS p USING (card_id)
WHERE
    t.result BETWEEN 27 AND 29
    AND (
        (t.result = 27) <> (t.card_seq IS NOT NULL)
        OR (t.result <> 28 AND p.card_id IS NULL)
    )
LIMIT %(most)s;
