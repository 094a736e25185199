-- The console's role chooses neither what a new card holds nor what an import is.

REVOKE INSERT ON card, rate_table FROM scrip_admin;
GRANT INSERT (
    card_id, program_id, product_id, number_index, number_index_key_id,
    number_ciphertext, last_four, state, currency
) ON card TO scrip_admin;
GRANT INSERT (source, loaded_by, approved_by) ON rate_table TO scrip_admin;
