"""
The gRPC server of one worker: mutual TLS, limits, health, reflection, and the drain.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from gateway.api.interceptor import Guard
from gateway.api.service import CardService
from gateway.api.staff_service import StaffService
from gateway.api.stream import Streams
from gateway.api.unregistered import unregistered
from gateway.runtime.settings_groups import GrpcSettings
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import card_service_pb2_grpc as pb_grpc
from scrip.v1 import staff_service_pb2 as staff_pb
from scrip.v1 import staff_service_pb2_grpc as staff_pb_grpc

# Private key, certificate chain and client authorities, all PEM.
ServerFiles = tuple[bytes, bytes, bytes]
FetchFiles = Callable[[], ServerFiles | None]

# More calls than this at once, streams included, are refused by the library. How many
# of them one certificate may have is in `gateway.api.crowd`.
MAX_CALLS: Final = 16_384

_HANDSHAKE_TIMEOUT_MS: Final = 10_000
_IDENTITY_ONLY: Final = 1
_POLL_S: Final = 0.01
_LAST_ANSWERS_S: Final = 0.25
# A watcher that does not read keeps the others from being told (of grpc_health).
_TELLING_S: Final = 0.5
_SERVICE: Final = pb.DESCRIPTOR.services_by_name["CardService"].full_name
_STAFF_SERVICE: Final = staff_pb.DESCRIPTOR.services_by_name["StaffService"].full_name
_SERVING: Final = health_pb2.HealthCheckResponse.SERVING


class GatewayServer:
    """
    Serve the card service and staff's on one port until drained.
    """

    def __init__(
        self,
        *,
        settings: GrpcSettings,
        service: CardService,
        staff: StaffService,
        guard: Guard,
        streams: Streams,
        fetch_files: FetchFiles,
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._streams = streams
        self._health = health.aio.HealthServicer()
        self._server = aio.server(
            interceptors=[guard],
            options=_options(settings),
            maximum_concurrent_rpcs=MAX_CALLS,
        )
        adding = unregistered(self._server)
        pb_grpc.add_CardServiceServicer_to_server(service, adding)
        staff_pb_grpc.add_StaffServiceServicer_to_server(staff, adding)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, adding)
        names = (
            _SERVICE,
            _STAFF_SERVICE,
            reflection.SERVICE_NAME,
            "grpc.health.v1.Health",
        )
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(  # type: ignore[no-untyped-call]
            reflection.aio.ReflectionServicer(names), adding
        )
        self._credentials = _credentials(fetch_files)

    async def start(self) -> int:
        """
        Listen, and give the port.

        Raises:
            RuntimeError: the address cannot be bound.

        """
        host = self._settings.host.strip("[]")
        host = f"[{host}]" if ":" in host else host
        port = self._server.add_secure_port(
            f"{host}:{self._settings.port}", self._credentials
        )
        await self._server.start()
        await self._health.set(_SERVICE, _SERVING)
        await self._health.set(_STAFF_SERVICE, _SERVING)
        return port

    async def drain(self) -> None:
        """
        Finish what has begun and take nothing new (parts B).

        Health says so first, for balancers; then the port closes, streams answer what
        they have read, and calls may run on for the grace. Health watchers, who would
        stay for ever, do not hold it up.
        """
        settings = self._settings
        telling = asyncio.create_task(self._health.enter_graceful_shutdown())
        await asyncio.wait([telling], timeout=_TELLING_S)
        await asyncio.sleep(settings.drain_notice_ms / 1_000)
        self._streams.drain()
        stopping = asyncio.create_task(self._server.stop(settings.drain_grace_s))
        # The count falls with calls that end: it is no event that could be awaited.
        while self._guard.running and not stopping.done():  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        await asyncio.wait([stopping], timeout=_LAST_ANSWERS_S)
        await self._server.stop(None)
        await stopping
        telling.cancel()
        await asyncio.wait([telling])


def _options(settings: GrpcSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_concurrent_streams", settings.max_concurrent_streams),
        # A small message may not unfold into a large one.
        ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_ONLY),
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_TIMEOUT_MS),
        ("grpc.keepalive_time_ms", settings.keepalive_time_s * 1_000),
        ("grpc.keepalive_timeout_ms", settings.keepalive_timeout_s * 1_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        (
            "grpc.http2.min_recv_ping_interval_without_data_ms",
            settings.min_ping_interval_s * 1_000,
        ),
        ("grpc.max_connection_age_ms", settings.max_connection_age_s * 1_000),
        (
            "grpc.max_connection_age_grace_ms",
            settings.max_connection_age_grace_s * 1_000,
        ),
    ]


def _credentials(fetch_files: FetchFiles) -> grpc.ServerCredentials:
    """
    Present the newest certificate and trust the newest authorities at each handshake.
    """

    def configuration() -> grpc.ServerCertificateConfiguration | None:
        files = fetch_files()
        if files is None:
            return None
        key, chain, authorities = files
        return grpc.ssl_server_certificate_configuration(
            [(key, chain)], root_certificates=authorities
        )

    first = configuration()
    if first is None:
        message = "the first fetch gives the credentials"
        raise ValueError(message)
    return grpc.dynamic_ssl_server_credentials(
        first,
        configuration,  # type: ignore[arg-type] # None, which the stub forgets: as before
        require_client_authentication=True,
    )
