"""
A fake gateway on a Unix socket, and a client of it.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest

from scrip.v1.card_service_pb2_grpc import add_CardServiceServicer_to_server
from tests.unit.till.fake_gateway import FakeGateway
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
