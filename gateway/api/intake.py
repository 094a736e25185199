"""
Take a request in: check its caller's terminal, read it, and queue it.

The one way in for unary calls and for items of a stream, so that both mean the same.
"""

import asyncio
from typing import Any, Final

from gateway.api.entrance import Entrance
from gateway.api.ports import MoneyLane, QuestionLane
from gateway.api.reading_requests import RequestReader
from gateway.domain.ids import TerminalId
from gateway.domain.policy import Caller
from gateway.engine.answers import Answer
from scrip.v1 import card_service_pb2 as pb

Submitted = asyncio.Future[Answer]
_FULL_PAUSE_S: Final = 0.005
_QUESTIONS: Final = frozenset({"get_balance", "get_transaction"})
# What names an original, which may be of another terminal of the same store.
_NAMING: Final = frozenset(
    field.name
    for field in pb.TransactRequest.DESCRIPTOR.oneofs_by_name["operation"].fields
    if field.message_type is not None
    and "original_request_id" in field.message_type.fields_by_name
)


class Intake:
    """
    Turn each kind of request into a future answer.

    `submit` raises DeviceDeniedError or TerminalDeniedError, InvalidFieldsError,
    and ThrottledError or DependencyError, in this order of checks (domain 1.2).
    """

    def __init__(
        self,
        *,
        entrance: Entrance,
        reader: RequestReader,
        lane: MoneyLane,
        questions: QuestionLane,
    ) -> None:
        self._entrance = entrance
        self._reader = reader
        self._lane = lane
        self._questions = questions

    async def wait_for_room(self, kind: str, request: object) -> None:
        """
        Wait until a request of this kind finds a place in its queue.
        """
        # A question that carries a PIN goes where tries are counted.
        asks = kind in _QUESTIONS and not getattr(request, "pin", "")
        lane = self._questions if asks else self._lane
        # A queue is full for the milliseconds of a batch, and wakes nobody by itself.
        while lane.free <= 0:  # noqa: ASYNC110
            await asyncio.sleep(_FULL_PAUSE_S)

    async def submit(
        self,
        kind: str,
        caller: Caller,
        request: Any,  # noqa: ANN401 - any message of TransactRequest
        deadline: float,
    ) -> Submitted:
        """
        Queue a request; `kind` is the name of its field in TransactRequest.
        """
        if kind == "get_transaction":
            return await self._get_transaction(caller, request, deadline)
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        self._reader.check(request)
        if kind == "get_balance":
            question = self._reader.get_balance(request, terminal_id)
            if question.pin is not None:
                # A wrong one is counted, which takes the card's lock and a commit.
                return self._lane.ask(caller, question, deadline)
            return self._questions.submit(caller, question, deadline)
        original_terminal_id = None
        if kind in _NAMING:
            original_terminal_id = await self._original_terminal_of(
                caller, request.original_terminal_id, terminal_id
            )
        command = self._reader.read(request, terminal_id, original_terminal_id)
        return self._lane.submit(caller, command, deadline)

    async def _get_transaction(
        self, caller: Caller, request: pb.GetTransactionRequest, deadline: float
    ) -> Submitted:
        """
        Queue a GetTransaction, about any terminal of the caller's store.
        """
        if request.terminal_id:
            await self._entrance.require_device(caller)
            self._reader.check(request)
            terminal_id = await self._entrance.sibling_of(caller, request.terminal_id)
        else:
            terminal_id = await self._entrance.terminal_of(caller, "")
            self._reader.check(request)
        question = self._reader.get_transaction(request, terminal_id)
        return self._questions.submit(caller, question, deadline)

    async def _original_terminal_of(
        self, caller: Caller, terminal_code: str, own: TerminalId
    ) -> TerminalId:
        """
        Give the terminal of an original; "" stands for the one that asks.
        """
        if not terminal_code:
            return own
        return await self._entrance.sibling_of(caller, terminal_code)
