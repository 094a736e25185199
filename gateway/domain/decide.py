"""
One entry for every command that is recorded.
"""

from gateway.domain.cash_out import decide_cash_out
from gateway.domain.commands import (
    Activate,
    CashOut,
    Load,
    MoneyCommand,
    Redeem,
    Refund,
    Reverse,
    Void,
)
from gateway.domain.decision import Decision, View
from gateway.domain.loading import decide_activate, decide_load
from gateway.domain.originals import Original
from gateway.domain.redeem import decide_redeem
from gateway.domain.refund import decide_refund
from gateway.domain.results import ActivityType
from gateway.domain.reverse import decide_reverse
from gateway.domain.void import decide_void

ACTIVITIES: dict[type[MoneyCommand], ActivityType] = {
    Activate: ActivityType.ACTIVATE,
    Load: ActivityType.LOAD,
    Redeem: ActivityType.REDEEM,
    Reverse: ActivityType.REVERSAL,
    CashOut: ActivityType.CASH_OUT,
    Refund: ActivityType.REFUND,
    Void: ActivityType.VOID,
}


def decide(command: MoneyCommand, view: View, original: Original | None) -> Decision:
    """
    Decide one command. `original` is what it names, None where it names none.
    """
    if isinstance(command, Redeem):
        return decide_redeem(command, view)
    if isinstance(command, Load):
        return decide_load(command, view)
    if isinstance(command, Activate):
        return decide_activate(command, view)
    if isinstance(command, CashOut):
        return decide_cash_out(command, view)
    if isinstance(command, Reverse):
        return decide_reverse(command, view, original)
    if isinstance(command, Refund):
        return decide_refund(command, view, original)
    return decide_void(command, view, original)
