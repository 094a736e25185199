-- name: admin_insert_card_pins
-- The PINs of new cards, as their keyed tags.
INSERT INTO card_pin (card_id, key_id, tag)
SELECT
    given.card_id,
    %(key_id)s,
    given.tag
FROM unnest(%(card_ids)s::bigint [], %(tags)s::bytea []) AS given (card_id, tag);

-- name: admin_set_product_pins
-- What a product asks a PIN for, and when it locks; NULL leaves a figure as it is.
UPDATE card_product SET
    pin_required_for = %(required_for)s::smallint [],
    pin_max_tries = coalesce(%(max_tries)s, card_product.pin_max_tries),
    pin_lock_s = coalesce(%(lock_s)s, card_product.pin_lock_s)
FROM program AS g
WHERE
    card_product.program_id = g.program_id
    AND g.code = %(program)s
    AND card_product.code = %(product)s
RETURNING card_product.product_id;
