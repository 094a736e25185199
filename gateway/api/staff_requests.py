"""
Turn the requests of staff into commands, or say which of their fields are wrong.

As with tills, only what cannot be keyed or read is refused here (domain 1.2).
"""

from collections.abc import Callable
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from gateway.api.forms import Form
from gateway.api.ports import Sealer
from gateway.api.reading_requests import request_id_of
from gateway.api.request_builders import Asked
from gateway.api.request_content import content_parts
from gateway.domain.cards import BlockReason
from gateway.domain.commands import (
    NO_CONTEXT,
    Adjust,
    Amount,
    ApproveAdjustment,
    Block,
    GetBalance,
    MoneyCommand,
    Replace,
    ResetPin,
    Unblock,
)
from gateway.domain.desks import Desk
from gateway.domain.ids import RequestKey, TerminalId
from gateway.domain.results import ActivityType
from scrip.v1 import staff_service_pb2 as pb

_BLOCK_REASONS: Final = {reason.value: reason for reason in BlockReason}
_ADJUSTMENTS: Final = {
    int(pb.ADJUSTMENT_TYPE_INCREMENT): ActivityType.ADJUST_INCREMENT,
    int(pb.ADJUSTMENT_TYPE_DECREMENT): ActivityType.ADJUST_DECREMENT,
}


class StaffRequestReader:
    """
    Read each kind of request; the desk it counts for is known already.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        kinds: tuple[type[Message], ...] = (
            *_BUILDERS,
            pb.GetCardRequest,
            pb.ExplainRequest,
        )
        self._forms = {
            kind: Form(cast("Descriptor", kind.DESCRIPTOR)) for kind in kinds
        }

    def check(self, request: Message) -> None:
        """
        Check a request's form.

        Raises:
            InvalidFieldsError: with all wrong fields named.

        """
        self._forms[type(request)].require(request)

    def get_card(self, request: pb.GetCardRequest, desk: Desk) -> GetBalance:
        """
        Read a GetCard that `check` let pass; its request id is optional.
        """
        text = request.request_id
        return GetBalance(
            request_id=request_id_of(text) if text else None,
            terminal_id=desk.terminal_id,
            card=self._sealer.card(request.card_number),
            till=NO_CONTEXT,
            channel=desk.channel,
            actor=desk.staff,
        )

    # The fields that all recorded requests have; those of one kind, its builder knows.
    def read(
        self,
        request: Any,  # noqa: ANN401 - any message that _BUILDERS has an entry for
        desk: Desk,
        original_terminal_id: TerminalId | None = None,
    ) -> MoneyCommand:
        """
        Read a recorded request that `check` let pass.

        `original_terminal_id` is the desk of the original, where one is named.
        """
        original = None
        if original_terminal_id is not None:
            original = RequestKey(
                original_terminal_id, request_id_of(request.original_request_id)
            )
        digits = request.card_number or None
        asked = _BUILDERS[type(request)](request, digits, original, self._sealer)
        content = self._sealer.content(asked.parts)
        command = asked.make(
            request_id=request_id_of(request.request_id),
            terminal_id=desk.terminal_id,
            card=None if digits is None else self._sealer.card(digits),
            till=NO_CONTEXT,
            fingerprint=self._sealer.fingerprint(content),
            content=content,
            channel=desk.channel,
            actor=desk.staff,
            **asked.fields,
        )
        return cast("MoneyCommand", command)


def _block(
    request: pb.StaffServiceBlockRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    reason = _BLOCK_REASONS[request.block_reason]
    return Asked(
        Block, content_parts("BLOCK", digits, reason=reason), {"reason": reason}
    )


def _unblock(
    _request: pb.UnblockRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    return Asked(Unblock, content_parts("UNBLOCK", digits), {})


def _replace(
    request: pb.ReplaceRequest,
    digits: str | None,
    _original: RequestKey | None,
    sealer: Sealer,
) -> Asked:
    other = request.to_card_number
    parts = content_parts("REPLACE", digits, second_card=other)
    return Asked(Replace, parts, {"other": sealer.card(other)})


def _reset_pin(
    _request: pb.ResetPinRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    return Asked(ResetPin, content_parts("RESET_PIN", digits), {})


def _adjust(
    request: pb.AdjustRequest,
    digits: str | None,
    _original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    activity, reason = _ADJUSTMENTS[request.type], request.reason
    money = request.amount
    amount = Amount(money.minor_units, money.currency_code, money.exponent)
    parts = content_parts(activity.name, digits, amount=amount, reason=reason)
    fields = {"activity": activity, "amount": amount, "reason": reason}
    return Asked(Adjust, parts, fields)


def _approve(
    _request: pb.ApproveAdjustmentRequest,
    digits: str | None,
    original: RequestKey | None,
    _sealer: Sealer,
) -> Asked:
    parts = content_parts("APPROVE_ADJUSTMENT", digits, original=original)
    return Asked(ApproveAdjustment, parts, {"original": original})


_BUILDERS: Final[dict[type[Message], Callable[..., Asked]]] = {
    pb.StaffServiceBlockRequest: _block,
    pb.UnblockRequest: _unblock,
    pb.ReplaceRequest: _replace,
    pb.ResetPinRequest: _reset_pin,
    pb.AdjustRequest: _adjust,
    pb.ApproveAdjustmentRequest: _approve,
}
