"""
Take a request in: check its caller's terminal, read it, and queue it.

The one way in for unary calls and for items of a stream, so that both mean the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
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


class Intake:
    """
    Turn each kind of request into a future answer.

    Every method raises DeviceDeniedError or TerminalDeniedError, InvalidFieldsError,
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
        # By the name of the field in TransactRequest.
        self._by_kind: dict[
            str, Callable[[Caller, Any, float], Awaitable[Submitted]]
        ] = {
            "activate": self.activate,
            "load": self.load,
            "redeem": self.redeem,
            "get_balance": self.get_balance,
            "reverse": self.reverse,
            "get_transaction": self.get_transaction,
            "cash_out": self.cash_out,
            "refund": self.refund,
            "void": self.void,
        }

    async def wait_for_room(self, kind: str) -> None:
        """
        Wait until a request of this kind finds a place in its queue.
        """
        lane = self._questions if kind in _QUESTIONS else self._lane
        # A queue is full for the milliseconds of a batch, and wakes nobody by itself.
        while lane.free <= 0:  # noqa: ASYNC110
            await asyncio.sleep(_FULL_PAUSE_S)

    async def submit(
        self, kind: str, caller: Caller, request: object, deadline: float
    ) -> Submitted:
        """
        Queue a stream's item.
        """
        return await self._by_kind[kind](caller, request, deadline)

    async def activate(
        self, caller: Caller, request: pb.ActivateRequest, deadline: float
    ) -> Submitted:
        """
        Queue an Activate.
        """
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        command = self._reader.activate(request, terminal_id)
        return self._lane.submit(caller, command, deadline)

    async def load(
        self, caller: Caller, request: pb.LoadRequest, deadline: float
    ) -> Submitted:
        """
        Queue a Load.
        """
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        command = self._reader.load(request, terminal_id)
        return self._lane.submit(caller, command, deadline)

    async def redeem(
        self, caller: Caller, request: pb.RedeemRequest, deadline: float
    ) -> Submitted:
        """
        Queue a Redeem.
        """
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        command = self._reader.redeem(request, terminal_id)
        return self._lane.submit(caller, command, deadline)

    async def reverse(
        self, caller: Caller, request: pb.ReverseRequest, deadline: float
    ) -> Submitted:
        """
        Queue a Reverse. Its original may be of another terminal of the same store.
        """
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        self._reader.check_reverse(request)
        command = self._reader.reverse(
            request,
            terminal_id,
            original_terminal_id=await self._original_terminal_of(
                caller, request.original_terminal_id, terminal_id
            ),
        )
        return self._lane.submit(caller, command, deadline)

    async def refund(
        self, caller: Caller, request: pb.RefundRequest, deadline: float
    ) -> Submitted:
        """
        Queue a Refund. Its original may be of another terminal of the same store.
        """
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        self._reader.check_refund(request)
        command = self._reader.refund(
            request,
            terminal_id,
            original_terminal_id=await self._original_terminal_of(
                caller, request.original_terminal_id, terminal_id
            ),
        )
        return self._lane.submit(caller, command, deadline)

    async def void(
        self, caller: Caller, request: pb.VoidRequest, deadline: float
    ) -> Submitted:
        """
        Queue a Void. Its original may be of another terminal of the same store.
        """
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        self._reader.check_void(request)
        command = self._reader.void(
            request,
            terminal_id,
            original_terminal_id=await self._original_terminal_of(
                caller, request.original_terminal_id, terminal_id
            ),
        )
        return self._lane.submit(caller, command, deadline)

    async def cash_out(
        self, caller: Caller, request: pb.CashOutRequest, deadline: float
    ) -> Submitted:
        """
        Queue a CashOut.
        """
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        command = self._reader.cash_out(request, terminal_id)
        return self._lane.submit(caller, command, deadline)

    async def get_balance(
        self, caller: Caller, request: pb.GetBalanceRequest, deadline: float
    ) -> Submitted:
        """
        Queue a GetBalance.
        """
        terminal_id = await self._entrance.terminal_of(caller, request.terminal_id)
        question = self._reader.get_balance(request, terminal_id)
        return self._questions.submit(caller, question, deadline)

    async def get_transaction(
        self, caller: Caller, request: pb.GetTransactionRequest, deadline: float
    ) -> Submitted:
        """
        Queue a GetTransaction, about any terminal of the caller's store.
        """
        if request.terminal_id:
            await self._entrance.require_device(caller)
            self._reader.check_get_transaction(request)
            terminal_id = await self._entrance.sibling_of(caller, request.terminal_id)
        else:
            terminal_id = await self._entrance.terminal_of(caller, "")
            self._reader.check_get_transaction(request)
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
