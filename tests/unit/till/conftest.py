"""
A fake gateway on a Unix socket or with mutual TLS, and a client of it.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest

from gateway.vault.pki import LocalAuthority
from scrip.v1.card_service_pb2_grpc import add_CardServiceServicer_to_server
from tests.unit.till.fake_gateway import FakeGateway
from tests.unit.till.tls_site import Site, issue
from till import TillClient
from till.connection import channel_options


@pytest.fixture
async def gateway() -> FakeGateway:
    """
    Give the servicer that the client speaks to.
    """
    return FakeGateway()


@pytest.fixture
async def client(gateway: FakeGateway) -> AsyncIterator[TillClient]:
    """
    Give a client over a real channel, as tills have it but for TLS.
    """
    server = grpc.aio.server()
    add_CardServiceServicer_to_server(gateway, server)
    # A socket's path has about a hundred bytes, which pytest's folders may exceed.
    with TemporaryDirectory(prefix="till") as folder:
        address = f"unix:{Path(folder) / 'gateway'}"
        server.add_insecure_port(address)
        await server.start()
        channel = grpc.aio.insecure_channel(address, options=channel_options())
        async with TillClient([channel], timeout_s=5.0) as client:
            yield client
        await server.stop(None)


@pytest.fixture
async def site(tmp_path: Path, gateway: FakeGateway) -> AsyncIterator[Site]:
    """
    Run the fake gateway with mutual TLS.
    """
    authority = LocalAuthority.open_or_create(tmp_path / "authority")
    certificate, key = issue(tmp_path / "device", authority)
    server_pair = authority.issue_server(["localhost", "127.0.0.1"])
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 65_536)])
    add_CardServiceServicer_to_server(gateway, server)
    credentials = grpc.ssl_server_credentials(
        [(server_pair.key_pem, server_pair.cert_pem)],
        root_certificates=authority.certificate_pem,
        require_client_auth=True,
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    yield Site(f"127.0.0.1:{port}", certificate, key, authority.certificate_path)
    await server.stop(None)
