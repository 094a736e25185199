"""
How a till reaches the gateway: the address, mutual TLS and the retry policy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

SERVICE: Final = "scrip.v1.CardService"
MAX_CONNECTIONS: Final = 64
DEFAULT_TIMEOUT_S: Final = 5.0

# A server that stops ends the calls on the wire with CANCELLED, not UNAVAILABLE: both
# must be retried. That is safe, because a request id is done at most once.
SERVICE_CONFIG: Final = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{"service": SERVICE}],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.02s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
                },
            }
        ]
    }
)

# The gateway tells clients that ping more often than every 10 s to go away.
KEEPALIVE_TIME_MS: Final = 30_000
KEEPALIVE_TIMEOUT_MS: Final = 10_000
# gRPC waits longer after each failed connect, up to two minutes by itself; a shop
# wants its till back sooner.
MAX_RECONNECT_BACKOFF_MS: Final = 5_000


class CredentialError(ValueError):
    """
    Say which file of the till's identity cannot be used, and why.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """
    Be where the gateway is and who the till is.

    Args:
        address: host and port, as `pay.example.com:7443`.
        certificate_file: the device's certificate, PEM.
        key_file: its private key, PEM.
        authority_file: the authority that the gateway's own certificate comes from.
        connections: how many connections to spread calls over. One is right for a
            till; a controller or a load generator takes 8 for every 2 workers.
        server_name: the name in the gateway's certificate, where the address has
            another.

    """

    address: str
    certificate_file: Path
    key_file: Path
    authority_file: Path
    connections: int = 1
    server_name: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= MAX_CONNECTIONS:
            raise ValueError(f"connections is 1 to {MAX_CONNECTIONS}")

    def credentials(self) -> grpc.ChannelCredentials:
        """
        Read the files, or raise CredentialError.
        """
        key = _read_pem(self.key_file, what="private key", marker=b"PRIVATE KEY-----")
        certificate = _read_pem(self.certificate_file, what="certificate")
        authority = _read_pem(self.authority_file, what="authority's certificate")
        return grpc.ssl_channel_credentials(
            root_certificates=authority, private_key=key, certificate_chain=certificate
        )

    def open_channels(self) -> list[grpc.aio.Channel]:
        """
        Open the channels; each has a connection of its own, made at its first call.
        """
        credentials = self.credentials()
        options = channel_options(self.server_name)
        return [
            grpc.aio.secure_channel(self.address, credentials, options=options)
            for _ in range(self.connections)
        ]


def channel_options(server_name: str = "") -> list[tuple[str, str | int]]:
    """
    Give the options every till should use.
    """
    options: list[tuple[str, str | int]] = [
        ("grpc.service_config", SERVICE_CONFIG),
        ("grpc.enable_retries", 1),
        # Without it, channels of equal options share one connection, and with it one
        # worker of the gateway.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_BACKOFF_MS),
    ]
    if server_name:
        options.append(("grpc.ssl_target_name_override", server_name))
    return options


def _read_pem(
    path: Path, *, what: str, marker: bytes = b"BEGIN CERTIFICATE-----"
) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CredentialError(f"{what}: {path} cannot be read: {reason}") from error
    if marker not in content:
        raise CredentialError(f"{what}: {path} is not a {what} in PEM form")
    return content
