"""
The books: Postgres, its schema, and the adapter of the money path.

Owns every statement of SQL, the migrations, the roles and their rights, and the check
of the books. Implements the ports of `gateway.engine`; no exception of the driver
leaves it. Imports no gRPC, no Redis and nothing of `gateway.api`, `live` or `vault`.
"""
