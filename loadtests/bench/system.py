"""
A whole system to measure: embedded stores, cards with money, one or more workers.
"""

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis

from gateway.books.migrate import migrate
from gateway.runtime.data_folder import DataFolder
from gateway.runtime.embedded_postgres import EmbeddedPostgres
from gateway.runtime.embedded_valkey import EmbeddedValkey
from gateway.vault.keyring import LocalKeyring
from gateway.vault.numbers import NumberVault, generate_card_numbers
from gateway.vault.pki import LocalAuthority, certificate_sha256
from loadtests.bench.books import statement
from loadtests.bench.limit import Target
from loadtests.bench.usage import Meter

_TRUST_DOMAIN = "scrip.internal"
_OWNER = "scrip_owner"
_AMOUNT_MINOR = 10**10
_CHUNK = 20_000
_SAMPLE = 200_000
_START_TIMEOUT_S = 60.0
_COMPLAINTS = ("warning", "error", "critical")
_MOST_COMPLAINTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """
    What a load generator needs to call: address, files, and card numbers.

    `restricted` are numbers of cards that long restrictions lie on.
    """

    host: str
    port: int
    ca: str
    cert: str
    key: str
    cards: list[str]
    restricted: list[str]


class System:
    """
    One gateway with its stores in a folder of its own.
    """

    def __init__(
        self, folder: Path, *, cards: int, restricted: int = 0, workers: int = 1
    ) -> None:
        self.name = f"{cards:,} cards"
        self._folder = DataFolder(folder)
        self._cards = cards
        self._restricted = restricted
        self._worker_count = workers
        self.postgres = EmbeddedPostgres(folder)
        self.valkey = EmbeddedValkey(folder)
        self._seen: set[str] = set()
        self._workers: list[subprocess.Popen[bytes]] = []
        self._clerk: subprocess.Popen[bytes] | None = None
        self._numbers: dict[str, list[str]] = {}
        self.port = 0

    @property
    def owner_dsn(self) -> str:
        """
        The address of the books for their owner.
        """
        return self.postgres.dsn(_OWNER)

    @property
    def till(self) -> Till:
        """
        How to call it.
        """
        folder = self._folder.path
        return Till(
            host="127.0.0.1",
            port=self.port,
            ca=str(folder / "till-ca.pem"),
            cert=str(folder / "till.pem"),
            key=str(folder / "till.key"),
            cards=self._numbers.get("usd", []),
            restricted=self._numbers.get("restricted", []),
        )

    @property
    def meters(self) -> dict[str, Meter]:
        """
        What its parts use: the gateway's workers, Postgres and Redis.
        """
        found = {
            f"gateway-{number}": Meter(worker.pid)
            for number, worker in enumerate(self._workers, 1)
        }
        if self._clerk is not None:
            found["clerk"] = Meter(self._clerk.pid)
        found["postgres"] = Meter(self.postgres.pid)
        found["redis"] = Meter(self.valkey.pid)
        return found

    def start(self, say: Callable[[str], None]) -> None:
        """
        Start the stores, make the cards, start the workers.
        """
        self._folder.ensure()
        self._folder.mark_for_tests()
        self.postgres.start()
        self.valkey.start()
        asyncio.run(migrate(self.owner_dsn))
        authority = LocalAuthority.open_or_create(self._folder.authority_folder)
        pair = authority.issue_device(
            trust_domain=_TRUST_DOMAIN,
            merchant="bench",
            store="store",
            device="till",
            kind="TERMINAL",
        )
        till = self.till
        pair.write(Path(till.key), Path(till.cert))
        Path(till.ca).write_bytes(authority.certificate_pem)
        with psycopg.connect(self.owner_dsn, autocommit=True) as connection:
            connection.execute(statement("programme.sql"))
            connection.execute(
                statement("certificate.sql"),
                {"sha256": certificate_sha256(pair.cert_pem)},
            )
            self._make_cards(connection, say, "usd", self._cards)
            if self._restricted:
                self._make_cards(connection, say, "restricted", self._restricted)
                connection.execute(statement("restrict.sql"))
            self._fund(connection, say)
            connection.execute(statement("limit_setup.sql"))
            connection.execute(b"VACUUM (ANALYZE)")
        self._start_workers()

    def target(self) -> Target:
        """
        Tell pgbench which rows to redeem from.
        """
        with psycopg.connect(self.owner_dsn, autocommit=True) as connection:
            row = connection.execute(statement("place.sql")).fetchone()
        if row is None:
            message = "the benchmark's terminal is not there"
            raise RuntimeError(message)
        return Target(
            first_card=1,
            last_card=self._cards,
            terminal=row[0],
            merchant=row[1],
            store=row[2],
        )

    def stop(self) -> None:
        """
        Stop what was started, the workers first.
        """
        self._stop_clerk()
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.wait(timeout=30)
        self.valkey.stop()
        self.postgres.stop()

    def start_clerk(self) -> None:
        """
        Start a clerk beside the workers.
        """
        log = self._clerk_log_path.open("ab")
        command = [sys.executable, "-m", "gateway.clerk"]
        self._clerk = subprocess.Popen(
            command, env=self._environment(), stdout=log, stderr=log
        )

    def restart_clerk(self) -> None:
        """
        Start a clerk anew, that has to find out all by itself, with Redis emptied.
        """
        self._stop_clerk()
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()
        self.start_clerk()

    def clerk_log(self) -> list[str]:
        """
        Give what the clerk said.
        """
        return self._clerk_log_path.read_text(encoding="utf-8").splitlines()

    def complaints(self) -> list[str]:
        """
        Give what the processes said that is a warning or worse.
        """
        lines = [
            line
            for path in sorted(self._folder.path.glob("*.log"))
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        return [line for line in lines if _is_complaint(line)][-_MOST_COMPLAINTS:]

    @property
    def _clerk_log_path(self) -> Path:
        return self._folder.path / "clerk.log"

    def _stop_clerk(self) -> None:
        if self._clerk is not None:
            self._clerk.terminate()
            self._clerk.wait(timeout=30)
            self._clerk = None

    def _make_cards(
        self,
        connection: psycopg.Connection[Any],
        say: Callable[[str], None],
        product: str,
        wanted: int,
    ) -> None:
        ring = LocalKeyring.open_or_create(self._folder.key_ring_path)
        vault = NumberVault(ring)
        made = 0 if product == "usd" else self._cards
        left, first, seen = wanted, made + 1, self._seen
        keep = max(1, wanted // _SAMPLE)
        kept = self._numbers.setdefault(product, [])
        while left:
            count = min(left, _CHUNK)
            numbers = [
                number
                for number in generate_card_numbers("604100", count=count)
                if number.digits not in seen
            ]
            seen.update(number.digits for number in numbers)
            ids = list(range(first, first + len(numbers)))
            connection.execute(
                statement("insert_cards.sql"),
                {
                    "ids": ids,
                    "indexes": [vault.index(number) for number in numbers],
                    "ciphertexts": [
                        vault.encrypt(card_id, number)
                        for card_id, number in zip(ids, numbers, strict=True)
                    ],
                    "last_fours": [number.last_four for number in numbers],
                    "key_id": vault.index_key_id,
                    "product": product,
                },
            )
            kept += [number.digits for number in numbers[::keep]]
            left -= len(numbers)
            first += len(numbers)
            say(f"{self.name}: {first - 1:,} made")

    def _fund(
        self, connection: psycopg.Connection[Any], say: Callable[[str], None]
    ) -> None:
        connection.execute(statement("fund.sql"))
        funded = 0
        while funded < self._cards + self._restricted:
            row = connection.execute(
                statement("fund_some.sql"), {"amount": _AMOUNT_MINOR, "limit": _CHUNK}
            ).fetchone()
            funded += row[0] if row else 0
            say(f"{self.name}: {funded:,} loaded")

    def _start_workers(self) -> None:
        self.port = self.port or _free_port()
        environment = self._environment()
        for number in range(1, self._worker_count + 1):
            log = (self._folder.path / f"worker-{number}.log").open("ab")
            command = [sys.executable, "-m", "gateway.worker", "--number", str(number)]
            self._workers.append(
                subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            )
        self._wait_until_answering()

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "SCRIP_DATA_FOLDER": str(self._folder.path),
            "SCRIP_POSTGRES__URL": self.postgres.dsn(),
            "SCRIP_REDIS__URL": self.valkey.url,
            "SCRIP_GRPC__PORT": str(self.port),
            "SCRIP_LIMITS__TERMINAL_REQUESTS_PER_MINUTE": "10000000",
            "SCRIP_LOGGING__LEVEL": "info",
        }

    def _wait_until_answering(self) -> None:
        limit = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < limit:
            if any(worker.poll() is not None for worker in self._workers):
                message = f"a worker ended; see {self._folder.path}/worker-1.log"
                raise RuntimeError(message)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    time.sleep(1)
                    return
            time.sleep(0.1)
        message = f"the gateway does not answer; see {self._folder.path}/worker-1.log"
        raise RuntimeError(message)


def _is_complaint(line: str) -> bool:
    return any(f'"level":"{level}"' in line for level in _COMPLAINTS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def seed() -> int:
    """
    Give a seed for the load, other in every run.
    """
    return secrets.randbits(60)
