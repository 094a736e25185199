"""
Redis (or Valkey): what is live, shared by all workers, and may be lost at any moment.

Owns the function library in `lua/`, the keys under `{scrip}` and the adapter of the
port `Live`: budgets that throttle, and snapshots of balances for pages. Nothing here is
ever the basis of an approval (design 1). Imports no gRPC and no psycopg.
"""
