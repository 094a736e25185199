SELECT t.terminal_id, s.merchant_id, s.store_id
FROM terminal AS t INNER JOIN store AS s USING (store_id);
