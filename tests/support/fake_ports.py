"""
The engine's small ports in memory, and how to run what never waits.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from gateway.domain.cards import Card
from gateway.domain.holds import Hold
from gateway.domain.ids import TransactionId
from gateway.engine.ports import Admission, FailedLookup

T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """
    Run a coroutine whose ports are all in memory: it must not wait for anything.
    """
    try:
        coroutine.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    coroutine.close()
    message = "it waited"
    raise AssertionError(message)


class CountingIds:
    """
    Ids that ascend.
    """

    def __init__(self) -> None:
        self._next = 1

    def take(self, count: int) -> list[TransactionId]:
        """
        Make as many ids, ascending.
        """
        first = self._next
        self._next += count
        return [TransactionId(n.to_bytes(16)) for n in range(first, self._next)]


class FakeCodes:
    """
    Hashes without keys: what differs by key and content, and nothing more.
    """

    def approval_code(self, transaction_id: TransactionId) -> str:
        """
        Give six characters of the id.
        """
        return transaction_id.hex()[-6:]

    def fingerprint(self, content: bytes, key_id: int) -> bytes:
        """
        Hash a request's content "under a key".
        """
        return hashlib.sha256(key_id.to_bytes(8) + content).digest()


class FakeLive:
    """
    Redis that admits all, but what a test tells it to hold back.
    """

    while_counting: Callable[[], None] | None = None

    def __init__(self) -> None:
        self.waits: deque[list[int]] = deque()
        self.admitted: list[Admission] = []
        self.published: list[tuple[list[Card], list[FailedLookup]]] = []
        self.told_holds: list[Hold] = []

    async def admit(self, admissions: Sequence[Admission]) -> Sequence[int]:
        """
        Admit, or answer what a test prepared.
        """
        self.admitted.extend(admissions)
        if self.while_counting is not None:
            self.while_counting()
        return self.waits.popleft() if self.waits else [0] * len(admissions)

    def publish(
        self,
        cards: Sequence[Card],
        failed: Sequence[FailedLookup],
        holds: Sequence[Hold] = (),
    ) -> None:
        """
        Remember what was told.
        """
        self.told_holds.extend(holds)
        self.published.append((list(cards), list(failed)))


class FakeFaultPoint:
    """
    Remembers where a batch came by, and does what a test wants there.
    """

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.actions: dict[str, Callable[[], None]] = {}

    async def reach(self, name: str) -> None:
        """
        Pass the place.
        """
        self.reached.append(name)
        action = self.actions.get(name)
        if action is not None:
            action()


class FakeObserver:
    """
    Remembers what the engine tells.
    """

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.restarts: list[str] = []
        self.halvings: list[int] = []
        self.parted: list[int] = []
        self.unknown: list[int] = []
        self.alarms: list[tuple[str, BaseException]] = []

    def batch_done(self, size: int, seconds: float) -> None:
        """
        Hear that a batch was answered.
        """
        self.batches.append(size)

    def restarted(self, why: str) -> None:
        """
        Hear that a batch started again.
        """
        self.restarts.append(why)

    def halved(self, size: int) -> None:
        """
        Hear that a batch is being halved.
        """
        self.halvings.append(size)

    def put_aside(self, count: int) -> None:
        """
        Hear that so many wait for cards that are held.
        """
        self.parted.append(count)

    def commit_unknown(self, size: int) -> None:
        """
        Hear that a commit's outcome was lost.
        """
        self.unknown.append(size)

    def alarm(self, message: str, error: BaseException) -> None:
        """
        Hear of a fault.
        """
        self.alarms.append((message, error))
