"""
What the integrator's guide shows is true and runs.
"""

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.unit.till.fake_gateway import FakeGateway
from tests.unit.till.tls_site import Site
from till import FileJournal, TillClient
from till.connection import SERVICE_CONFIG

GUIDE = Path(__file__).parents[3] / "docs" / "till-guide.md"


def blocks(language: str) -> list[str]:
    """
    Give the guide's blocks of one language.
    """
    text = GUIDE.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_guide_shows_the_retry_policy_in_use() -> None:
    """
    The service config in the guide is the one this client sets.
    """
    shown = [json.loads(block) for block in blocks("json")]

    assert [json.loads(SERVICE_CONFIG)] == shown


@pytest.fixture
def examples(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """
    Run the guide's Python, as a vendor would who has the three files.
    """
    shutil.copy(site.certificate, tmp_path / "device.crt")
    shutil.copy(site.key, tmp_path / "device.key")
    shutil.copy(site.authority, tmp_path / "ca.crt")
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks("python")).replace("pay.example.com:7443", site.address)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 -- it is our own document
    return names


async def test_the_guides_till_connects(
    examples: dict[str, Any], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The first example connects, and when it says so the connection is there.
    """
    states: list[grpc.ChannelConnectivity] = []
    connect = TillClient.connect

    async def noted(client: TillClient) -> None:
        states.extend(channel.get_state() for channel in client.channels)
        await connect(client)
        states.extend(channel.get_state() for channel in client.channels)

    monkeypatch.setattr(TillClient, "connect", noted)
    await examples["first_contact"]()

    assert site.address == examples["CONNECTION"].address
    assert [
        grpc.ChannelConnectivity.IDLE,
        grpc.ChannelConnectivity.READY,
    ] == states


async def test_the_guides_till_sells(
    examples: dict[str, Any], gateway: FakeGateway
) -> None:
    """
    The second example sells once, in dinars, and keeps no open entry.
    """
    said = await examples["sell"]("4111111111111111")

    assert "paid" == said
    assert 1 == len(gateway.seen)
    journal = FileJournal(Path("journal.jsonl"))
    assert [] == journal.open_entries()
    journal.close()


async def test_the_guides_plain_till_sells(
    examples: dict[str, Any], gateway: FakeGateway
) -> None:
    """
    The third example sells from a thread without a loop.
    """
    assert await asyncio.to_thread(examples["sell_plainly"], "4111111111111111")
    assert 1 == len(gateway.seen)


async def test_the_guides_controller_sells(
    examples: dict[str, Any], gateway: FakeGateway
) -> None:
    """
    The fourth example sells many over one stream.
    """
    paid = await examples["sell_many"](["4111111111111111"] * 20)

    assert 20 == paid
    assert 10_000 - 20 * 100 == gateway.balance
    assert 1 == gateway.streams
