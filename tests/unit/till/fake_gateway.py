"""
A gateway small enough to be wrong on purpose: it answers, forgets, refuses and hangs.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import uuid4

import grpc
from google.protobuf.any_pb2 import Any as PackedAny
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message as ProtoMessage
from google.rpc import error_details_pb2, status_pb2

from scrip.v1 import (
    card_pb2,
    card_service_pb2,
    card_service_pb2_grpc,
    result_pb2,
    transaction_pb2,
)
from tests.unit.till.fake_further_calls import FurtherCalls
from tests.unit.till.fake_parts import Context, abort, usd
from till.wire import Message

Kind = TypeVar("Kind", bound=ProtoMessage)
Step = Callable[["FakeGateway", Message], Awaitable[transaction_pb2.Outcome]]


class FaultError(Exception):
    """
    End a call, or one item of a stream, with a status.
    """

    def __init__(self, status: status_pb2.Status) -> None:
        self.status = status


def status_of(
    code: grpc.StatusCode,
    message: str = "as the test wants",
    *,
    reason: str = "",
    domain: str = "gateway.scrip",
    metadata: dict[str, str] | None = None,
    retry_after_ms: int | None = None,
    problem: tuple[str, str] | None = None,
) -> status_pb2.Status:
    """
    Build a status; without a reason it looks like one of gRPC's own.
    """
    status = status_pb2.Status(code=code.value[0], message=message)
    parts: list[ProtoMessage] = []
    if reason:
        parts.append(
            error_details_pb2.ErrorInfo(
                reason=reason, domain=domain, metadata=metadata or {}
            )
        )
    if retry_after_ms is not None:
        delay = Duration()
        delay.FromMilliseconds(retry_after_ms)
        parts.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if problem is not None:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=problem[0], description=problem[1]
        )
        parts.append(error_details_pb2.BadRequest(field_violations=[violation]))
    for part in parts:
        packed = PackedAny()
        packed.Pack(part)
        status.details.append(packed)
    return status


def fails(status: status_pb2.Status) -> Step:
    """
    Make a step that does nothing and ends with the status.
    """

    async def step(gateway: "FakeGateway", request: Message) -> transaction_pb2.Outcome:
        raise FaultError(status)

    return step


def loses(status: status_pb2.Status) -> Step:
    """
    Make a step that does what was asked and ends with the status all the same.
    """

    async def step(gateway: "FakeGateway", request: Message) -> transaction_pb2.Outcome:
        gateway.decide(request)
        raise FaultError(status)

    return step


def hangs(seconds: float) -> Step:
    """
    Make a step that does what was asked and answers too late.
    """

    async def step(gateway: "FakeGateway", request: Message) -> transaction_pb2.Outcome:
        outcome = gateway.decide(request)
        await asyncio.sleep(seconds)
        return outcome

    return step


NOT_APPLIED = status_of(
    grpc.StatusCode.UNAVAILABLE, reason="NOT_APPLIED", retry_after_ms=20
)
UNKNOWN = status_of(grpc.StatusCode.UNKNOWN, reason="OUTCOME_UNKNOWN")


@dataclass(kw_only=True)
class FakeGateway(FurtherCalls, card_service_pb2_grpc.CardServiceServicer):
    """
    Hold one USD card with 100.00, and do the next step of `steps` at each call.
    """

    balance: int = 10_000
    steps: deque[Step] = field(default_factory=deque)
    outcomes: dict[str, transaction_pb2.Outcome] = field(default_factory=dict)
    tombstones: set[str] = field(default_factory=set)
    seen: list[Message] = field(default_factory=list)
    peers: set[str] = field(default_factory=set)
    streams: int = 0
    end_stream_after: list[int] = field(default_factory=list)
    end_streams_with: status_pb2.Status = field(default_factory=lambda: NOT_APPLIED)
    refuse_streams: status_pb2.Status | None = None

    def last(self, kind: type[Kind]) -> Kind:
        """
        Give the last request of a kind that was seen.
        """
        return next(each for each in reversed(self.seen) if isinstance(each, kind))

    async def handle(self, request: Message) -> transaction_pb2.Outcome:
        """
        Do the next step, or just what is asked.
        """
        self.seen.append(request)
        if self.steps:
            return await self.steps.popleft()(self, request)
        return self.decide(request)

    def decide(self, request: Message) -> transaction_pb2.Outcome:
        """
        Answer as the contract says, as far as the tests need it.
        """
        match request:
            case card_service_pb2.GetTransactionRequest():
                return self._enquire(request.request_id)
            case card_service_pb2.GetBalanceRequest():
                return self.outcome(request, result_pb2.RESULT_APPROVED)
            case _:
                return self._decide_once(request)

    def _decide_once(self, request: Message) -> transaction_pb2.Outcome:
        stored = self.outcomes.get(request.request_id)
        if stored is not None:
            replay = transaction_pb2.Outcome()
            replay.CopyFrom(stored)
            replay.replayed = True
            return replay
        if request.request_id in self.tombstones:
            return self.outcome(request, result_pb2.RESULT_ALREADY_REVERSED)
        outcome = self._move(request)
        self.outcomes[request.request_id] = outcome
        return outcome

    def _enquire(self, request_id: str) -> transaction_pb2.Outcome:
        stored = self.outcomes.get(request_id)
        if stored is None:
            final = "true" if request_id in self.tombstones else "false"
            raise FaultError(
                status_of(
                    grpc.StatusCode.NOT_FOUND,
                    reason="NOT_RECORDED",
                    metadata={"final": final},
                )
            )
        return stored

    def _move(self, request: Message) -> transaction_pb2.Outcome:
        match request:
            case card_service_pb2.RedeemRequest():
                amount = -request.amount.minor_units
            case card_service_pb2.LoadRequest():
                amount = request.amount.minor_units
            case card_service_pb2.ActivateRequest():
                amount = request.initial_amount.minor_units
            case card_service_pb2.RefundRequest():
                amount = request.amount.minor_units
            case card_service_pb2.VoidRequest():
                return self._void(request)
            case card_service_pb2.ReverseRequest():
                return self._reverse(request)
            case card_service_pb2.CashOutRequest():
                return self._pay_out(request)
            case _:
                raise AssertionError(request)
        if self.balance + amount < 0:
            return self.outcome(request, result_pb2.RESULT_INSUFFICIENT_FUNDS)
        self.balance += amount
        return self.outcome(request, result_pb2.RESULT_APPROVED, amount=abs(amount))

    def _pay_out(
        self, request: card_service_pb2.CashOutRequest
    ) -> transaction_pb2.Outcome:
        paid, self.balance = self.balance, 0
        outcome = self.outcome(request, result_pb2.RESULT_APPROVED, amount=paid)
        outcome.cash_back_amount.CopyFrom(usd(paid))
        return outcome

    def _reverse(
        self, request: card_service_pb2.ReverseRequest
    ) -> transaction_pb2.Outcome:
        original = self.outcomes.get(request.original_request_id)
        if original is None:
            self.tombstones.add(request.original_request_id)
            return self.outcome(request, result_pb2.RESULT_ORIGINAL_NOT_FOUND)
        if original.activity_type == transaction_pb2.ACTIVITY_TYPE_VOID:
            return self.outcome(request, result_pb2.RESULT_CANNOT_BE_REVERSED)
        if original.current_state == transaction_pb2.CURRENT_STATE_POSTED:
            original.current_state = transaction_pb2.CURRENT_STATE_REVERSED
            self.balance += original.approved_amount.minor_units
        return self.outcome(request, result_pb2.RESULT_APPROVED)

    def _void(self, request: card_service_pb2.VoidRequest) -> transaction_pb2.Outcome:
        original = self.outcomes.get(request.original_request_id)
        if original is None:
            return self.outcome(request, result_pb2.RESULT_ORIGINAL_NOT_FOUND)
        original.current_state = transaction_pb2.CURRENT_STATE_VOIDED
        self.balance += original.approved_amount.minor_units
        outcome = self.outcome(request, result_pb2.RESULT_APPROVED)
        outcome.activity_type = transaction_pb2.ACTIVITY_TYPE_VOID
        return outcome

    def outcome(
        self, request: Message, result: result_pb2.Result.ValueType, *, amount: int = 0
    ) -> transaction_pb2.Outcome:
        """
        Build an outcome with the card's balance in it.
        """
        approved = result == result_pb2.RESULT_APPROVED
        outcome = transaction_pb2.Outcome(
            result=result,
            response_code="00" if approved else "51",
            request_id=request.request_id,
            transaction_id=str(uuid4()),
            approved_amount=usd(amount),
            available_balance=usd(self.balance),
            current_state=(
                transaction_pb2.CURRENT_STATE_POSTED
                if approved
                else transaction_pb2.CURRENT_STATE_DECLINED
            ),
            card=card_pb2.Card(
                last_four="1111",
                state=card_pb2.Card.STATE_ACTIVE,
                currency_code="USD",
            ),
        )
        outcome.host_time.FromJsonString("2025-01-02T10:20:30Z")
        return outcome

    async def _unary(
        self, request: Message, context: Context
    ) -> transaction_pb2.Outcome:
        self.peers.add(context.peer())
        try:
            return await self.handle(request)
        except FaultError as fault:
            await abort(context, fault.status)

    async def Activate(
        self, request: card_service_pb2.ActivateRequest, context: Context
    ) -> card_service_pb2.ActivateResponse:
        """
        Answer Activate.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.ActivateResponse(outcome=outcome)

    async def Load(
        self, request: card_service_pb2.LoadRequest, context: Context
    ) -> card_service_pb2.LoadResponse:
        """
        Answer Load.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.LoadResponse(outcome=outcome)

    async def Redeem(
        self, request: card_service_pb2.RedeemRequest, context: Context
    ) -> card_service_pb2.RedeemResponse:
        """
        Answer Redeem.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.RedeemResponse(outcome=outcome)

    async def CashOut(
        self, request: card_service_pb2.CashOutRequest, context: Context
    ) -> card_service_pb2.CashOutResponse:
        """
        Answer CashOut.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.CashOutResponse(outcome=outcome)

    async def GetBalance(
        self, request: card_service_pb2.GetBalanceRequest, context: Context
    ) -> card_service_pb2.GetBalanceResponse:
        """
        Answer GetBalance.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.GetBalanceResponse(outcome=outcome)

    async def Reverse(
        self, request: card_service_pb2.ReverseRequest, context: Context
    ) -> card_service_pb2.ReverseResponse:
        """
        Answer Reverse.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.ReverseResponse(outcome=outcome)

    async def Refund(
        self, request: card_service_pb2.RefundRequest, context: Context
    ) -> card_service_pb2.RefundResponse:
        """
        Answer Refund.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.RefundResponse(outcome=outcome)

    async def Void(
        self, request: card_service_pb2.VoidRequest, context: Context
    ) -> card_service_pb2.VoidResponse:
        """
        Answer Void.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.VoidResponse(outcome=outcome)

    async def GetTransaction(
        self, request: card_service_pb2.GetTransactionRequest, context: Context
    ) -> card_service_pb2.GetTransactionResponse:
        """
        Answer GetTransaction.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.GetTransactionResponse(outcome=outcome)

    async def Transact(
        self,
        request_iterator: AsyncIterator[card_service_pb2.TransactRequest],
        context: Context,
    ) -> AsyncIterator[card_service_pb2.TransactResponse]:
        """
        Answer item by item; end the stream unasked where the test wants it.
        """
        self.streams += 1
        if self.refuse_streams is not None:
            await abort(context, self.refuse_streams)
        left = self.end_stream_after.pop(0) if self.end_stream_after else None
        async for item in request_iterator:
            if left == 0:
                await abort(context, self.end_streams_with)
            left = None if left is None else left - 1
            yield await self._item(item)

    async def _item(
        self, item: card_service_pb2.TransactRequest
    ) -> card_service_pb2.TransactResponse:
        kind = item.WhichOneof("operation")
        assert kind is not None
        request = getattr(item, kind)
        response = card_service_pb2.TransactResponse(
            sequence=item.sequence, request_id=request.request_id
        )
        try:
            getattr(response, kind).outcome.CopyFrom(await self.handle(request))
        except FaultError as fault:
            response.fault.CopyFrom(fault.status)
        return response
