"""
Turn requests into commands, or say which of their fields are wrong (domain 1.2).

Only what cannot be keyed or read is refused here. A zero amount, a wrong exponent, an
unknown currency or card goes on: that is a decline, and declines are recorded.
"""

from typing import Final

from gateway.api.field_rules import read_uuid
from gateway.api.forms import Form
from gateway.api.ports import Part, Sealer
from gateway.api.request_content import (
    ACTIVATE,
    CASH_OUT,
    LOAD,
    REDEEM,
    REFUND,
    REVERSE,
    VOID,
    content_parts,
)
from gateway.domain.commands import (
    NO_CONTEXT,
    Activate,
    Amount,
    CashOut,
    Fingerprint,
    GetBalance,
    GetTransaction,
    Load,
    Redeem,
    Refund,
    Reverse,
    TillContext,
    Void,
)
from gateway.domain.errors import InvariantError
from gateway.domain.ids import RequestId, RequestKey, TerminalId
from gateway.domain.results import EntryMode, LoadType, ReversalReason
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import money_pb2, transaction_pb2

_ENTRY_MODES: Final = {mode.value: mode for mode in EntryMode}
_LOAD_TYPES: Final = {
    pb.LOAD_TYPE_UNSPECIFIED: LoadType.SALE,
    **{kind.value: kind for kind in LoadType},
}
_REASONS: Final = {reason.value: reason for reason in ReversalReason}


class RequestReader:
    """
    Read each kind of request; the terminal it counts for is known already.

    Every method raises InvalidFieldsError, with all wrong fields named.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._activate = Form(pb.ActivateRequest.DESCRIPTOR)
        self._load = Form(pb.LoadRequest.DESCRIPTOR)
        self._redeem = Form(pb.RedeemRequest.DESCRIPTOR)
        self._reverse = Form(pb.ReverseRequest.DESCRIPTOR)
        self._refund = Form(pb.RefundRequest.DESCRIPTOR)
        self._void = Form(pb.VoidRequest.DESCRIPTOR)
        self._get_balance = Form(pb.GetBalanceRequest.DESCRIPTOR)
        self._get_transaction = Form(pb.GetTransactionRequest.DESCRIPTOR)
        self._cash_out = Form(pb.CashOutRequest.DESCRIPTOR)

    def activate(
        self, request: pb.ActivateRequest, terminal_id: TerminalId
    ) -> Activate:
        """
        Read an Activate.
        """
        self._activate.require(request)
        amount = None
        if request.HasField("initial_amount"):
            amount = _amount(request.initial_amount)
        digits = request.card_number
        content, fingerprint = self._sealed(
            content_parts(ACTIVATE, digits, amount=amount)
        )
        return Activate(
            request_id=_request_id(request.request_id),
            terminal_id=terminal_id,
            card=self._sealer.card(digits),
            till=_till(request),
            fingerprint=fingerprint,
            content=content,
            initial_amount=amount,
        )

    def load(self, request: pb.LoadRequest, terminal_id: TerminalId) -> Load:
        """
        Read a Load.
        """
        self._load.require(request)
        amount = _amount(request.amount)
        load_type = _LOAD_TYPES[request.load_type]
        digits = request.card_number
        content, fingerprint = self._sealed(
            content_parts(LOAD, digits, amount=amount, load_type=load_type)
        )
        return Load(
            request_id=_request_id(request.request_id),
            terminal_id=terminal_id,
            card=self._sealer.card(digits),
            till=_till(request),
            fingerprint=fingerprint,
            content=content,
            amount=amount,
            load_type=load_type,
        )

    def redeem(self, request: pb.RedeemRequest, terminal_id: TerminalId) -> Redeem:
        """
        Read a Redeem.
        """
        self._redeem.require(request)
        amount = _amount(request.amount)
        allow_partial = request.allow_partial
        digits = request.card_number
        content, fingerprint = self._sealed(
            content_parts(REDEEM, digits, amount=amount, allow_partial=allow_partial)
        )
        return Redeem(
            request_id=_request_id(request.request_id),
            terminal_id=terminal_id,
            card=self._sealer.card(digits),
            till=_till(request),
            fingerprint=fingerprint,
            content=content,
            amount=amount,
            allow_partial=allow_partial,
        )

    def check_reverse(self, request: pb.ReverseRequest) -> None:
        """
        Check a Reverse before the terminal of its original is looked for.
        """
        self._reverse.require(request)

    def reverse(
        self,
        request: pb.ReverseRequest,
        terminal_id: TerminalId,
        *,
        original_terminal_id: TerminalId,
    ) -> Reverse:
        """
        Read a Reverse that `check_reverse` let pass.
        """
        original = RequestKey(
            original_terminal_id, _request_id(request.original_request_id)
        )
        reason = _REASONS[request.reason]
        digits = request.card_number or None
        content, fingerprint = self._sealed(
            content_parts(REVERSE, digits, original=original, reason=reason)
        )
        return Reverse(
            request_id=_request_id(request.request_id),
            terminal_id=terminal_id,
            card=None if digits is None else self._sealer.card(digits),
            till=_till(request),
            fingerprint=fingerprint,
            content=content,
            original=original,
            reversal_reason=reason,
        )

    def cash_out(self, request: pb.CashOutRequest, terminal_id: TerminalId) -> CashOut:
        """
        Read a CashOut.
        """
        self._cash_out.require(request)
        digits = request.card_number
        content, fingerprint = self._sealed(content_parts(CASH_OUT, digits))
        return CashOut(
            request_id=_request_id(request.request_id),
            terminal_id=terminal_id,
            card=self._sealer.card(digits),
            till=_till(request),
            fingerprint=fingerprint,
            content=content,
        )

    def check_refund(self, request: pb.RefundRequest) -> None:
        """
        Check a Refund before the terminal of its original is looked for.
        """
        self._refund.require(request)

    def refund(
        self,
        request: pb.RefundRequest,
        terminal_id: TerminalId,
        *,
        original_terminal_id: TerminalId,
    ) -> Refund:
        """
        Read a Refund that `check_refund` let pass.
        """
        original = RequestKey(
            original_terminal_id, _request_id(request.original_request_id)
        )
        amount = _amount(request.amount)
        digits = request.card_number or None
        content, fingerprint = self._sealed(
            content_parts(REFUND, digits, original=original, amount=amount)
        )
        return Refund(
            request_id=_request_id(request.request_id),
            terminal_id=terminal_id,
            card=None if digits is None else self._sealer.card(digits),
            till=_till(request),
            fingerprint=fingerprint,
            content=content,
            original=original,
            amount=amount,
        )

    def check_void(self, request: pb.VoidRequest) -> None:
        """
        Check a Void before the terminal of its original is looked for.
        """
        self._void.require(request)

    def void(
        self,
        request: pb.VoidRequest,
        terminal_id: TerminalId,
        *,
        original_terminal_id: TerminalId,
    ) -> Void:
        """
        Read a Void that `check_void` let pass.
        """
        original = RequestKey(
            original_terminal_id, _request_id(request.original_request_id)
        )
        digits = request.card_number or None
        content, fingerprint = self._sealed(
            content_parts(VOID, digits, original=original)
        )
        return Void(
            request_id=_request_id(request.request_id),
            terminal_id=terminal_id,
            card=None if digits is None else self._sealer.card(digits),
            till=_till(request),
            fingerprint=fingerprint,
            content=content,
            original=original,
        )

    def get_balance(
        self, request: pb.GetBalanceRequest, terminal_id: TerminalId
    ) -> GetBalance:
        """
        Read a GetBalance, whose request id is optional.
        """
        self._get_balance.require(request)
        text = request.request_id
        return GetBalance(
            request_id=_request_id(text) if text else None,
            terminal_id=terminal_id,
            card=self._sealer.card(request.card_number),
            till=_till(request),
        )

    def check_get_transaction(self, request: pb.GetTransactionRequest) -> None:
        """
        Check a GetTransaction before the terminal it names is looked for.
        """
        self._get_transaction.require(request)

    def get_transaction(
        self, request: pb.GetTransactionRequest, terminal_id: TerminalId
    ) -> GetTransaction:
        """
        Read a GetTransaction that `check_get_transaction` let pass.
        """
        return GetTransaction(
            key=RequestKey(terminal_id, _request_id(request.request_id))
        )

    def _sealed(self, parts: tuple[Part, ...]) -> tuple[bytes, Fingerprint]:
        content = self._sealer.content(parts)
        return content, self._sealer.fingerprint(content)


_WithTill = (
    pb.ActivateRequest
    | pb.LoadRequest
    | pb.RedeemRequest
    | pb.ReverseRequest
    | pb.RefundRequest
    | pb.VoidRequest
    | pb.GetBalanceRequest
    | pb.CashOutRequest
)


def _request_id(text: str) -> RequestId:
    request_id = read_uuid(text)
    if request_id is None:
        message = "a request id passed its form and is no UUID"
        raise InvariantError(message)
    return request_id


def _amount(money: money_pb2.Money) -> Amount:
    return Amount(money.minor_units, money.currency_code, money.exponent)


def _till(request: _WithTill) -> TillContext:
    if not request.HasField("till"):
        return NO_CONTEXT
    till: transaction_pb2.TillContext = request.till
    mode = till.entry_mode
    return TillContext(
        merchant_reference=till.merchant_reference or None,
        cashier_id=till.cashier_id or None,
        entry_mode=_ENTRY_MODES[mode] if mode else None,
        local_time=till.local_time or None,
        system_trace_no=till.system_trace_no or None,
        terminal_batch_no=till.terminal_batch_no or None,
    )
