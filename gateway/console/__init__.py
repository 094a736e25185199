"""
The operator's commands: `scrip serve`, `scrip store import`, `scrip books check`, ...

Owns what a person types and reads: options, CSV files, tables, progress, exit codes.
It asks the books, the vault and the runtime to act and holds no SQL and no secret.
Must not import psycopg, grpc or redis, nor anything of `till` or `settlement`.
"""
