"""
Questions of tills that are not recorded: balances and status enquiries (design 3).

Gathered like money commands, one statement and one snapshot for all that wait, on a
connection of their own, so that they neither wait for locks nor make sales wait.
"""

import asyncio
from collections import deque

from gateway.domain.auditing import acting_of
from gateway.domain.balance import read_balance, read_card
from gateway.domain.commands import GetBalance, GetTransaction
from gateway.domain.decision import Stamp, View
from gateway.domain.errors import (
    DeadlineOverError,
    DependencyError,
    GatewayError,
    InvariantError,
    TerminalDeniedError,
    ThrottledError,
    TransactionNotFoundError,
)
from gateway.domain.ids import TerminalId
from gateway.domain.policy import Caller, Policy
from gateway.domain.results import APPROVALS, CurrentState, Result
from gateway.engine.answers import Answer
from gateway.engine.items import Reading
from gateway.engine.kept import kept_of, state_of
from gateway.engine.observer import Observer
from gateway.engine.policies import Policies
from gateway.engine.ports import (
    Admission,
    BooksUnavailableError,
    FailedLookup,
    Live,
    Readings,
)
from gateway.engine.releasing import FIRST_BATCH_NO

_FULL_RETRY_MS = 50


class ReadingLane:
    """
    Take questions in, answer each through its future.
    """

    def __init__(
        self,
        *,
        readings: Readings,
        policies: Policies,
        live: Live,
        observer: Observer,
        queue_limit: int,
        batch_limit: int,
    ) -> None:
        self._readings = readings
        self._policies = policies
        self._live = live
        self._observer = observer
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._queue: deque[Reading] = deque()
        self._arrived = asyncio.Event()
        self._draining = False

    @property
    def free(self) -> int:
        """
        How many more questions the queue takes.
        """
        return self._queue_limit - len(self._queue)

    def submit(
        self, caller: Caller, question: GetBalance | GetTransaction, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Queue a question. `deadline` is on the event loop's clock, in seconds.

        Raises:
            ThrottledError: the queue is full.
            DependencyError: the worker is draining.

        """
        if self._draining:
            message = "the worker is stopping; ask again"
            raise DependencyError(message)
        if len(self._queue) >= self._queue_limit:
            message = "the queue is full; ask again"
            raise ThrottledError(message, retry_after_ms=_FULL_RETRY_MS)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(
            Reading(caller=caller, question=question, deadline=deadline, future=future)
        )
        self._arrived.set()
        return future

    def drain(self) -> None:
        """
        Take nothing more in; `run` returns when what is queued has been answered.
        """
        self._draining = True
        self._arrived.set()

    async def run(self) -> None:
        """
        Answer what waits, together, until drained.
        """
        while True:
            if not self._queue:
                if self._draining:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                continue
            batch = self._take()
            try:
                await self._answer(batch)
            except BooksUnavailableError:
                _refuse(batch, DependencyError("the books cannot be reached"))
            except GatewayError as fault:
                _refuse(batch, fault)
            except Exception as error:  # noqa: BLE001 - the lane must live on
                self._observer.alarm("a reading failed", error)
                _refuse(batch, InvariantError("the reading failed"))

    def _take(self) -> list[Reading]:
        now = asyncio.get_running_loop().time()
        batch: list[Reading] = []
        while self._queue and len(batch) < self._batch_limit:
            reading = self._queue.popleft()
            if reading.future.done():
                continue
            if reading.deadline <= now:
                message = "the deadline was over before the question was looked at"
                reading.future.set_exception(DeadlineOverError(message))
            else:
                batch.append(reading)
        return batch

    async def _answer(self, batch: list[Reading]) -> None:
        batch = await self._admitted(batch)
        balances: list[tuple[Reading, GetBalance]] = []
        requests: list[tuple[Reading, GetTransaction]] = []
        for reading in batch:
            question = reading.question
            if isinstance(question, GetBalance):
                balances.append((reading, question))
            else:
                requests.append((reading, question))
        if balances:
            await self._answer_balances(balances)
        if requests:
            await self._answer_requests(requests)

    async def _admitted(self, batch: list[Reading]) -> list[Reading]:
        """
        Leave out whose budget is used up, and whose terminal is gone.

        A question is counted each time, against the terminal that asks.
        """
        policy = self._policies.current
        places = policy.places
        gone = [reading for reading in batch if _terminal_of(reading) not in places]
        if gone:
            _refuse(gone, TerminalDeniedError("terminal_id: no such terminal any more"))
            batch = [reading for reading in batch if _terminal_of(reading) in places]
        waits = await self._live.admit(
            [
                Admission(terminal, places[terminal].store.store_id, None)
                for terminal in (_asker_of(reading, policy) for reading in batch)
            ]
        )
        admitted = []
        for reading, wait_ms in zip(batch, waits, strict=True):
            if not wait_ms:
                admitted.append(reading)
            elif not reading.future.done():
                message = "too many requests from this terminal; ask again later"
                fault = ThrottledError(message, retry_after_ms=wait_ms)
                reading.future.set_exception(fault)
        return admitted

    async def _answer_balances(self, batch: list[tuple[Reading, GetBalance]]) -> None:
        refs = {question.card.number_index: question.card for _, question in batch}
        found = await self._readings.read_balances(list(refs.values()))
        policy = await self._policies.at_least(found.policy_version)
        cards = {card.number_index: card for card in found.cards}
        stamp = Stamp(None, "", found.clock, FIRST_BATCH_NO)
        failed = []
        for reading, question in batch:
            if reading.future.done():
                continue
            try:
                acting = acting_of(question)
                place = policy.check_caller(
                    reading.caller, question.terminal_id, acting
                )
            except GatewayError as fault:
                reading.future.set_exception(fault)
                continue
            card = cards.get(question.card.number_index)
            read = read_card if acting else read_balance
            record = read(question, View(place, card, policy, stamp))
            if record.result is Result.INVALID_CARD:
                failed.append(FailedLookup(question.terminal_id, place.store.store_id))
            approved = record.result in APPROVALS
            state = CurrentState.POSTED if approved else CurrentState.DECLINED
            reading.future.set_result(Answer(record, replayed=False, state=state))
        if failed:
            self._live.publish((), failed)

    async def _answer_requests(
        self, batch: list[tuple[Reading, GetTransaction]]
    ) -> None:
        """
        Answer what is recorded. "Not recorded so far" is final under a tombstone only.
        """
        policy = await self._policies.refresh()
        keys = list({question.key for _, question in batch})
        found = await self._readings.read_requests(keys)
        for reading, question in batch:
            if reading.future.done():
                continue
            stored = found.get(question.key)
            try:
                policy.till_of(reading.caller)
                if stored is None or stored.fingerprint is None:
                    raise TransactionNotFoundError(final=stored is not None)
            except GatewayError as fault:
                reading.future.set_exception(fault)
                continue
            state = state_of(kept_of(stored))
            reading.future.set_result(
                Answer(stored.record, replayed=True, state=state, step=stored.step)
            )


def _terminal_of(reading: Reading) -> TerminalId:
    question = reading.question
    if isinstance(question, GetBalance):
        return question.terminal_id
    return question.key.terminal_id


def _asker_of(reading: Reading, policy: Policy) -> TerminalId:
    """
    Give the terminal that asks: a till may ask about another one of its store.
    """
    device = policy.devices.get(reading.caller.device)
    if device is None or device.terminal_id is None:
        return _terminal_of(reading)
    return device.terminal_id


def _refuse(batch: list[Reading], fault: GatewayError) -> None:
    for reading in batch:
        if not reading.future.done():
            reading.future.set_exception(fault)
