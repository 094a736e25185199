-- name: admin_set_hold_ttl
-- How long holds on the cards of a product live. Index: card_product_code_key.
UPDATE card_product SET hold_ttl_s = %(hold_ttl_s)s
FROM program AS g
WHERE
    card_product.program_id = g.program_id
    AND g.code = %(program)s
    AND card_product.code = %(product)s
RETURNING card_product.product_id;

-- name: admin_set_tip_tolerance
-- How much captures of a programme may exceed their holds. Index: program_code_key.
UPDATE program SET tip_tolerance_bps = %(bps)s
WHERE code = %(program)s
RETURNING program_id;
