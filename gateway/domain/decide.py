"""
One entry for every command that is recorded.
"""

from collections.abc import Callable
from typing import Any, Final

from gateway.domain.adjust import decide_adjust, decide_approve_adjustment
from gateway.domain.advice import decide_advice
from gateway.domain.authorize import decide_authorize, decide_increment
from gateway.domain.block import decide_block, decide_unblock
from gateway.domain.capture import decide_cancel, decide_capture
from gateway.domain.cash_out import decide_cash_out
from gateway.domain.commands import (
    Activate,
    Adjust,
    Advice,
    ApproveAdjustment,
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
    Naming,
    Redeem,
    Refund,
    Replace,
    ResetPin,
    Reverse,
    TransferBalance,
    Unblock,
    Void,
)
from gateway.domain.confirm import decide_confirm
from gateway.domain.deactivate import decide_deactivate
from gateway.domain.decision import Decision, View
from gateway.domain.loading import decide_activate, decide_load
from gateway.domain.originals import Original
from gateway.domain.pin_reset import decide_pin_reset
from gateway.domain.redeem import decide_redeem
from gateway.domain.refund import decide_refund
from gateway.domain.replace_card import decide_replace
from gateway.domain.results import ActivityType
from gateway.domain.reverse import decide_reverse
from gateway.domain.seen import seen_of
from gateway.domain.transfer_balance import decide_transfer_balance
from gateway.domain.void import decide_void

# What a request is recorded as.
ACTIVITIES: Final[dict[type[Command], ActivityType]] = {
    Activate: ActivityType.ACTIVATE,
    Load: ActivityType.LOAD,
    Redeem: ActivityType.REDEEM,
    Reverse: ActivityType.REVERSAL,
    CashOut: ActivityType.CASH_OUT,
    Refund: ActivityType.REFUND,
    Void: ActivityType.VOID,
    Authorize: ActivityType.AUTHORIZE,
    IncrementAuthorization: ActivityType.AUTHORIZE,
    Capture: ActivityType.CAPTURE,
    CancelAuthorization: ActivityType.RELEASE,
    Confirm: ActivityType.CONFIRM,
    Advice: ActivityType.REDEEM,
    Block: ActivityType.BLOCK,
    TransferBalance: ActivityType.TRANSFER_BALANCE_FROM,
    Deactivate: ActivityType.DEACTIVATE,
    Unblock: ActivityType.UNBLOCK,
    Replace: ActivityType.TRANSFER_BALANCE_FROM,
    ResetPin: ActivityType.PIN_RESET,
    # An approval that finds nothing; else it is of its original's kind.
    ApproveAdjustment: ActivityType.ADJUST_INCREMENT,
}

# Each takes its own kind of command, which the key says.
_BY_CARD: Final[dict[type[Command], Callable[[Any, View], Decision]]] = {
    Redeem: decide_redeem,
    Load: decide_load,
    Activate: decide_activate,
    CashOut: decide_cash_out,
    Advice: decide_advice,
    Block: decide_block,
    Unblock: decide_unblock,
    Deactivate: decide_deactivate,
    Replace: decide_replace,
    TransferBalance: decide_transfer_balance,
    ResetPin: decide_pin_reset,
    Authorize: decide_authorize,
    Adjust: decide_adjust,
}
_BY_ORIGINAL: Final[
    dict[type[Command], Callable[[Any, View, Original | None], Decision]]
] = {
    Reverse: decide_reverse,
    Refund: decide_refund,
    Void: decide_void,
    Confirm: decide_confirm,
    IncrementAuthorization: decide_increment,
    Capture: decide_capture,
    CancelAuthorization: decide_cancel,
    ApproveAdjustment: decide_approve_adjustment,
}


def activity_of(command: Command) -> ActivityType:
    """
    Tell what a request is recorded as.
    """
    if isinstance(command, Adjust):
        return command.activity
    return ACTIVITIES[type(command)]


def decide(command: Command, view: View, original: Original | None) -> Decision:
    """
    Decide one command. `original` is what it names, None where it names none.

    What the decision is about to see is taken down, and written with its record.
    """
    kind = type(command)
    view = view._replace(seen=seen_of(command, view, original))
    if isinstance(command, Naming):
        return _BY_ORIGINAL[kind](command, view, original)
    return _BY_CARD[kind](command, view)
