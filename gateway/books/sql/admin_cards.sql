-- name: admin_insert_product
-- A new product.
INSERT INTO card_product (
    program_id, code, currency, reloadable, fixed_amount_minor, permitted,
    max_load_minor, max_redeem_minor, max_balance_minor, validity_days,
    cash_out_limit_minor,
    restriction_set_id, pin_required_for, pin_max_tries, pin_lock_s,
    hold_ttl_s
)
SELECT
    p.program_id,
    %(code)s,
    %(currency)s,
    %(reloadable)s,
    %(fixed_amount_minor)s,
    %(permitted)s::smallint [],
    %(max_load_minor)s,
    %(max_redeem_minor)s,
    %(max_balance_minor)s,
    %(validity_days)s,
    %(cash_out_limit_minor)s,
    %(restriction_set_id)s,
    %(pin_required_for)s::smallint [],
    %(pin_max_tries)s,
    %(pin_lock_s)s,
    %(hold_ttl_s)s
FROM program AS p
WHERE p.code = %(program)s;

-- name: admin_products
-- All products, or one by its programme and code.
SELECT
    g.code AS program,
    p.code,
    p.currency,
    p.reloadable,
    p.fixed_amount_minor,
    p.permitted,
    p.max_load_minor,
    p.max_redeem_minor,
    p.max_balance_minor,
    p.validity_days,
    p.cash_out_limit_minor,
    p.pin_required_for,
    p.pin_max_tries,
    p.pin_lock_s,
    p.hold_ttl_s,
    (
        SELECT r.code FROM restriction_set AS r
        WHERE r.restriction_set_id = p.restriction_set_id
    ) AS restriction,
    p.product_id
FROM card_product AS p
INNER JOIN program AS g USING (program_id)
WHERE
    (%(program)s::text IS NULL OR g.code = %(program)s)
    AND (%(product)s::text IS NULL OR p.code = %(product)s)
ORDER BY g.code, p.code;

-- name: admin_take_card_ids
-- Card ids to come: a number is encrypted for its card, so the id is known first.
SELECT nextval('card_card_id_seq') AS card_id
FROM generate_series(1, %(count)s::bigint);

-- name: admin_insert_cards
-- New cards, PENDING (2) and empty. One whose number exists already is left out
-- (card_number_index_key): chance met chance, and the caller draws another.
INSERT INTO card (
    card_id, program_id, product_id, currency, state,
    number_index, number_index_key_id, number_ciphertext, last_four, issue_batch_id
)
SELECT
    given.card_id,
    p.program_id,
    p.product_id,
    p.currency,
    2,
    given.number_index,
    %(index_key_id)s,
    given.number_ciphertext,
    given.last_four,
    %(issue_batch_id)s
FROM unnest(
    %(card_ids)s::bigint [],
    %(number_indexes)s::bytea [],
    %(number_ciphertexts)s::bytea [],
    %(last_fours)s::text []
) AS given (card_id, number_index, number_ciphertext, last_four)
CROSS JOIN card_product AS p
WHERE p.product_id = %(product_id)s
ON CONFLICT (number_index) DO NOTHING
RETURNING card_id;

-- name: admin_find_cards_by_number
-- Cards by the keyed hash of their numbers (card_number_index_key).
SELECT
    c.card_id,
    c.product_id,
    c.issue_batch_id,
    c.number_index
FROM card AS c
WHERE c.number_index = any(%(number_indexes)s::bytea []);

-- name: admin_cards
-- Cards to be shown to a person: by the keyed hash of the number
-- (card_number_index_key), or by the last four digits (reads all cards; bounded).
SELECT
    c.card_id,
    g.code AS program,
    p.code AS product,
    c.last_four,
    c.state,
    c.block_reason,
    c.currency,
    c.balance_minor,
    c.held_minor,
    c.unconfirmed_minor,
    c.expires_on,
    c.last_transaction_at,
    c.load_count,
    c.version,
    c.issue_batch_id,
    (
        SELECT r.code FROM restriction_set AS r
        WHERE r.restriction_set_id = c.restriction_set_id
    ) AS restriction,
    EXISTS (SELECT FROM card_pin AS n WHERE n.card_id = c.card_id) AS has_pin,
    coalesce((
        SELECT max(t.tries) FROM card_pin_try AS t WHERE t.card_id = c.card_id
    ), 0) AS pin_tries
FROM card AS c
INNER JOIN card_product AS p USING (product_id, program_id, currency)
INNER JOIN program AS g USING (program_id)
WHERE
    (%(number_index)s::bytea IS NULL OR c.number_index = %(number_index)s)
    AND (%(last_four)s::text IS NULL OR c.last_four = %(last_four)s)
ORDER BY c.card_id
LIMIT %(limit)s;
