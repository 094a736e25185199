"""
What may befall a request, for every operation alike.

An entry of the table (`tests.support.matrix_table`) says how to prepare a request, what
it must come to and what its reversal must answer. A bench has what it takes to send it:
tills on two workers, and a look into their books.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import transaction_pb2
from tests.support.matrix_desk import open_desk
from tests.support.stream_till import streaming
from tests.support.tills import request_of
from tests.support.told import Outcome, result_of, told

if TYPE_CHECKING:
    from tests.support.look import CardRow, HoldRow, Look
    from tests.support.server import Card, Gateway
    from tests.support.tills import MakeCard, Reply, Till, Tills

CANNOT: Final = "CANNOT_BE_REVERSED"
FURTHER: Final = "FURTHER_ACTIVITY_PREVENTS_REVERSAL"

_TOMBSTONES: Final = """
SELECT array_agg(fingerprint IS NULL) FROM request_key WHERE request_id = %s
"""
_ROWS: Final = "SELECT count(*) FROM transaction WHERE request_id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    A request that is ready to be sent, and the cards that it is about.
    """

    request: Any
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One operation of the contract in one set of circumstances.

    Attributes:
        name: The operation, and after a comma the circumstances.
        prepare: Makes cards and what the request names, and then the request.
        after: The cards once it is done, in the order of the case, each with its holds.
        result: What it answers.
        reversal: What a Reverse of it answers; 00 means the whole effect is undone.
        undone: The cards after that reversal; None where it changes nothing.
        meanwhile: Happens between it and its reversal.
        by: The device that asks, a name of `seed.DEVICES`, or of `staff.STAFF`.
        staff: One of the staff asks, by the service that has no streams.
        state: What it stands as while nothing undoes it, if it is approved.

    """

    name: str
    prepare: Callable[[Bench], Awaitable[Case]]
    after: tuple[CardRow | HoldRow, ...]
    result: str = "APPROVED"
    reversal: str = "APPROVED"
    undone: tuple[CardRow | HoldRow, ...] | None = None
    meanwhile: Callable[[Bench, Case], Awaitable[object]] | None = None
    by: str = "till-1"
    staff: bool = False
    state: str = "POSTED"

    @property
    def operation(self) -> str:
        """
        Name the RPC.
        """
        return self.name.partition(",")[0]

    @property
    def state_undone(self) -> str:
        """
        Name the state in which a reversal leaves it.
        """
        if not self.result.startswith("APPROVED"):
            return "DECLINED"
        return "REVERSED" if self.reversal == "APPROVED" else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """
    A gateway with two workers, and a till on the first of them that prepares.
    """

    gateway: Gateway
    tills: Tills
    till: Till
    card: MakeCard
    look: Look

    async def asker(self, entry: Entry, worker: int = 1) -> Till:
        """
        Open the device that asks, on one of the workers.
        """
        if entry.staff:
            return await open_desk(self.tills, entry.by, worker)
        if (entry.by, worker) == (self.till.name, 1):
            return self.till
        return await self.tills(entry.by, worker=worker)

    def cards(self, case: Case) -> tuple[CardRow | HoldRow, ...]:
        """
        Look at the rows of the cards of a case and of their holds.
        """
        rows: list[CardRow | HoldRow] = []
        for card in case.cards:
            rows.append(self.look.card(card))
            rows += self.look.holds(card)
        return tuple(rows)

    def is_buried(self, case: Case) -> bool:
        """
        Tell whether a tombstone, and nothing else, stands under the request's id.
        """
        ((tombstones,),) = self.gateway.sql(_TOMBSTONES, case.request.request_id)
        return bool(tombstones == [True])

    def require(
        self, entry: Entry, case: Case, answer: Outcome, *, replayed: bool = False
    ) -> None:
        """
        Hold one answer, the books behind it and the cards to what the entry says.
        """
        found = told(answer)
        ((rows,),) = self.gateway.sql(_ROWS, case.request.request_id)

        assert (found.result, found.replayed) == (entry.result, replayed)
        assert not found.result.startswith("APPROVED") or found.state == entry.state
        assert rows == 1
        assert self.cards(case) == entry.after


@asynccontextmanager
async def streamed(till: Till, entry: Entry) -> AsyncIterator[Till]:
    """
    Send over a stream, where the service of the entry has one.
    """
    if entry.staff:
        yield till
        return
    async with streaming(till) as over_stream:
        yield over_stream


def reversal_of(case: Case) -> Any:
    """
    Write a reversal of the request of a case, with an id of its own.
    """
    return request_of(
        "Reverse",
        original_request_id=case.request.request_id,
        reason=pb.REVERSAL_REASON_TIMEOUT,
    )


async def send(till: Till, entry: Entry, case: Case, **how: Any) -> Reply:
    """
    Send the request of a case, always the same one.
    """
    return await till.send(entry.operation, case.request, **how)


async def reverse(till: Till, case: Case) -> Outcome:
    """
    Reverse the request of a case, whether or not it was ever sent.
    """
    return (await till.send("Reverse", reversal_of(case))).outcome


def repeats(first: Outcome, again: Outcome) -> bool:
    """
    Tell whether an answer is the first one in every field, but marked as replayed.
    """
    marked = transaction_pb2.Outcome()
    marked.CopyFrom(first)
    marked.replayed = True
    return again == marked


def decided(outcome: Outcome) -> tuple[str, str]:
    """
    Give an answer's result and state, once its form is found right.
    """
    found = told(outcome)
    return result_of(outcome), found.state
