"""
The methods of the card service.

Each does the same: take the request in, wait for its answer, write it down. Who calls
and until when is the call's (`gateway.api.calls`); what goes wrong is raised and
becomes a status in `gateway.api.interceptor`.
"""

from typing import Protocol, TypeVar

from grpc import aio

from gateway.api.calls import Call, current_call, shown_id
from gateway.api.intake import Intake
from gateway.api.outcomes import put_outcome
from gateway.api.ports import PolicySource
from gateway.api.stream import Streams
from gateway.domain.errors import UnauthenticatedError
from gateway.domain.policy import Caller
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import card_service_pb2_grpc as pb_grpc
from scrip.v1 import transaction_pb2

_Context = aio.ServicerContext[object, object]


class _Asking(Protocol):
    request_id: str


class _Answering(Protocol):
    @property
    def outcome(self) -> transaction_pb2.Outcome: ...


_R = TypeVar("_R", bound=_Answering)


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
        return await self._unary("activate", request, pb.ActivateResponse())

    async def Load(self, request: pb.LoadRequest, context: _Context) -> pb.LoadResponse:
        """
        Add value to a card.
        """
        return await self._unary("load", request, pb.LoadResponse())

    async def Redeem(
        self, request: pb.RedeemRequest, context: _Context
    ) -> pb.RedeemResponse:
        """
        Spend from a card.
        """
        return await self._unary("redeem", request, pb.RedeemResponse())

    async def CashOut(
        self, request: pb.CashOutRequest, context: _Context
    ) -> pb.CashOutResponse:
        """
        Pay the rest of a card out in cash.
        """
        return await self._unary("cash_out", request, pb.CashOutResponse())

    async def GetBalance(
        self, request: pb.GetBalanceRequest, context: _Context
    ) -> pb.GetBalanceResponse:
        """
        Read a card's balance.
        """
        return await self._unary("get_balance", request, pb.GetBalanceResponse())

    async def Reverse(
        self, request: pb.ReverseRequest, context: _Context
    ) -> pb.ReverseResponse:
        """
        Undo a request.
        """
        return await self._unary("reverse", request, pb.ReverseResponse())

    async def Refund(
        self, request: pb.RefundRequest, context: _Context
    ) -> pb.RefundResponse:
        """
        Give back what a Redeem spent.
        """
        return await self._unary("refund", request, pb.RefundResponse())

    async def Void(self, request: pb.VoidRequest, context: _Context) -> pb.VoidResponse:
        """
        Undo a completed operation of the same business day.
        """
        return await self._unary("void", request, pb.VoidResponse())

    async def GetTransaction(
        self, request: pb.GetTransactionRequest, context: _Context
    ) -> pb.GetTransactionResponse:
        """
        Tell what is recorded for a request id.
        """
        return await self._unary(
            "get_transaction", request, pb.GetTransactionResponse()
        )

    async def Authorize(
        self, request: pb.AuthorizeRequest, context: _Context
    ) -> pb.AuthorizeResponse:
        """
        Hold an amount.
        """
        return await self._unary("authorize", request, pb.AuthorizeResponse())

    async def IncrementAuthorization(
        self, request: pb.IncrementAuthorizationRequest, context: _Context
    ) -> pb.IncrementAuthorizationResponse:
        """
        Hold more under an open hold.
        """
        return await self._unary(
            "increment_authorization", request, pb.IncrementAuthorizationResponse()
        )

    async def Capture(
        self, request: pb.CaptureRequest, context: _Context
    ) -> pb.CaptureResponse:
        """
        Spend from a hold.
        """
        return await self._unary("capture", request, pb.CaptureResponse())

    async def CancelAuthorization(
        self, request: pb.CancelAuthorizationRequest, context: _Context
    ) -> pb.CancelAuthorizationResponse:
        """
        Give up what is left of a hold.
        """
        return await self._unary(
            "cancel_authorization", request, pb.CancelAuthorizationResponse()
        )

    async def Confirm(
        self, request: pb.ConfirmRequest, context: _Context
    ) -> pb.ConfirmResponse:
        """
        Confirm an approved request.
        """
        return await self._unary("confirm", request, pb.ConfirmResponse())

    async def Advice(
        self, request: pb.AdviceRequest, context: _Context
    ) -> pb.AdviceResponse:
        """
        Record a sale that was made while the till could not ask.
        """
        return await self._unary("advice", request, pb.AdviceResponse())

    async def Block(
        self, request: pb.BlockRequest, context: _Context
    ) -> pb.BlockResponse:
        """
        Block a card at once.
        """
        return await self._unary("block", request, pb.BlockResponse())

    async def TransferBalance(
        self, request: pb.TransferBalanceRequest, context: _Context
    ) -> pb.TransferBalanceResponse:
        """
        Move all that can be spent to another card.
        """
        return await self._unary(
            "transfer_balance", request, pb.TransferBalanceResponse()
        )

    async def Deactivate(
        self, request: pb.DeactivateRequest, context: _Context
    ) -> pb.DeactivateResponse:
        """
        Close an empty card for ever.
        """
        return await self._unary("deactivate", request, pb.DeactivateResponse())

    # gRPC also takes a coroutine that reads and writes by itself, unlike the stub.
    async def Transact(  # type: ignore[override]
        self, requests: object, context: _Context
    ) -> None:
        """
        Take requests of all kinds over one stream.
        """
        call = current_call()
        await self._streams.run(call, known_caller(call), context)

    async def _unary(self, kind: str, request: _Asking, response: _R) -> _R:
        call, caller = _begin(request.request_id)
        submitted = await self._intake.submit(kind, caller, request, call.deadline)
        answer = await submitted
        call.answer = answer
        put_outcome(response.outcome, answer, self._policies.current)
        return response


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
