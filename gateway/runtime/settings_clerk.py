"""
The clerk's settings: how often it looks, and how much it does at once.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from gateway.runtime.settings_groups import Group


class ClerkSettings(Group):
    """
    The process that releases the holds nobody touches.
    """

    enabled: bool = Field(
        default=True, description="Whether `scrip serve` runs a clerk beside workers."
    )
    poll_ms: int = Field(
        default=250,
        ge=10,
        le=10_000,
        description="Longest time between two looks at what Redis says is due.",
    )
    gather_ms: int = Field(
        default=100,
        ge=1,
        le=2_000,
        description="Under load: so long the next releases gather for one commit.",
    )
    look_interval_ms: int = Field(
        default=10_000,
        ge=1_000,
        le=600_000,
        description="How often the books are asked for what Redis did not tell.",
    )
    look_without_redis_ms: int = Field(
        default=1_000,
        ge=100,
        le=60_000,
        description="The same while Redis is away or does not know of all holds.",
    )
    reload_interval_s: int = Field(
        default=3_600,
        ge=10,
        le=86_400,
        description="How often Redis is told of all open holds, in case it lost some.",
    )
    lease_ms: int = Field(
        default=5_000,
        ge=1_000,
        le=60_000,
        description="A hold taken by a clerk that is gone comes again after so long.",
    )
    in_flight_limit: int = Field(
        default=512,
        ge=1,
        le=2_048,
        description="Most holds whose release is under way at once.",
    )
    retry_limit: int = Field(
        default=5,
        ge=1,
        le=100,
        description="How often a release is tried, with pauses, before the next look.",
    )
    sweep_timeout_ms: int = Field(
        default=5_000,
        ge=100,
        le=60_000,
        description="Longest wait of a release in the clerk's lane.",
    )
    live_holds_limit: int = Field(
        default=500_000,
        ge=1_000,
        le=50_000_000,
        description="Most holds in Redis, the soonest (about 130 bytes each).",
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.look_without_redis_ms > self.look_interval_ms:
            message = (
                "look_without_redis_ms must not exceed look_interval_ms: without Redis "
                "the books are asked more often, not less; lower the first"
            )
            raise ValueError(message)
        return self
