"""
The benchmark: the gateway and the limit side by side, in one run (`make bench`).

Owns the systems that are measured, the load generator, pgbench's script and the report.
Imports the gateway's packages to set a system up, never to take part in a measured run.
"""
