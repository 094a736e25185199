"""
Measure Scrip: the benchmark against the limit of the machine it runs on.

Owns the load generator, the pgbench limit and their report. May import anything;
nothing imports it.
"""
