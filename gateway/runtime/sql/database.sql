-- The books' database, in a statement of its own: it cannot be in a transaction.
create database scrip owner scrip_owner;
