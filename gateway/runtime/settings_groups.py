"""
The groups of settings: each field with its unit, its bounds and one line on it.

A group checks what one field cannot: values that contradict each other.
"""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.runtime.settings_types import (
    OptionalFile,
    OptionalPort,
    PostgresUrl,
    RedisUrl,
)

_KIB: Final = 1024
_MIB: Final = 1024 * _KIB


class Group(BaseModel):
    """
    One group of settings; refuses names it does not know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class PostgresSettings(Group):
    """
    The books: where they are, and how long the lane waits for them.
    """

    url: PostgresUrl = Field(
        default=None,
        description="Address for the gateway's role; unset: start an embedded server.",
    )
    owner_url: PostgresUrl = Field(
        default=None,
        description="Address for the owner's role, for migrations and imports only.",
    )
    connect_timeout_ms: int = Field(
        default=2_000,
        ge=1_000,
        le=60_000,
        description="Longest wait for a new connection (libpq rounds to seconds).",
    )
    lock_timeout_ms: int = Field(
        default=250,
        ge=10,
        le=10_000,
        description="Longest wait of a batch for a row lock.",
    )
    statement_timeout_ms: int = Field(
        default=2_000,
        ge=50,
        le=60_000,
        description="Longest run of one statement of a batch.",
    )
    idle_in_transaction_timeout_ms: int = Field(
        default=2_000,
        ge=100,
        le=60_000,
        description="After so long without a statement a paused worker loses its lock.",
    )
    tcp_user_timeout_ms: int = Field(
        default=5_000,
        ge=500,
        le=120_000,
        description="Unacknowledged data on a TCP connection for so long ends it.",
    )
    embedded_start_timeout_s: int = Field(
        default=60,
        ge=2,
        le=3_600,
        description="Longest wait for the embedded server, crash recovery included.",
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.lock_timeout_ms > self.statement_timeout_ms:
            message = (
                "lock_timeout_ms must not exceed statement_timeout_ms: the statement "
                "would end before the lock wait does; lower the first or raise the last"
            )
            raise ValueError(message)
        if self.owner_url is not None and self.url is None:
            message = (
                "owner_url is set but url is not: the embedded server would be "
                "migrated elsewhere; set both or neither"
            )
            raise ValueError(message)
        return self


class RedisSettings(Group):
    """
    What is live: where it is, and when it counts as gone.
    """

    url: RedisUrl = Field(
        default=None,
        description="Address of Redis or Valkey; unset: start an embedded Valkey.",
    )
    timeout_ms: int = Field(
        default=50,
        ge=5,
        le=5_000,
        description="Longest wait for one call; after it the path goes on without.",
    )
    retry_after_ms: int = Field(
        default=250,
        ge=10,
        le=60_000,
        description="Once Redis failed, so long no call is tried (circuit breaker).",
    )
    embedded_start_timeout_s: int = Field(
        default=10,
        ge=1,
        le=600,
        description="Longest wait for the embedded Valkey to answer.",
    )
    embedded_memory_bytes: int = Field(
        default=256 * _MIB,
        ge=4 * _MIB,
        le=64 * 1024 * _MIB,
        description="Most memory for the embedded Valkey's data; nothing is evicted.",
    )


class GrpcSettings(Group):
    """
    The tills' side: the port, its limits and how it drains.
    """

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=255,
        description="Address to listen on; 0.0.0.0 or [::] for all.",
    )
    port: int = Field(
        default=7443, ge=0, le=65_535, description="Port; 0 picks a free one."
    )
    trust_domain: str = Field(
        default="scrip.internal",
        pattern=r"^[a-z0-9._-]{1,255}$",
        description="Trust domain of the URI names in devices' certificates.",
    )
    certificate_file: OptionalFile = Field(
        default=None,
        description="Server's certificate chain (PEM); unset: made in the data folder.",
    )
    private_key_file: OptionalFile = Field(
        default=None, description="Server's private key (PEM), of certificate_file."
    )
    client_ca_file: OptionalFile = Field(
        default=None, description="Authorities whose device certificates are accepted."
    )
    max_message_bytes: int = Field(
        default=64 * _KIB,
        ge=4 * _KIB,
        le=4 * _MIB,
        description="Longest message; a longer one is RESOURCE_EXHAUSTED.",
    )
    max_concurrent_streams: int = Field(
        default=1_024,
        ge=1,
        le=65_536,
        description="Most calls at once on one connection; more wait at the client.",
    )
    max_unanswered_items: int = Field(
        default=1_024,
        ge=1,
        le=65_536,
        description="Most unanswered items of a Transact stream; then it is not read.",
    )
    default_deadline_ms: int = Field(
        default=5_000,
        ge=100,
        le=60_000,
        description="Deadline of a call that brings none.",
    )
    keepalive_time_s: int = Field(
        default=30,
        ge=5,
        le=7_200,
        description="After so long without traffic the server pings a connection.",
    )
    keepalive_timeout_s: int = Field(
        default=10,
        ge=1,
        le=600,
        description="A ping unanswered for so long closes the connection.",
    )
    min_ping_interval_s: int = Field(
        default=10,
        ge=1,
        le=600,
        description="A client that pings more often is told to go away.",
    )
    max_connection_age_s: int = Field(
        default=3_600,
        ge=1,
        le=604_800,
        description="Connections are renewed after so long: spreads load, applies CAs.",
    )
    max_connection_age_grace_s: int = Field(
        default=30,
        ge=1,
        le=3_600,
        description="Calls of an aged connection may still run for so long.",
    )
    drain_notice_ms: int = Field(
        default=300,
        ge=0,
        le=60_000,
        description="On SIGTERM: health is NOT_SERVING so long before the port closes.",
    )
    drain_grace_s: int = Field(
        default=10,
        ge=1,
        le=600,
        description="On SIGTERM: calls in flight may still run for so long.",
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        files = (self.certificate_file, self.private_key_file, self.client_ca_file)
        if any(files) and not all(files):
            message = (
                "certificate_file, private_key_file and client_ca_file belong "
                "together: set all three or none"
            )
            raise ValueError(message)
        return self


class LaneSettings(Group):
    """
    The queue and the batches between the calls and the books.
    """

    queue_limit: int = Field(
        default=2_048,
        ge=1,
        le=65_536,
        description="Most requests waiting in a worker; more are RESOURCE_EXHAUSTED.",
    )
    # The books tell of one transaction more than this that followed an Activate
    # (lane.sql): what a batch undoes must never be all that it was told of.
    batch_limit: int = Field(
        default=256, ge=1, le=256, description="Most requests decided in one commit."
    )
    restart_limit: int = Field(
        default=3,
        ge=0,
        le=10,
        description="How often a batch starts again with a card or claim changed.",
    )
    retry_limit: int = Field(
        default=3,
        ge=0,
        le=10,
        description="How often a batch is repeated after a serialization failure.",
    )
    resolve_timeout_ms: int = Field(
        default=10_000,
        ge=500,
        le=300_000,
        description="How long a batch whose commit is unknown is run again.",
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.batch_limit > self.queue_limit:
            message = (
                "batch_limit must not exceed queue_limit: such a batch could never "
                "fill; lower the first or raise the last"
            )
            raise ValueError(message)
        return self


class LimitsSettings(Group):
    """
    Budgets that throttle; they decline nothing and record nothing.
    """

    terminal_requests_per_minute: int = Field(
        default=6_000,
        ge=1,
        le=10_000_000,
        description="Distinct requests one terminal may send in a minute.",
    )
    failed_lookups_per_terminal: int = Field(
        default=30,
        ge=1,
        le=1_000_000,
        description="Unknown cards one terminal may name in a window.",
    )
    failed_lookups_per_store: int = Field(
        default=100,
        ge=1,
        le=1_000_000,
        description="Unknown cards one store's terminals may name in a window.",
    )
    window_s: int = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Length of the window of failed look-ups.",
    )
    remember_s: int = Field(
        default=900,
        ge=1,
        le=86_400,
        description="How long a counted request id passes again without being counted.",
    )


class LoggingSettings(Group):
    """
    What is written to standard error, and how.
    """

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is written."
    )
    format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line, or text for a person."
    )
    flush_interval_ms: int = Field(
        default=200,
        ge=1,
        le=10_000,
        description="Longest time a line below warning stays in memory.",
    )
    buffer_limit_bytes: int = Field(
        default=4 * _MIB,
        ge=64 * _KIB,
        le=256 * _MIB,
        description="Most unwritten log; more is dropped and counted, not waited for.",
    )


class MetricsSettings(Group):
    """
    Figures for Prometheus, on the loopback address only.
    """

    port: OptionalPort = Field(
        default=None,
        ge=1,
        le=65_000,
        description="Port of the first worker; the next ones and the clerk follow it.",
    )


class SupervisorSettings(Group):
    """
    How `scrip serve` looks after its worker processes.
    """

    restart_limit_per_minute: int = Field(
        default=10,
        ge=0,
        le=1_000,
        description="More crashes of one process in a minute stop everything.",
    )
    ready_timeout_s: int = Field(
        default=30,
        ge=1,
        le=3_600,
        description="A worker that is not ready after so long counts as crashed.",
    )
    stop_grace_s: int = Field(
        default=20,
        ge=1,
        le=3_600,
        description="A worker still there so long after SIGTERM is killed.",
    )
