-- One programme, merchant and store with one terminal, and two reloadable dollar products:
-- one plain, and one for cards that restrictions are put on.
INSERT INTO program (code, name, time_zone) VALUES ('bench', 'Bench', 'UTC');
INSERT INTO merchant (code, name) VALUES ('bench', 'Bench');
INSERT INTO program_merchant (program_id, merchant_id)
SELECT p.program_id, m.merchant_id FROM program AS p CROSS JOIN merchant AS m;
INSERT INTO store (merchant_id, code, country, currencies, time_zone)
SELECT m.merchant_id, 'store', 'AE', '{USD}', 'UTC' FROM merchant AS m;
INSERT INTO terminal (store_id, code) SELECT s.store_id, 'till' FROM store AS s;
INSERT INTO device (store_id, code, kind, terminal_id)
SELECT t.store_id, 'till', 1, t.terminal_id FROM terminal AS t;
INSERT INTO card_product (program_id, code, currency, reloadable, permitted)
SELECT p.program_id, c.code, 'USD', true, '{1,2,3,5,9}'
FROM program AS p CROSS JOIN (VALUES ('usd'), ('restricted')) AS c (code);
