"""
The embedded stores: what `scrip serve` starts when no database is configured.
"""

from gateway.runtime.data_folder import DataFolder
from gateway.runtime.embedded_postgres import (
    DATABASE,
    GATEWAY_ROLE,
    OWNER_ROLE,
    SUPERUSER,
    EmbeddedPostgres,
)
from gateway.runtime.embedded_server import EmbeddedServer, EmbeddedServerError
from gateway.runtime.embedded_valkey import EmbeddedValkey

__all__ = [
    "DATABASE",
    "GATEWAY_ROLE",
    "OWNER_ROLE",
    "SUPERUSER",
    "DataFolder",
    "EmbeddedPostgres",
    "EmbeddedServer",
    "EmbeddedServerError",
    "EmbeddedValkey",
]
