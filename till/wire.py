"""
Write a request as the contract's message, and pick the outcome out of a response.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.duration_pb2 import Duration

from currency import Money
from scrip.v1 import card_service_pb2, money_pb2, transaction_pb2
from till.pin import Pin
from till.requests import (
    NO_CONTEXT,
    Activate,
    Advice,
    Authorize,
    Block,
    CancelAuthorization,
    Capture,
    CashOut,
    Confirm,
    Deactivate,
    GetBalance,
    GetTransaction,
    IncrementAuthorization,
    Load,
    Redeem,
    Refund,
    Request,
    Reverse,
    TillContext,
    TransferBalance,
    Void,
)

Message = (
    card_service_pb2.ActivateRequest
    | card_service_pb2.LoadRequest
    | card_service_pb2.RedeemRequest
    | card_service_pb2.GetBalanceRequest
    | card_service_pb2.ReverseRequest
    | card_service_pb2.GetTransactionRequest
    | card_service_pb2.CashOutRequest
    | card_service_pb2.RefundRequest
    | card_service_pb2.VoidRequest
    | card_service_pb2.AuthorizeRequest
    | card_service_pb2.IncrementAuthorizationRequest
    | card_service_pb2.CaptureRequest
    | card_service_pb2.CancelAuthorizationRequest
    | card_service_pb2.ConfirmRequest
    | card_service_pb2.AdviceRequest
    | card_service_pb2.BlockRequest
    | card_service_pb2.TransferBalanceRequest
    | card_service_pb2.DeactivateRequest
)

# The method of the service, and the field of the stream's oneof, of each request.
METHODS: Final[dict[type[Request], str]] = {
    Activate: "Activate",
    Load: "Load",
    Redeem: "Redeem",
    GetBalance: "GetBalance",
    Reverse: "Reverse",
    GetTransaction: "GetTransaction",
    CashOut: "CashOut",
    Refund: "Refund",
    Void: "Void",
    Authorize: "Authorize",
    IncrementAuthorization: "IncrementAuthorization",
    Capture: "Capture",
    CancelAuthorization: "CancelAuthorization",
    Confirm: "Confirm",
    Advice: "Advice",
    Block: "Block",
    TransferBalance: "TransferBalance",
    Deactivate: "Deactivate",
}
_AS_THEY_ARE: Final = ("allow_partial", "keep_open", "original_terminal_id")
_FIELDS: Final = {
    message: field.name
    for field in card_service_pb2.TransactRequest.DESCRIPTOR.fields
    if (message := field.message_type) is not None
}


def write_message(request: Request) -> Message:
    """
    Write the message of the unary call.
    """
    if isinstance(request, GetTransaction):
        return card_service_pb2.GetTransactionRequest(
            request_id=str(request.request_id), terminal_id=request.terminal_id
        )
    make = getattr(card_service_pb2, f"{METHODS[type(request)]}Request")
    card = request.card_number
    message: Message = make(
        request_id=str(request.request_id or ""),
        terminal_id=request.terminal_id,
        card_number="" if card is None else card.digits,
        till=_context(request.context),
        **_particulars(request),
    )
    return message


def _particulars(request: Request) -> dict[str, Any]:
    """
    Give the fields that only some requests have, by their names in the contract.
    """
    fields: dict[str, Any] = {}
    for name in _AS_THEY_ARE:
        if hasattr(request, name):
            fields[name] = getattr(request, name)
    for name in ("amount", "initial_amount"):
        amount = getattr(request, name, None)
        if amount is not None:
            fields[name] = write_money(amount)
    for name in ("load_type", "reason"):
        if hasattr(request, name):
            fields[name] = getattr(request, name).value
    if hasattr(request, "original_request_id"):
        fields["original_request_id"] = str(request.original_request_id)
    pin: Pin | None = getattr(request, "pin", None)
    if pin is not None:
        fields["pin"] = pin.digits
    if isinstance(request, TransferBalance):
        fields["to_card_number"] = request.to_card_number.digits
    if isinstance(request, Authorize) and request.time_to_live_s is not None:
        fields["time_to_live"] = Duration(seconds=request.time_to_live_s)
    return fields


def write_stream_message(
    sequence: int, request: Request
) -> card_service_pb2.TransactRequest:
    """
    Write one item of a Transact stream.
    """
    message = write_message(request)
    item = card_service_pb2.TransactRequest(sequence=sequence)
    getattr(item, _FIELDS[message.DESCRIPTOR]).CopyFrom(message)
    return item


def outcome_of(
    response: card_service_pb2.TransactResponse,
) -> transaction_pb2.Outcome | None:
    """
    Give the outcome in an item's answer, or None where it holds a fault or nothing.
    """
    kind = response.WhichOneof("answer")
    if kind is None or kind == "fault":
        return None
    outcome: transaction_pb2.Outcome = getattr(response, kind).outcome
    return outcome


def write_money(money: Money) -> money_pb2.Money:
    """
    Write an amount with the digits the till believes its currency has.
    """
    return money_pb2.Money(
        minor_units=money.minor_units,
        currency_code=money.currency.code,
        exponent=money.currency.exponent,
    )


def _context(context: TillContext) -> transaction_pb2.TillContext | None:
    if context == NO_CONTEXT:
        return None
    return transaction_pb2.TillContext(
        merchant_reference=context.merchant_reference,
        cashier_id=context.cashier_id,
        entry_mode=context.entry_mode.value,  # type: ignore[arg-type]
        local_time=context.local_time,
        system_trace_no=context.system_trace_no,
        terminal_batch_no=context.terminal_batch_no,
    )
