"""
Services are added by name; no method is registered by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from grpc import aio
from grpc_health.v1 import health, health_pb2_grpc

from gateway.api.unregistered import unregistered

if TYPE_CHECKING:
    from collections.abc import Sequence


class Recorder:
    """
    A server that notes what it is told.
    """

    def __init__(self) -> None:
        self.services: list[str] = []
        self.registered: list[str] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[object]) -> None:
        """
        Note the services.
        """
        self.services += [handler.service_name() for handler in handlers]  # type: ignore[attr-defined]

    def add_registered_method_handlers(self, service_name: str, _: object) -> None:
        """
        Note what would make each call dearer.
        """
        self.registered.append(service_name)


def test_no_method_is_registered_by_itself() -> None:
    """
    A call costs the same however many methods there are: grpc.aio waits on each one.
    """
    recorder = Recorder()
    server = unregistered(cast("aio.Server", recorder))
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)

    assert recorder.services == ["grpc.health.v1.Health"]
    assert recorder.registered == []
