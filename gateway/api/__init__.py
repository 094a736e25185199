"""
Speak gRPC with tills: read requests, answer them, and map faults to statuses.

Owns the wire: validation, identity of the caller, the canonical content that a
request's fingerprint is made of, the answer built from a record, and the server with
its drain. Decides nothing about money. Must not import books, live or vault: what it
needs of them comes in through `gateway.api.ports`.
"""
