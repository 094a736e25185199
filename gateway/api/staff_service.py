"""
The methods of the staff service: the same lane as tills', and an audit of every call.

What is recorded is audited in its own transaction, by the lane. What is only read is
audited here, before the answer leaves.
"""

import asyncio
from typing import Any, Final, TypeVar

from grpc import aio

from gateway.api.calls import current_call, shown_id
from gateway.api.entrance import Entrance
from gateway.api.explanations import put_explanation
from gateway.api.outcomes import put_outcome
from gateway.api.ports import (
    AuditLog,
    Explanations,
    MoneyLane,
    PolicySource,
    QuestionLane,
)
from gateway.api.reading_requests import request_id_of
from gateway.api.service import known_caller
from gateway.api.staff_requests import StaffRequestReader
from gateway.domain.auditing import audit_of, audit_of_explaining
from gateway.domain.desks import may_see
from gateway.domain.errors import (
    DeadlineOverError,
    DependencyError,
    UnknownTransactionError,
)
from gateway.domain.explanation import Explanation
from gateway.domain.ids import TransactionId, uuid_text
from gateway.domain.policy import Caller, Policy
from gateway.domain.results import APPROVALS
from gateway.domain.staff import Acting, StaffOperation
from gateway.engine.answers import Answer
from gateway.engine.ports import BooksUnavailableError
from gateway.runtime.logging import get_logger
from scrip.v1 import card_pb2
from scrip.v1 import staff_service_pb2 as pb
from scrip.v1 import staff_service_pb2_grpc as pb_grpc

_Context = aio.ServicerContext[object, object]
_R = TypeVar(
    "_R",
    pb.GetCardResponse,
    pb.StaffServiceBlockResponse,
    pb.UnblockResponse,
    pb.ReplaceResponse,
    pb.ResetPinResponse,
    pb.AdjustResponse,
    pb.ApproveAdjustmentResponse,
)

_BLOCK_REASONS: Final = tuple(card_pb2.BlockReason.values())


class StaffIntake:
    """
    Turn each kind of request into an answer, and audit what the lane does not.
    """

    def __init__(
        self,
        *,
        entrance: Entrance,
        reader: StaffRequestReader,
        lane: MoneyLane,
        questions: QuestionLane,
        audit: AuditLog,
        explanations: Explanations,
        policies: PolicySource,
    ) -> None:
        self._entrance = entrance
        self._reader = reader
        self._lane = lane
        self._questions = questions
        self._audit = audit
        self._explanations = explanations
        self._policies = policies
        self._log = get_logger("api")

    async def answer(
        self,
        operation: StaffOperation,
        caller: Caller,
        request: Any,  # noqa: ANN401 - any request of the service
        deadline: float,
    ) -> Answer:
        """
        Do what is asked and wait for the answer.

        Raises:
            DeviceDeniedError, ServiceDeniedError, RoleDeniedError: not this caller.
            InvalidFieldsError: it cannot be read.
            TerminalDeniedError: the original's desk is not one of the merchant's.
            GatewayError: whatever else becomes a status.

        """
        desk = await self._entrance.desk_of(caller, operation)
        self._reader.check(request)
        if operation is StaffOperation.GET_CARD:
            return await self._get_card(caller, request, deadline)
        original_terminal_id = None
        if operation is StaffOperation.APPROVE_ADJUSTMENT:
            original_terminal_id = await self._entrance.colleague_of(
                caller, request.original_terminal_id
            )
        command = self._reader.read(request, desk, original_terminal_id)
        return await self._lane.submit(caller, command, deadline)

    async def explain(self, caller: Caller, request: pb.ExplainRequest) -> Explanation:
        """
        Explain a transaction. What does not agree with its record is an alarm.

        Raises:
            DeviceDeniedError, ServiceDeniedError, RoleDeniedError: not this caller.
            InvalidFieldsError: it cannot be read.
            UnknownTransactionError: there is none, or it is not theirs to see.
            DependencyError: the books cannot be asked, or the audit not written.

        """
        desk = await self._entrance.desk_of(caller, StaffOperation.EXPLAIN)
        self._reader.check(request)
        policy = await self._policy_in_force()
        acting = Acting(StaffOperation.EXPLAIN, desk.role, desk.staff)
        policy.check_caller(caller, desk.terminal_id, acting)
        asked = TransactionId(request_id_of(request.transaction_id))
        found = await self._explanations.explain(asked)
        if found is not None and not may_see(policy, desk, found.record):
            found = None
        record = None if found is None else found.record
        now = await self._explanations.clock()
        await self._audit.append(audit_of_explaining(desk, record, at=now))
        if found is None:
            message = "transaction_id: no such transaction of a programme of yours"
            raise UnknownTransactionError(message)
        if found.differences:
            self._log.error(
                "an explanation does not agree with what was recorded",
                transaction_id=uuid_text(asked),
                fields=[difference.field for difference in found.differences],
            )
        return found

    async def _policy_in_force(self) -> Policy:
        try:
            return await self._policies.refresh()
        except BooksUnavailableError as error:
            message = "the books cannot be asked who may see it"
            raise DependencyError(message) from error

    async def _get_card(
        self, caller: Caller, request: pb.GetCardRequest, deadline: float
    ) -> Answer:
        desk = await self._entrance.desk_of(caller, StaffOperation.GET_CARD)
        question = self._reader.get_card(request, desk)
        answer = await self._questions.submit(caller, question, deadline)
        record = answer.record
        entry = audit_of(question, record, at=record.host_time, replayed=False)
        if entry is not None:
            await self._audit.append(entry)
        return answer


class StaffService(pb_grpc.StaffServiceServicer):
    """
    Answer staff.
    """

    def __init__(self, *, intake: StaffIntake, policies: PolicySource) -> None:
        self._intake = intake
        self._policies = policies

    async def GetCard(
        self, request: pb.GetCardRequest, context: _Context
    ) -> pb.GetCardResponse:
        """
        Read a card's balance and state, whatever that is.
        """
        response = pb.GetCardResponse()
        answer = await self._unary(StaffOperation.GET_CARD, request, response)
        record = answer.record
        if record.reason is not None and record.result in APPROVALS:
            response.block_reason = _BLOCK_REASONS[record.reason]
        return response

    async def Block(
        self, request: pb.StaffServiceBlockRequest, context: _Context
    ) -> pb.StaffServiceBlockResponse:
        """
        Block a card at once.
        """
        response = pb.StaffServiceBlockResponse()
        await self._unary(StaffOperation.BLOCK, request, response)
        return response

    async def Unblock(
        self, request: pb.UnblockRequest, context: _Context
    ) -> pb.UnblockResponse:
        """
        Make a blocked card usable again.
        """
        response = pb.UnblockResponse()
        await self._unary(StaffOperation.UNBLOCK, request, response)
        return response

    async def Replace(
        self, request: pb.ReplaceRequest, context: _Context
    ) -> pb.ReplaceResponse:
        """
        Put another card in the place of a lost or stolen one.
        """
        response = pb.ReplaceResponse()
        await self._unary(StaffOperation.REPLACE, request, response)
        return response

    async def ResetPin(
        self, request: pb.ResetPinRequest, context: _Context
    ) -> pb.ResetPinResponse:
        """
        Let a card's PIN be tried again.
        """
        response = pb.ResetPinResponse()
        await self._unary(StaffOperation.RESET_PIN, request, response)
        return response

    async def Adjust(
        self, request: pb.AdjustRequest, context: _Context
    ) -> pb.AdjustResponse:
        """
        Ask for a change of a card's balance.
        """
        response = pb.AdjustResponse()
        await self._unary(StaffOperation.ADJUST, request, response)
        return response

    async def ApproveAdjustment(
        self, request: pb.ApproveAdjustmentRequest, context: _Context
    ) -> pb.ApproveAdjustmentResponse:
        """
        Let an adjustment happen that somebody else asked for.
        """
        response = pb.ApproveAdjustmentResponse()
        await self._unary(StaffOperation.APPROVE_ADJUSTMENT, request, response)
        return response

    async def Explain(
        self, request: pb.ExplainRequest, context: _Context
    ) -> pb.ExplainResponse:
        """
        Tell why a transaction ended as it did.
        """
        call = current_call()
        call.request_id = shown_id(request.request_id)
        try:
            async with asyncio.timeout_at(call.deadline):
                told = await self._intake.explain(known_caller(call), request)
        except TimeoutError as error:
            message = "the deadline was over before it was explained"
            raise DeadlineOverError(message) from error
        response = pb.ExplainResponse()
        put_explanation(response.explanation, told)
        return response

    async def _unary(
        self,
        operation: StaffOperation,
        request: Any,  # noqa: ANN401 - as in the intake
        response: _R,
    ) -> Answer:
        call = current_call()
        call.request_id = shown_id(request.request_id)
        answer = await self._intake.answer(
            operation, known_caller(call), request, call.deadline
        )
        call.answer = answer
        put_outcome(response.outcome, answer, self._policies.current)
        return answer
