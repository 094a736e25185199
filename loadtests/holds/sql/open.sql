SELECT count(*) FROM hold WHERE state = 1;
