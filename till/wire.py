"""
Write a request as the contract's message, and pick the outcome out of a response.
"""

from __future__ import annotations

from typing import Final, assert_never

from currency import Money
from scrip.v1 import card_service_pb2, money_pb2, transaction_pb2
from till.requests import (
    NO_CONTEXT,
    Activate,
    CashOut,
    GetBalance,
    GetTransaction,
    Load,
    Redeem,
    Refund,
    Request,
    Reverse,
    TillContext,
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
}


def write_message(request: Request) -> Message:
    """
    Write the message of the unary call.
    """
    match request:
        case Activate():
            return _activate(request)
        case Load():
            return card_service_pb2.LoadRequest(
                request_id=str(request.request_id),
                terminal_id=request.terminal_id,
                card_number=request.card_number.digits,
                till=_context(request.context),
                amount=write_money(request.amount),
                load_type=request.load_type.value,  # type: ignore[arg-type]
            )
        case Redeem():
            return card_service_pb2.RedeemRequest(
                request_id=str(request.request_id),
                terminal_id=request.terminal_id,
                card_number=request.card_number.digits,
                till=_context(request.context),
                amount=write_money(request.amount),
                allow_partial=request.allow_partial,
            )
        case GetBalance():
            return card_service_pb2.GetBalanceRequest(
                request_id=str(request.request_id or ""),
                terminal_id=request.terminal_id,
                card_number=request.card_number.digits,
                till=_context(request.context),
            )
        case CashOut():
            return card_service_pb2.CashOutRequest(
                request_id=str(request.request_id),
                terminal_id=request.terminal_id,
                card_number=request.card_number.digits,
                till=_context(request.context),
            )
        case Reverse():
            return _reverse(request)
        case GetTransaction():
            return card_service_pb2.GetTransactionRequest(
                request_id=str(request.request_id), terminal_id=request.terminal_id
            )
        case Refund():
            return _refund(request)
        case Void():
            return _void(request)
        case _:
            assert_never(request)


def write_stream_message(
    sequence: int, request: Request
) -> card_service_pb2.TransactRequest:
    """
    Write one item of a Transact stream.
    """
    message = write_message(request)
    item = card_service_pb2.TransactRequest(sequence=sequence)
    match message:
        case card_service_pb2.ActivateRequest():
            item.activate.CopyFrom(message)
        case card_service_pb2.LoadRequest():
            item.load.CopyFrom(message)
        case card_service_pb2.RedeemRequest():
            item.redeem.CopyFrom(message)
        case card_service_pb2.GetBalanceRequest():
            item.get_balance.CopyFrom(message)
        case card_service_pb2.ReverseRequest():
            item.reverse.CopyFrom(message)
        case card_service_pb2.GetTransactionRequest():
            item.get_transaction.CopyFrom(message)
        case card_service_pb2.CashOutRequest():
            item.cash_out.CopyFrom(message)
        case card_service_pb2.RefundRequest():
            item.refund.CopyFrom(message)
        case card_service_pb2.VoidRequest():
            item.void.CopyFrom(message)
        case _:
            assert_never(message)
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


def _activate(request: Activate) -> card_service_pb2.ActivateRequest:
    amount = request.initial_amount
    return card_service_pb2.ActivateRequest(
        request_id=str(request.request_id),
        terminal_id=request.terminal_id,
        card_number=request.card_number.digits,
        till=_context(request.context),
        initial_amount=None if amount is None else write_money(amount),
    )


def _reverse(request: Reverse) -> card_service_pb2.ReverseRequest:
    card = request.card_number
    return card_service_pb2.ReverseRequest(
        request_id=str(request.request_id),
        terminal_id=request.terminal_id,
        card_number="" if card is None else card.digits,
        till=_context(request.context),
        original_request_id=str(request.original_request_id),
        original_terminal_id=request.original_terminal_id,
        reason=request.reason.value,  # type: ignore[arg-type]
    )


def _refund(request: Refund) -> card_service_pb2.RefundRequest:
    card = request.card_number
    return card_service_pb2.RefundRequest(
        request_id=str(request.request_id),
        terminal_id=request.terminal_id,
        card_number="" if card is None else card.digits,
        till=_context(request.context),
        original_request_id=str(request.original_request_id),
        original_terminal_id=request.original_terminal_id,
        amount=write_money(request.amount),
    )


def _void(request: Void) -> card_service_pb2.VoidRequest:
    card = request.card_number
    return card_service_pb2.VoidRequest(
        request_id=str(request.request_id),
        terminal_id=request.terminal_id,
        card_number="" if card is None else card.digits,
        till=_context(request.context),
        original_request_id=str(request.original_request_id),
        original_terminal_id=request.original_terminal_id,
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
