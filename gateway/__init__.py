"""
The gateway: from a till's gRPC call to a committed ledger.

Each subpackage says in its own first lines what it owns. Imports go one way:
bootstrap, then the adapters (api, books, live, vault), then engine, then domain,
then currency. Nothing here imports settlement or till.
"""
