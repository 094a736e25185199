"""
What each kind of recorded request asks for: its command and its fingerprint's content.

A builder takes a request that has passed its form, and gives the command's class, the
content in the one order of `content_parts`, and the fields that the class has besides
those of every command.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from gateway.api.forms import FieldProblem, InvalidFieldsError
from gateway.api.ports import Part, Sealer
from gateway.api.request_content import content_parts
from gateway.domain.cards import BlockReason
from gateway.domain.commands import (
    Activate,
    Advice,
    Amount,
    Authorize,
    Block,
    CancelAuthorization,
    Capture,
    CashOut,
    Command,
    Confirm,
    Deactivate,
    IncrementAuthorization,
    Load,
    Redeem,
    Refund,
    Reverse,
    TransferBalance,
    Void,
)
from gateway.domain.ids import RequestKey
from gateway.domain.results import LoadType, ReversalReason
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import money_pb2

_LOAD_TYPES: Final = {
    pb.LOAD_TYPE_UNSPECIFIED: LoadType.SALE,
    **{kind.value: kind for kind in LoadType},
}
_REASONS: Final = {reason.value: reason for reason in ReversalReason}
_BLOCK_REASONS: Final = {reason.value: reason for reason in BlockReason}
_LONGEST_S: Final = 366 * 86_400


class Asked(NamedTuple):
    """
    What a request asks for.
    """

    make: Callable[..., Command]
    parts: tuple[Part, ...]
    fields: dict[str, Any]


# The request, the digits of its card if it sent them, and the key of its original.
Builder = Callable[[Any, str | None, RequestKey | None, Sealer], Asked]


def _activate(
    request: pb.ActivateRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    amount = None
    if request.HasField("initial_amount"):
        amount = _amount(request.initial_amount)
    parts = content_parts("ACTIVATE", digits, amount=amount)
    return Asked(Activate, parts, {"initial_amount": amount})


def _load(
    request: pb.LoadRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    amount = _amount(request.amount)
    load_type = _LOAD_TYPES[request.load_type]
    parts = content_parts("LOAD", digits, amount=amount, load_type=load_type)
    return Asked(Load, parts, {"amount": amount, "load_type": load_type})


def _redeem(
    request: pb.RedeemRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    amount = _amount(request.amount)
    partial = request.allow_partial
    parts = content_parts("REDEEM", digits, amount=amount, allow_partial=partial)
    return Asked(Redeem, parts, {"amount": amount, "allow_partial": partial})


def _reverse(
    request: pb.ReverseRequest,
    digits: str | None,
    original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    reason = _REASONS[request.reason]
    parts = content_parts("REVERSE", digits, original=original, reason=reason)
    return Asked(Reverse, parts, {"original": original, "reversal_reason": reason})


def _refund(
    request: pb.RefundRequest,
    digits: str | None,
    original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    amount = _amount(request.amount)
    parts = content_parts("REFUND", digits, original=original, amount=amount)
    return Asked(Refund, parts, {"original": original, "amount": amount})


def _authorize(
    request: pb.AuthorizeRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    amount = _amount(request.amount)
    partial = request.allow_partial
    seconds = None
    if request.HasField("time_to_live"):
        seconds = _whole_seconds("time_to_live", request.time_to_live)
    parts = content_parts(
        "AUTHORIZE",
        digits,
        amount=amount,
        allow_partial=partial,
        time_to_live_s=seconds,
    )
    fields = {"amount": amount, "allow_partial": partial, "time_to_live_s": seconds}
    return Asked(Authorize, parts, fields)


def _increment(
    request: pb.IncrementAuthorizationRequest,
    digits: str | None,
    original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    amount = _amount(request.amount)
    parts = content_parts(
        "INCREMENT_AUTHORIZATION", digits, original=original, amount=amount
    )
    fields = {"original": original, "amount": amount}
    return Asked(IncrementAuthorization, parts, fields)


def _capture(
    request: pb.CaptureRequest,
    digits: str | None,
    original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    amount = _amount(request.amount) if request.HasField("amount") else None
    keep_open = request.keep_open
    parts = content_parts(
        "CAPTURE", digits, original=original, amount=amount, keep_open=keep_open
    )
    fields = {"original": original, "amount": amount, "keep_open": keep_open}
    return Asked(Capture, parts, fields)


def _advice(
    request: pb.AdviceRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    amount = _amount(request.amount)
    return Asked(
        Advice, content_parts("ADVICE", digits, amount=amount), {"amount": amount}
    )


def _block(
    request: pb.BlockRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    reason = _BLOCK_REASONS[request.reason]
    parts = content_parts("BLOCK", digits, reason=reason)
    return Asked(Block, parts, {"reason": reason})


def _transfer(
    request: pb.TransferBalanceRequest,
    digits: str | None,
    _original: RequestKey | None,
    sealer: Sealer,
) -> Asked:
    other = request.to_card_number
    parts = content_parts("TRANSFER_BALANCE", digits, second_card=other)
    return Asked(TransferBalance, parts, {"other": sealer.card(other)})


def _by_card(make: Callable[..., Command], operation: str) -> Builder:
    """
    Build what names a card and nothing else.
    """

    def build(
        _request: object,
        digits: str | None,
        _original: RequestKey | None,
        _sealer: Sealer,
    ) -> Asked:
        return Asked(make, content_parts(operation, digits), {})

    return build


def _by_original(make: Callable[..., Command], operation: str) -> Builder:
    """
    Build what names an original and nothing else.
    """

    def build(
        _request: object,
        digits: str | None,
        original: RequestKey | None,
        _sealer: Sealer,
    ) -> Asked:
        parts = content_parts(operation, digits, original=original)
        return Asked(make, parts, {"original": original})

    return build


BUILDERS: Final[dict[type[Message], Builder]] = {
    pb.ActivateRequest: _activate,
    pb.LoadRequest: _load,
    pb.RedeemRequest: _redeem,
    pb.CashOutRequest: _by_card(CashOut, "CASH_OUT"),
    pb.ReverseRequest: _reverse,
    pb.RefundRequest: _refund,
    pb.VoidRequest: _by_original(Void, "VOID"),
    pb.AuthorizeRequest: _authorize,
    pb.IncrementAuthorizationRequest: _increment,
    pb.CaptureRequest: _capture,
    pb.CancelAuthorizationRequest: _by_original(
        CancelAuthorization, "CANCEL_AUTHORIZATION"
    ),
    pb.ConfirmRequest: _by_original(Confirm, "CONFIRM"),
    pb.AdviceRequest: _advice,
    pb.BlockRequest: _block,
    pb.TransferBalanceRequest: _transfer,
    pb.DeactivateRequest: _by_card(Deactivate, "DEACTIVATE"),
}


def _amount(money: money_pb2.Money) -> Amount:
    return Amount(money.minor_units, money.currency_code, money.exponent)


def _whole_seconds(field: str, duration: Duration) -> int:
    """
    Read a duration of whole seconds.

    Raises:
        InvalidFieldsError: it is none, or longer than a year.

    """
    if duration.nanos or not 0 < duration.seconds <= _LONGEST_S:
        remedy = f"is not a whole number of seconds from 1 to {_LONGEST_S}: send that"
        raise InvalidFieldsError((FieldProblem(field, remedy),))
    return duration.seconds
