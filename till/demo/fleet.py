"""
Connect the tills of the chain, each with its own certificate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from till.client import Sender, TillClient
from till.connection import Connection
from till.demo.chain import CONTROLLER
from till.simulation.places import Store
from till.simulation.plan import SEED
from till.simulation.replay import TillName
from till.simulation.simulated_till import SimulatedTill
from till.simulation.tally import Tally
from till.stories.desk import Desk
from till.stream import TransactStream

# Every till of the chain shares this machine with the gateway.
CALL_TIMEOUT_S: Final = 20.0


class Fleet:
    """
    Hold the tills: most with a connection of their own, some behind a controller.

    A controller's tills share one Transact stream.
    """

    def __init__(
        self, stores: Iterable[Store], *, address: str, credentials: Path, tally: Tally
    ) -> None:
        self._stores = tuple(stores)
        self._address = address
        self._credentials = credentials
        self._tally = tally
        self._open = AsyncExitStack()
        self._devices = 0
        self.senders: dict[TillName, Sender] = {}
        self.tills: dict[TillName, SimulatedTill] = {}
        self.streams: list[TransactStream] = []

    async def __aenter__(self) -> Self:
        """
        Open all channels; each connects with its first call.
        """
        for store in self._stores:
            if store.controller:
                await self._add_controller(store)
            else:
                for terminal in store.terminals:
                    await self._add_till(store, terminal)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    def connection(self, store: Store, device: str) -> Connection:
        """
        Give what a device of a store connects with.
        """
        folder = device_folder(self._credentials, store, device)
        return Connection(
            address=self._address,
            certificate_file=folder / "device.crt",
            key_file=folder / "device.key",
            authority_file=folder / "ca.crt",
        )

    async def desk(self, name: TillName) -> Desk:
        """
        Connect somebody of the staff.
        """
        (store,) = (
            store
            for store in self._stores
            if (store.country.merchant, store.code) == (name.merchant, name.store)
        )
        client = await self._client(store, name.terminal)
        return Desk(client.channels[0], timeout_s=CALL_TIMEOUT_S)

    async def _add_till(self, store: Store, terminal: str) -> None:
        client = await self._client(store, terminal)
        self._add(store, terminal, client)

    async def _add_controller(self, store: Store) -> None:
        client = await self._client(store, CONTROLLER)
        stream = await self._open.enter_async_context(
            TransactStream(client.channels[0], timeout_s=CALL_TIMEOUT_S)
        )
        self.streams.append(stream)
        for terminal in store.terminals:
            self._add(store, terminal, stream)

    @property
    def connections(self) -> int:
        """
        Count the devices, which have a connection each.
        """
        return self._devices

    async def _client(self, store: Store, device: str) -> TillClient:
        self._devices += 1
        connection = await asyncio.to_thread(self.connection, store, device)
        return await self._open.enter_async_context(
            TillClient.open(connection, timeout_s=CALL_TIMEOUT_S)
        )

    def _add(self, store: Store, terminal: str, sender: Sender) -> None:
        name = TillName(store.country.merchant, store.code, terminal)
        self.senders[name] = sender
        self.tills[name] = SimulatedTill(
            sender, terminal, self._tally, chance=Random(f"{SEED}/{name}")
        )


def device_folder(credentials: Path, store: Store, device: str) -> Path:
    """
    Name the folder in which `scrip terminal import --out` puts a device's files.
    """
    return credentials / store.country.merchant / store.code / device


def visited_stores(
    stores: Iterable[Store], names: Iterable[TillName]
) -> tuple[Store, ...]:
    """
    Give the stores that a plan visits: only these need connections.
    """
    visited = {(name.merchant, name.store) for name in names}
    return tuple(
        store for store in stores if (store.country.merchant, store.code) in visited
    )
