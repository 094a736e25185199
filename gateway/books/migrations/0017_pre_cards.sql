-- Cards that are blocked, closed and replaced, and the line of those that took each
-- other's place.
-- statement_timeout: 1min
--
-- No card is replaced yet and products are a few rows, so what is added may be checked
-- as it goes.
-- squawk-ignore-file require-concurrent-index-creation

-- A card takes the place of one other at most.
CREATE UNIQUE INDEX card_replaced_by_key ON card (replaced_by)
WHERE replaced_by IS NOT NULL;

-- The last of the cards that took each other's place, for every card. A generation is 0
-- on the last, -1 on the one before it, and so on: of two transactions of one line the
-- later one has the greater (generation, card_seq).
CREATE VIEW card_line_v1 AS
WITH RECURSIVE line (card_id, last_card_id, generation) AS (
    SELECT
        c.card_id,
        c.card_id,
        0
    FROM card AS c
    WHERE c.replaced_by IS NULL
    UNION ALL
    SELECT
        c.card_id,
        line.last_card_id,
        line.generation - 1
    FROM line
    INNER JOIN card AS c ON line.card_id = c.replaced_by
)

SELECT
    line.card_id,
    line.last_card_id,
    line.generation
FROM line;

GRANT SELECT ON card_line_v1 TO scrip_gateway, scrip_reader;

-- 12 BLOCK: a till may block whatever card it sees, unless its product says otherwise
-- from now on.
UPDATE card_product SET permitted = array_append(permitted, 12::smallint)
WHERE 12 <> ALL(permitted);
