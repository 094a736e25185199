"""
Two lanes trade on the same few cards and keys while their backends are ended.

The requests are drawn with few ids, so that they meet their own retries, other content
under the same id, and reversals of what was and of what was not; terminals are
suspended and a device is revoked meanwhile. What tills were told must agree with the
books, whatever order the two lanes found.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
import pytest
import pytest_asyncio

from gateway.books.check import check_books
from gateway.books.connect import Session
from gateway.domain.commands import (
    NO_CONTEXT,
    Activate,
    Amount,
    CardRef,
    Fingerprint,
    Load,
    MoneyCommand,
    Redeem,
    Reverse,
)
from gateway.domain.errors import (
    DeviceDeniedError,
    GatewayError,
    InvariantError,
    NotAppliedError,
    OutcomeUnknownError,
)
from gateway.domain.ids import RequestId, RequestKey, TerminalId, TransactionId
from gateway.domain.policy import Caller
from gateway.domain.record import TransactionRecord
from gateway.domain.results import LoadType, Result, ReversalReason
from gateway.engine.answers import Answer
from tests.support.fake_ports import FakeCodes
from tests.support.ledger import number_index, seed
from tests.support.real_lanes import OFFICE, TILL, RealLane, real_lane
from tests.support.stores import FreshDatabase

Owner = psycopg.AsyncConnection[Any]

CARDS: Final = 6
KEYS: Final = 400
BATCH: Final = 6
# So patient that a deadlock is called one, and not a lock that was not granted.
PATIENT: Final = Session(lock_timeout_ms=20_000, statement_timeout_ms=30_000)
# Beside the four cards of the seed: one of another product that takes one load, and one
# that waits for its activation.
MORE: Final = """
INSERT INTO card_product (program_id, code, currency, reloadable, permitted)
VALUES (1, 'once', 'USD', false, '{1,2,3,4,5}');
UPDATE card SET state = 2 WHERE card_id > 3;
UPDATE card SET product_id = 2 WHERE card_id = 5;
"""
CHANGES: Final = (
    "UPDATE terminal SET state = 2 WHERE terminal_id = 2",
    "UPDATE terminal SET state = 1 WHERE terminal_id = 2",
    "UPDATE device SET revoked = true WHERE kind = 1",
    "UPDATE device SET revoked = false WHERE kind = 1",
    "UPDATE store SET state = 2",
    "UPDATE store SET state = 1",
)
# What a fault of ours would do: some requests can never be written, some not always.
POISON: Final = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind int := get_byte(uuid_send(new.request_id), 15) % 16;
BEGIN
    IF kind = 3 THEN
        RAISE check_violation;
    ELSIF kind = 7 AND random() < 0.3 THEN
        RAISE lock_not_available;
    ELSIF kind = 9 AND random() < 0.3 THEN
        RAISE serialization_failure;
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER poison BEFORE INSERT ON transaction
FOR EACH ROW EXECUTE FUNCTION poison();
"""
KILL: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = 'scrip_gateway'
ORDER BY random() LIMIT 1
"""


FAULTS: Final = (NotAppliedError, OutcomeUnknownError, DeviceDeniedError)
IN_VAIN: Final = "an item broke a constraint"


@dataclass
class Told:
    """
    One attempt: what was asked, and what was told.
    """

    command: MoneyCommand
    answer: Answer | None = None
    fault: GatewayError | None = None


@dataclass
class Bench:
    """
    Two lanes, and what was told so far.
    """

    lanes: list[RealLane]
    told: list[Told] = field(default_factory=list)

    async def ask(self, lane: RealLane, command: MoneyCommand, caller: Caller) -> None:
        """
        Ask one lane, and note what comes of it.
        """
        told = Told(command)
        self.told.append(told)
        try:
            told.answer = await lane.submit(command, caller)
        except GatewayError as fault:
            told.fault = fault


def poisoned(key: RequestKey) -> bool:
    """
    Tell whether a request can never be written where there is poison.
    """
    return key.request_id[-1] % 16 == 3


class Dice:
    """
    Draws requests.
    """

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)
        self.codes = FakeCodes()

    def key(self) -> RequestKey:
        """
        Draw one of few ids, at one of two terminals.
        """
        number = self.random.randrange(KEYS)
        return RequestKey(TerminalId(1 + number % 2), RequestId(number.to_bytes(16)))

    def command(self) -> tuple[MoneyCommand, Caller]:
        """
        Draw a request, and who sends it.
        """
        rng = self.random
        key = self.key()
        caller = TILL if key.terminal_id == 1 and rng.random() < 0.3 else OFFICE
        # The content follows from the id, but now and then.
        by_id = random.Random(key.request_id)
        if rng.random() < 0.1:
            by_id = rng
        kind = by_id.choice(("load", "redeem", "redeem", "activate", "reverse"))
        card = by_id.randint(1, CARDS + 1)
        minor = by_id.choice((0, 5_00, 10_00, 20_00))
        part = by_id.random() < 0.5
        named = by_id.randrange(KEYS)
        original = RequestKey(TerminalId(1 + named % 2), RequestId(named.to_bytes(16)))
        content = repr((kind, card, minor, part, original)).encode()
        key_id = rng.choice((1, 1, 2))
        common: dict[str, Any] = {
            "request_id": key.request_id,
            "terminal_id": key.terminal_id,
            "card": CardRef(number_index(card), "0000"),
            "till": NO_CONTEXT,
            "fingerprint": Fingerprint(key_id, self.codes.fingerprint(content, key_id)),
            "content": content,
        }
        amount = Amount(minor, "USD", 2)
        if kind == "load":
            return Load(**common, amount=amount, load_type=LoadType.SALE), caller
        if kind == "redeem":
            return Redeem(**common, amount=amount, allow_partial=part), caller
        if kind == "activate":
            return Activate(**common, initial_amount=amount if minor else None), caller
        common["card"] = None
        reason = ReversalReason.TIMEOUT
        return Reverse(**common, original=original, reversal_reason=reason), caller


class Killer:
    """
    A fault point that ends a backend, its own lane's or the other's.
    """

    def __init__(self, superuser: Owner, rng: random.Random, chance: float) -> None:
        self._superuser = superuser
        self._random = rng
        self._chance = chance
        self.struck = 0
        self._strikes: list[asyncio.Task[object]] = []

    async def reach(self, name: str) -> None:
        """
        Strike now and then.
        """
        if name != "before_commit" or self._random.random() >= self._chance:
            return
        self.struck += 1
        if self._random.random() < 0.5:
            # While it strikes, COMMIT is on its way.
            self._strikes.append(asyncio.create_task(self._kill()))
        else:
            await self._kill()

    async def _kill(self) -> None:
        await self._superuser.execute(KILL)


@pytest_asyncio.fixture
async def superuser(database: FreshDatabase) -> AsyncIterator[Owner]:
    """
    Give a connection that may end those of others.
    """
    async with await psycopg.AsyncConnection.connect(
        database.superuser_dsn, autocommit=True
    ) as connection:
        yield connection


async def trade(
    database: FreshDatabase, superuser: Owner, number: int, *, chance: float, count: int
) -> Bench:
    """
    Ask both lanes for so many things, and wait for all.
    """
    seed(database.owner_dsn, cards=CARDS)
    await superuser.execute(MORE.encode())
    dice = Dice(number)
    async with AsyncExitStack() as stack:
        lanes = [
            await stack.enter_async_context(
                real_lane(
                    database.gateway_dsn,
                    batch_limit=BATCH,
                    session=PATIENT,
                    faults=Killer(superuser, random.Random(number), chance),
                )
            )
            for _ in range(2)
        ]
        bench = Bench(lanes)
        asked: set[asyncio.Task[None]] = set()
        for n in range(count):
            command, caller = dice.command()
            lane = dice.random.choice(lanes)
            asked.add(asyncio.create_task(bench.ask(lane, command, caller)))
            if n % 7 == 0:
                await asyncio.sleep(dice.random.choice((0, 0, 0.001, 0.003)))
            if n % 60 == 0:
                with suppress(psycopg.Error):
                    await superuser.execute(dice.random.choice(CHANGES).encode())
        await asyncio.wait(asked)
    return bench


async def recorded(
    superuser: Owner,
) -> dict[RequestKey, tuple[bool, TransactionId]]:
    """
    Read what is kept: by key, whether it is a tombstone, and whose transaction it is.
    """
    cursor = await superuser.execute(
        "SELECT terminal_id, request_id, fingerprint IS NULL, transaction_id "
        "FROM request_key"
    )
    return {
        RequestKey(row[0], RequestId(row[1].bytes)): (row[2], row[3].bytes)
        for row in await cursor.fetchall()
    }


async def deadlocks(superuser: Owner) -> int:
    """
    Count the deadlocks that Postgres had to end.
    """
    cursor = await superuser.execute(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    ((count,),) = await cursor.fetchall()
    return int(count)


def agree(bench: Bench, kept: dict[RequestKey, tuple[bool, TransactionId]]) -> None:
    """
    Compare all that was told with what is kept.
    """
    by_key: dict[RequestKey, list[Told]] = defaultdict(list)
    for told in bench.told:
        by_key[told.command.key].append(told)
    for key, attempts in by_key.items():
        records: dict[TransactionId, TransactionRecord] = {}
        first = 0
        for told in attempts:
            assert (told.answer is None) is not (told.fault is None), told
            if told.answer is None:
                fault = told.fault
                assert isinstance(fault, FAULTS) or (
                    isinstance(fault, InvariantError) and poisoned(key)
                ), told
                continue
            record = told.answer.record
            if record.transaction_id is None:
                late = record.result is Result.ALREADY_REVERSED
                assert late is kept[key][0], told
                assert late or record.result is Result.DUPLICATE, told
                continue
            first += not told.answer.replayed
            assert records.setdefault(record.transaction_id, record) == record
            assert kept[key] == (False, record.transaction_id)
        assert len(records) <= 1
        assert first <= 1
        faults = [told.fault for told in attempts if told.fault]
        if len(faults) == len(attempts) and not any(
            isinstance(fault, OutcomeUnknownError) for fault in faults
        ):
            assert key not in kept or kept[key][0], attempts
    for told in bench.told:
        command, answer = told.command, told.answer
        if (
            isinstance(command, Reverse)
            and answer is not None
            and answer.record.result is Result.ORIGINAL_NOT_FOUND
            and command.original != command.key
        ):
            assert kept[command.original][0], told


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize("chance", [0, 0.2], ids=["alive", "killed"])
@pytest.mark.parametrize("poison", [False, True], ids=["sound", "poisoned"])
async def test_what_was_told_agrees_with_the_books(
    database: FreshDatabase,
    superuser: Owner,
    number: int,
    chance: float,
    *,
    poison: bool,
) -> None:
    """
    One outcome for each id, no original after its reversal, no deadlock, sound books.
    """
    if poison:
        await superuser.execute(POISON.encode())
    bench = await trade(database, superuser, number, chance=chance, count=900)
    kept = await recorded(superuser)
    agree(bench, kept)
    unknown = [size for lane in bench.lanes for size in lane.observer.unknown]
    alarms = [alarm for lane in bench.lanes for alarm in lane.observer.alarms]
    vain = [key for key, (tombstone, _) in kept.items() if poisoned(key) > tombstone]

    assert bool(unknown) is bool(chance)
    assert {message for message, _ in alarms} == ({IN_VAIN} if poison else set())
    assert bool(vain) is not poison
    assert await deadlocks(superuser) == 0
    assert [] == await check_books(database.owner_dsn)
