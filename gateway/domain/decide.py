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
    Reverse,
)
from gateway.domain.decision import Decision, View
from gateway.domain.loading import decide_activate, decide_load
from gateway.domain.redeem import decide_redeem
from gateway.domain.results import ActivityType
from gateway.domain.reverse import Original, decide_reverse

ACTIVITIES: dict[type[MoneyCommand], ActivityType] = {
    Activate: ActivityType.ACTIVATE,
    Load: ActivityType.LOAD,
    Redeem: ActivityType.REDEEM,
    Reverse: ActivityType.REVERSAL,
    CashOut: ActivityType.CASH_OUT,
}


def decide(command: MoneyCommand, view: View, original: Original | None) -> Decision:
    """
    Decide one command. `original` is what a Reverse names, None for all others.
    """
    if isinstance(command, Redeem):
        return decide_redeem(command, view)
    if isinstance(command, Load):
        return decide_load(command, view)
    if isinstance(command, Activate):
        return decide_activate(command, view)
    if isinstance(command, CashOut):
        return decide_cash_out(command, view)
    return decide_reverse(command, view, original)
