"""
Own the secrets: key ring, card numbers, keyed hashes and device certificates.

Nothing outside this package sees a key, and only what asks by name (`.digits`)
sees a full card number. The package is plain computation and files: it must not
import grpc, psycopg, redis or pydantic, nor anything of ours.
"""
