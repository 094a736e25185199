"""
Be somebody of the operator's staff at a desk: read a card, block it, replace it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import grpc

from scrip.v1 import card_pb2, staff_service_pb2
from scrip.v1.staff_service_pb2_grpc import StaffServiceStub
from till.answer import Answer, read_answer
from till.card_number import CardNumber
from till.codes import BlockReason
from till.errors import RefusedError, TillError
from till.status import error_of_call

ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCard:
    """
    Read a card's balance and state, whatever that is. Nothing is recorded.
    """

    card_number: CardNumber
    request_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCard:
    """
    Block a card at once.
    """

    request_id: UUID
    card_number: CardNumber
    reason: BlockReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceCard:
    """
    Put a pending card in the place of a lost or stolen one.
    """

    request_id: UUID
    card_number: CardNumber
    to_card_number: CardNumber


StaffRequest = GetCard | BlockCard | ReplaceCard


class Asked(Protocol):
    """
    Answer somebody of the staff.
    """

    async def ask(self, request: StaffRequest) -> Answer:
        """
        Answer, or raise a TillError that says what became of it.
        """
        ...


class Desk:
    """
    Ask as a member of the staff, over a connection with their certificate.
    """

    def __init__(self, channel: grpc.aio.Channel, *, timeout_s: float) -> None:
        self._stub = StaffServiceStub(channel)
        self._timeout_s = timeout_s

    async def ask(self, request: StaffRequest) -> Answer:
        """
        Ask until there is an answer, a few times, with the same request id.

        Raises:
            TillError: the last attempt got none, or it is refused.

        """
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._attempt(request)
            except RefusedError:
                raise
            except TillError:
                continue
        return await self._attempt(request)

    async def _attempt(self, request: StaffRequest) -> Answer:
        method, message = self._message(request)
        try:
            response = await method(message, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise error_of_call(error) from error
        return read_answer(response.outcome)

    def _message(self, request: StaffRequest) -> tuple[Any, Any]:
        """
        Give the method of a request, and the message for it.
        """
        number = request.card_number.digits
        request_id = "" if request.request_id is None else str(request.request_id)
        if isinstance(request, BlockCard):
            return self._stub.Block, staff_service_pb2.StaffServiceBlockRequest(
                request_id=request_id,
                card_number=number,
                block_reason=card_pb2.BlockReason.ValueType(request.reason),
            )
        if isinstance(request, ReplaceCard):
            return self._stub.Replace, staff_service_pb2.ReplaceRequest(
                request_id=request_id,
                card_number=number,
                to_card_number=request.to_card_number.digits,
            )
        return self._stub.GetCard, staff_service_pb2.GetCardRequest(
            request_id=request_id, card_number=number
        )
