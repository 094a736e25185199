INSERT INTO card (
    card_id, program_id, product_id, number_index, number_index_key_id,
    number_ciphertext, last_four, state, currency
)
SELECT
    given.card_id, p.program_id, p.product_id, given.number_index, %(key_id)s,
    given.number_ciphertext, given.last_four, 2, p.currency
FROM unnest(
    %(ids)s::bigint[], %(indexes)s::bytea[], %(ciphertexts)s::bytea[],
    %(last_fours)s::text[]
) AS given (card_id, number_index, number_ciphertext, last_four)
INNER JOIN card_product AS p ON p.code = %(product)s;
