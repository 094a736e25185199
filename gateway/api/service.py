"""
The methods of the card service.

Each does the same: take the request in, wait for its answer, write it down. Who calls
and until when is the call's (`gateway.api.calls`); what goes wrong is raised and
becomes a status in `gateway.api.interceptor`.
"""

from grpc import aio

from gateway.api.calls import Call, current_call, shown_id
from gateway.api.intake import Intake, Submitted
from gateway.api.outcomes import put_outcome
from gateway.api.ports import PolicySource
from gateway.api.stream import Streams
from gateway.domain.errors import UnauthenticatedError
from gateway.domain.policy import Caller
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import card_service_pb2_grpc as pb_grpc
from scrip.v1 import transaction_pb2

_Context = aio.ServicerContext[object, object]


class CardService(pb_grpc.CardServiceServicer):
    """
    Answer tills.
    """

    def __init__(
        self, *, intake: Intake, policies: PolicySource, streams: Streams
    ) -> None:
        self._intake = intake
        self._policies = policies
        self._streams = streams

    async def Activate(
        self, request: pb.ActivateRequest, context: _Context
    ) -> pb.ActivateResponse:
        """
        Make a pending card usable.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.activate(caller, request, call.deadline)
        response = pb.ActivateResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    async def Load(self, request: pb.LoadRequest, context: _Context) -> pb.LoadResponse:
        """
        Add value to a card.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.load(caller, request, call.deadline)
        response = pb.LoadResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    async def Redeem(
        self, request: pb.RedeemRequest, context: _Context
    ) -> pb.RedeemResponse:
        """
        Spend from a card.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.redeem(caller, request, call.deadline)
        response = pb.RedeemResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    async def CashOut(
        self, request: pb.CashOutRequest, context: _Context
    ) -> pb.CashOutResponse:
        """
        Pay the rest of a card out in cash.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.cash_out(caller, request, call.deadline)
        response = pb.CashOutResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    async def GetBalance(
        self, request: pb.GetBalanceRequest, context: _Context
    ) -> pb.GetBalanceResponse:
        """
        Read a card's balance.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.get_balance(caller, request, call.deadline)
        response = pb.GetBalanceResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    async def Reverse(
        self, request: pb.ReverseRequest, context: _Context
    ) -> pb.ReverseResponse:
        """
        Undo a request.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.reverse(caller, request, call.deadline)
        response = pb.ReverseResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    async def Refund(
        self, request: pb.RefundRequest, context: _Context
    ) -> pb.RefundResponse:
        """
        Give back what a Redeem spent.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.refund(caller, request, call.deadline)
        response = pb.RefundResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    async def Void(self, request: pb.VoidRequest, context: _Context) -> pb.VoidResponse:
        """
        Undo a completed operation of the same business day.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.void(caller, request, call.deadline)
        response = pb.VoidResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    async def GetTransaction(
        self, request: pb.GetTransactionRequest, context: _Context
    ) -> pb.GetTransactionResponse:
        """
        Tell what is recorded for a request id.
        """
        call, caller = _begin(request.request_id)
        submitted = await self._intake.get_transaction(caller, request, call.deadline)
        response = pb.GetTransactionResponse()
        await self._finish(call, submitted, response.outcome)
        return response

    # gRPC also takes a coroutine that reads and writes by itself, unlike the stub.
    async def Transact(  # type: ignore[override]
        self, requests: object, context: _Context
    ) -> None:
        """
        Take requests of all kinds over one stream.
        """
        call = current_call()
        await self._streams.run(call, known_caller(call), context)

    async def _finish(
        self, call: Call, submitted: Submitted, outcome: transaction_pb2.Outcome
    ) -> None:
        answer = await submitted
        call.answer = answer
        put_outcome(outcome, answer, self._policies.current)


def _begin(request_id: str) -> tuple[Call, Caller]:
    call = current_call()
    call.request_id = shown_id(request_id)
    return call, known_caller(call)


def known_caller(call: Call) -> Caller:
    """
    Give the call's caller, whom the interceptor has identified.
    """
    if call.caller is None:
        message = "the caller was not identified"
        raise UnauthenticatedError(message)
    return call.caller
