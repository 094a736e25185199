"""
A real gateway for tests: worker processes, a database and devices of its own.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from select import select
from typing import Any, Final

import psycopg

from gateway.domain.ids import TransactionId
from gateway.runtime.data_folder import DataFolder
from gateway.runtime.fault_points import FaultOrder, order_path
from gateway.runtime.leash import Program, start_leashed
from gateway.runtime.processes import READY_OPTION
from gateway.vault.keyring import LocalKeyring
from gateway.vault.numbers import CardNumber, NumberVault, generate_card_numbers
from gateway.vault.pins import Pin, PinVault
from gateway.vault.pki import KeyPair, LocalAuthority
from tests.support.books_check import require_sound_books
from tests.support.explained import require_explained
from tests.support.seed import DEVICES, seed_device, seed_parties, set_shift
from tests.support.stores import FreshDatabase

ROOT: Final = Path(__file__).resolve().parents[2]
START_TIMEOUT_S: Final = 30
STOP_TIMEOUT_S: Final = 20
CARD_PREFIX: Final = "603628"
CLERK: Final = 0

# What a test may ask in a minute is not what these tests are about.
_NO_BUDGETS: Final = {
    "SCRIP_LIMITS__TERMINAL_REQUESTS_PER_MINUTE": "10000000",
    "SCRIP_LIMITS__FAILED_LOOKUPS_PER_TERMINAL": "1000000",
    "SCRIP_LIMITS__FAILED_LOOKUPS_PER_STORE": "1000000",
}
_NEW_CARD: Final = """
INSERT INTO card (
    card_id, program_id, product_id, number_index, number_index_key_id,
    number_ciphertext, last_four, state, currency, expires_on
)
SELECT %(card_id)s, program_id, product_id, %(index)s, %(key_id)s, %(ciphertext)s,
    %(last_four)s, 2, currency, %(expires_on)s
FROM card_product WHERE code = %(product)s
"""
_SET_BACK: Final = """
UPDATE card SET
    state = t.card_state,
    expires_on = t.expires_on,
    block_reason = CASE WHEN t.card_state = 4 THEN coalesce(block_reason, 4) END
FROM (
    SELECT DISTINCT ON (card_id) card_id, card_state, expires_on FROM transaction
    WHERE card_seq IS NOT NULL ORDER BY card_id, card_seq DESC
) AS t
WHERE card.card_id = t.card_id AND t.card_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """
    A card that was made for a test. PENDING until a till activates it.
    """

    card_id: int
    number: str = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Gateway:
    """
    Workers on one port, what they stand on, and a look into their books.
    """

    folder: Path
    database: FreshDatabase
    redis_url: str
    port: int
    environment: Mapping[str, str]
    authority: LocalAuthority
    key_ring: LocalKeyring
    devices: dict[str, KeyPair] = field(default_factory=dict)
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    changed_cards: set[int] = field(default_factory=set)
    explained: TransactionId | None = None

    def start(self, worker: int = 1) -> None:
        """
        Start a worker, and return when it serves.
        """
        command = [sys.executable, "-m", "gateway.worker", "--number", str(worker)]
        self._start(worker, command)

    def start_clerk(self) -> None:
        """
        Start a clerk, and return when it works. It counts as worker 0.
        """
        self._start(CLERK, [sys.executable, "-m", "gateway.clerk"])

    def _start(self, worker: int, command: list[str]) -> None:
        reader, writer = os.pipe()
        with self.log_path(worker).open("ab") as log:
            process = start_leashed(
                Program(
                    command=[*command, READY_OPTION, str(writer)],
                    environment=self.environment,
                    folder=ROOT,
                    output=log.fileno(),
                    death_signal=signal.SIGKILL,
                    kept_descriptors=(writer,),
                )
            )
        self.processes[worker] = process
        os.close(writer)
        try:
            readable, _, _ = select([reader], [], [], START_TIMEOUT_S)
            said = os.read(reader, 16) if readable else b""
        finally:
            os.close(reader)
        if said != b"ready\n":
            self.kill(worker)
            raise AssertionError(f"worker {worker}: {self.log(worker)[-4000:]}")

    def stop(self, worker: int = 1) -> int:
        """
        End a worker with SIGTERM; give its exit code.
        """
        process = self.processes.pop(worker)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def kill(self, worker: int = 1) -> None:
        """
        End a worker with SIGKILL.
        """
        process = self.processes.pop(worker)
        process.kill()
        process.wait()

    def wait_until_gone(self, worker: int = 1, *, timeout_s: float = 10) -> int:
        """
        Wait until a worker has ended by itself; give its exit code.
        """
        return self.processes.pop(worker).wait(timeout_s)

    def stop_all(self) -> None:
        """
        End every worker that runs.
        """
        for worker in list(self.processes):
            self.kill(worker)

    def order_fault(self, point: str, action: str = "kill", **order: int) -> None:
        """
        Let a worker strike at a named point: see `gateway.runtime.fault_points`.
        """
        worker = order.pop("worker", 1)
        fault = FaultOrder(point=point, action=action, **order)
        fault.write(self.folder, worker)

    def is_held(self, worker: int = 1) -> bool:
        """
        Tell whether a worker has struck as it was ordered: it took the order away.
        """
        return not order_path(self.folder, worker).exists()

    def let_go(self, worker: int = 1) -> None:
        """
        Let a worker go on that was ordered to hold.
        """
        order_path(self.folder, worker).with_suffix(".go").touch()

    def log_path(self, worker: int = 1) -> Path:
        """
        Name the file of a worker's log.
        """
        return self.folder / f"worker-{worker}.log"

    def log(self, worker: int = 1) -> str:
        """
        Read what a worker has said so far.
        """
        return self.log_path(worker).read_text(encoding="utf-8", errors="replace")

    def register(self, name: str) -> KeyPair:
        """
        Give the certificate of one of `seed.DEVICES`, registering it the first time.
        """
        if name not in self.devices:
            device = DEVICES[name]
            self.devices[name] = seed_device(
                self.database.owner_dsn, self.authority, device
            )
        return self.devices[name]

    def new_cards(
        self, count: int, *, product: str = "usd", expires_on: date | None = None
    ) -> list[Card]:
        """
        Create PENDING cards.
        """
        vault = NumberVault(self.key_ring)
        numbers = generate_card_numbers(CARD_PREFIX, count=count)
        with psycopg.connect(self.database.owner_dsn) as connection:
            rows = connection.execute(
                "SELECT nextval('card_card_id_seq') FROM generate_series(1, %s)",
                [count],
            ).fetchall()
            cards = [
                (Card(card_id=row[0], number=number.digits), number)
                for row, number in zip(rows, numbers, strict=True)
            ]
            with connection.cursor() as cursor:
                cursor.executemany(
                    _NEW_CARD,
                    [
                        self._card_row(vault, card.card_id, number)
                        | {"product": product, "expires_on": expires_on}
                        for card, number in cards
                    ],
                )
        return [card for card, _ in cards]

    def give_pin(self, card: Card, digits: str) -> None:
        """
        Give a card its PIN, as the console does at issue.
        """
        vault = PinVault(self.key_ring)
        tag = vault.tag(CardNumber(card.number), Pin(digits))
        self.sql(
            "INSERT INTO card_pin (card_id, key_id, tag) VALUES (%s, %s, %s)",
            card.card_id,
            vault.key_id,
            tag,
        )

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """
        Run a statement as the owner; give its rows, if it has any.
        """
        with psycopg.connect(self.database.owner_dsn) as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def change_card(self, card: Card, **columns: object) -> None:
        """
        Change a card's row behind the gateway's back: its state, its last day.
        """
        changes = ", ".join(f"{column} = %s" for column in columns)
        self.sql(
            f"UPDATE card SET {changes} WHERE card_id = %s",  # noqa: S608
            *columns.values(),
            card.card_id,
        )
        self.changed_cards.add(card.card_id)

    def balance_of(self, card: Card) -> int:
        """
        Read a card's ledger balance from its row.
        """
        ((balance,),) = self.sql(
            "SELECT balance_minor FROM card WHERE card_id = %s", card.card_id
        )
        return int(balance)

    def shift_clock(self, by: timedelta) -> None:
        """
        Set the clock of these books off by so much.
        """
        with psycopg.connect(self.database.owner_dsn) as connection:
            set_shift(connection, by)

    def books_check(self) -> None:
        """
        Fail unless every invariant of the books holds, and all can be explained.

        Cards that were changed behind the gateway's back are first set back to how
        their last transaction left them.
        """
        if self.changed_cards:
            self.sql(_SET_BACK, list(self.changed_cards))
            self.changed_cards.clear()
        require_sound_books(self.database.owner_dsn)
        self.explained = require_explained(self.database.owner_dsn, self.explained)

    def _card_row(
        self, vault: NumberVault, card_id: int, number: CardNumber
    ) -> dict[str, object]:
        return {
            "card_id": card_id,
            "index": vault.index(number),
            "key_id": vault.index_key_id,
            "ciphertext": vault.encrypt(card_id, number),
            "last_four": number.last_four,
        }


@contextmanager
def prepared_gateway(
    folder: Path, database: FreshDatabase, redis_url: str, **settings: str
) -> Iterator[Gateway]:
    """
    Seed a database and keys for a gateway; workers are started by the caller.

    `settings` are variables without their prefix: `LANE__QUEUE_LIMIT="8"`.
    """
    DataFolder(folder).mark_for_tests()
    seed_parties(database.owner_dsn)
    gateway = Gateway(
        folder=folder,
        database=database,
        redis_url=redis_url,
        port=free_port(),
        environment={},
        authority=LocalAuthority.open_or_create(folder / "authority"),
        key_ring=LocalKeyring.open_or_create(DataFolder(folder).key_ring_path),
    )
    gateway.environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}",
        "SCRIP_DATA_FOLDER": str(folder),
        "SCRIP_POSTGRES__URL": database.gateway_dsn,
        "SCRIP_REDIS__URL": redis_url,
        "SCRIP_GRPC__PORT": str(gateway.port),
        "SCRIP_GRPC__DRAIN_NOTICE_MS": "0",
        "SCRIP_TEST__FAULT_POINTS": "true",
        **_NO_BUDGETS,
        **{f"SCRIP_{name}": value for name, value in settings.items()},
    }
    try:
        yield gateway
    finally:
        gateway.stop_all()


def free_port() -> int:
    """
    Find a port that nobody listens on.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(holds: Any, *, timeout_s: float = 10) -> None:
    """
    Wait, outside of any event loop, until something holds.
    """
    limit = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < limit, "it did not come true in time"
        time.sleep(0.01)
