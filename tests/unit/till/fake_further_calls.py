"""
The calls of the fake gateway that no simulated till makes.
"""

from abc import ABC, abstractmethod

from scrip.v1 import card_service_pb2, transaction_pb2
from tests.unit.till.fake_parts import Context
from till.wire import Message


class FurtherCalls(ABC):
    """
    Answer them like all others.
    """

    @abstractmethod
    async def _unary(
        self, request: Message, context: Context
    ) -> transaction_pb2.Outcome: ...

    async def Authorize(
        self, request: card_service_pb2.AuthorizeRequest, context: Context
    ) -> card_service_pb2.AuthorizeResponse:
        """
        Answer Authorize.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.AuthorizeResponse(outcome=outcome)

    async def IncrementAuthorization(
        self, request: card_service_pb2.IncrementAuthorizationRequest, context: Context
    ) -> card_service_pb2.IncrementAuthorizationResponse:
        """
        Answer IncrementAuthorization.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.IncrementAuthorizationResponse(outcome=outcome)

    async def Capture(
        self, request: card_service_pb2.CaptureRequest, context: Context
    ) -> card_service_pb2.CaptureResponse:
        """
        Answer Capture.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.CaptureResponse(outcome=outcome)

    async def CancelAuthorization(
        self, request: card_service_pb2.CancelAuthorizationRequest, context: Context
    ) -> card_service_pb2.CancelAuthorizationResponse:
        """
        Answer CancelAuthorization.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.CancelAuthorizationResponse(outcome=outcome)

    async def Confirm(
        self, request: card_service_pb2.ConfirmRequest, context: Context
    ) -> card_service_pb2.ConfirmResponse:
        """
        Answer Confirm.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.ConfirmResponse(outcome=outcome)

    async def Advice(
        self, request: card_service_pb2.AdviceRequest, context: Context
    ) -> card_service_pb2.AdviceResponse:
        """
        Answer Advice.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.AdviceResponse(outcome=outcome)

    async def Block(
        self, request: card_service_pb2.BlockRequest, context: Context
    ) -> card_service_pb2.BlockResponse:
        """
        Answer Block.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.BlockResponse(outcome=outcome)

    async def TransferBalance(
        self, request: card_service_pb2.TransferBalanceRequest, context: Context
    ) -> card_service_pb2.TransferBalanceResponse:
        """
        Answer TransferBalance.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.TransferBalanceResponse(outcome=outcome)

    async def Deactivate(
        self, request: card_service_pb2.DeactivateRequest, context: Context
    ) -> card_service_pb2.DeactivateResponse:
        """
        Answer Deactivate.
        """
        outcome = await self._unary(request, context)
        return card_service_pb2.DeactivateResponse(outcome=outcome)
