-- Whether an earlier start has made the books' database.
select exists (select from pg_database where datname = 'scrip');
