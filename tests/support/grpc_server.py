"""
The real gRPC server over real mutual TLS, with lanes that need no stores.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from grpc import aio

from gateway.api.calls import CallLog
from gateway.api.entrance import Entrance
from gateway.api.identity import Identities
from gateway.api.intake import Intake
from gateway.api.interceptor import Guard
from gateway.api.ports import Sealer
from gateway.api.reading_requests import RequestReader
from gateway.api.server import GatewayServer
from gateway.api.service import CardService
from gateway.api.staff_requests import StaffRequestReader
from gateway.api.staff_service import StaffIntake, StaffService
from gateway.api.stream import StreamBounds, Streams
from gateway.bootstrap.sealing import DeviceCertificates
from gateway.domain.errors import TransactionNotFoundError
from gateway.domain.ids import TransactionId
from gateway.runtime.metrics import Metrics
from gateway.runtime.settings_groups import GrpcSettings
from gateway.vault.pki import (
    KeyPair,
    LocalAuthority,
    certificate_sha256,
    server_credentials_fetcher,
)
from scrip.v1 import card_service_pb2_grpc as pb_grpc
from tests.support import wire
from tests.support.wire import DecidingLane, KnownPolicies, RefusingQuestions

TRUST_DOMAIN = "scrip.internal"
WORKER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """
    A server that runs, what stands behind it, and a certificate that it knows.
    """

    port: int
    server: GatewayServer
    lane: DecidingLane
    questions: RefusingQuestions
    policies: KnownPolicies
    metrics: Metrics
    guard: Guard
    authority: LocalAuthority
    till: KeyPair

    def credentials(
        self,
        device: KeyPair | None = None,
        *,
        authority: LocalAuthority | None = None,
    ) -> grpc.ChannelCredentials:
        """
        Make what a till shows and trusts.
        """
        pair = device or self.till
        trusted = (authority or self.authority).certificate_pem
        return grpc.ssl_channel_credentials(trusted, pair.key_pem, pair.cert_pem)

    def channel(
        self,
        device: KeyPair | None = None,
        *,
        options: Sequence[tuple[str, Any]] = (),
        compression: grpc.Compression | None = None,
    ) -> aio.Channel:
        """
        Open a connection of its own.
        """
        return aio.secure_channel(
            f"127.0.0.1:{self.port}",
            self.credentials(device),
            options=[("grpc.use_local_subchannel_pool", 1), *options],
            compression=compression,
        )

    def stub(self, channel: aio.Channel) -> pb_grpc.CardServiceAsyncStub:
        """
        Give the generated stub.
        """
        return pb_grpc.CardServiceStub(channel)


def issue(authority: LocalAuthority, device: str = "till-1") -> KeyPair:
    """
    Issue a certificate of the world's store.
    """
    return authority.issue_device(
        trust_domain=TRUST_DOMAIN,
        merchant="m-1",
        store="s-1",
        device=device,
        kind="TERMINAL",
    )


class NothingExplained:
    """
    Know no transaction: what is explained is tested on real books.
    """

    async def explain(self, transaction_id: TransactionId) -> None:
        """
        Find none.
        """

    async def clock(self) -> datetime:
        """
        Read the machine's clock.
        """
        return datetime.now(UTC)


def _staff_service(
    entrance: Entrance,
    sealer: Sealer,
    lane: DecidingLane,
    questions: RefusingQuestions,
    policies: KnownPolicies,
) -> StaffService:
    intake = StaffIntake(
        entrance=entrance,
        reader=StaffRequestReader(sealer),
        lane=lane,
        questions=questions,
        audit=wire.KeptAudit(),
        explanations=NothingExplained(),
        policies=policies,
    )
    return StaffService(intake=intake, policies=policies)


@asynccontextmanager
async def serving(
    folder: Path, *, free: int = 1_000, **settings: Any
) -> AsyncIterator[Served]:
    """
    Serve on a free port until the block is left.
    """
    authority = LocalAuthority.open_or_create(folder / "authority")
    cert_path, key_path = folder / "server.crt", folder / "server.key"
    authority.issue_server(["localhost", "127.0.0.1"]).write(key_path, cert_path)
    till = issue(authority)
    policies = KnownPolicies(
        wire.policy_with_devices(sha256=certificate_sha256(till.cert_pem))
    )
    lane = DecidingLane(policies, free=free)
    questions = RefusingQuestions(TransactionNotFoundError(final=False))
    metrics = Metrics()
    call_log = CallLog(metrics)
    entrance = Entrance(policies)
    grpc_settings = GrpcSettings(
        **({"port": 0, "drain_notice_ms": 0, "drain_grace_s": 5} | settings)
    )
    with wire.sealer() as sealer:
        intake = Intake(
            entrance=entrance,
            reader=RequestReader(sealer),
            lane=lane,
            questions=questions,
        )
        streams = Streams(
            intake=intake,
            policies=policies,
            call_log=call_log,
            bounds=StreamBounds(
                max_unanswered=grpc_settings.max_unanswered_items,
                item_deadline_s=grpc_settings.default_deadline_ms / 1_000,
            ),
        )
        guard = Guard(
            identities=Identities(DeviceCertificates(TRUST_DOMAIN)),
            entrance=entrance,
            call_log=call_log,
            worker=WORKER,
            default_deadline_s=grpc_settings.default_deadline_ms / 1_000,
        )
        server = GatewayServer(
            settings=grpc_settings,
            service=CardService(intake=intake, policies=policies, streams=streams),
            staff=_staff_service(entrance, sealer, lane, questions, policies),
            guard=guard,
            streams=streams,
            fetch_files=server_credentials_fetcher(
                cert_path, key_path, authority.certificate_path
            ),
        )
        port = await server.start()
        try:
            yield Served(
                port=port,
                server=server,
                lane=lane,
                questions=questions,
                policies=policies,
                metrics=metrics,
                guard=guard,
                authority=authority,
                till=till,
            )
        finally:
            lane.release()
            await server.drain()


async def until(holds: Callable[[], bool]) -> None:
    """
    Wait until something holds, at most five seconds.
    """
    async with asyncio.timeout(5):
        # What is waited for tells nobody when it comes true.
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
