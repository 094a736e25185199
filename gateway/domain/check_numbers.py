"""
Which function is which check, and which check gives which result (domain 1.2).

Functions are named, not imported: an explanation watches them where they are called. A
test finds each of them, and each operation and result here.
"""

from collections.abc import Iterator
from typing import Final

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
    Redeem,
    Refund,
    Replace,
    ResetPin,
    Reverse,
    TransferBalance,
    Unblock,
    Void,
)
from gateway.domain.explanation import CheckNumber as No
from gateway.domain.results import Result
from gateway.domain.watching import FunctionName

_DOMAIN: Final = "gateway.domain"


def _named(module: str, *names: str) -> Iterator[FunctionName]:
    return ((f"{_DOMAIN}.{module}", name) for name in names)


# The functions that are checks 4 to 11, whichever operations call them.
FIRST_CHECKS: Final[dict[FunctionName, No]] = {
    **dict.fromkeys(_named("checks", "refuse_place"), No.PLACE),
    **dict.fromkeys(_named("checks", "refuse_amount"), No.AMOUNT),
    **dict.fromkeys(_named("checks", "refuse_card"), No.CARD),
    **dict.fromkeys(_named("checks", "refuse_product"), No.OPERATION),
    **dict.fromkeys(_named("checks", "refuse_tills"), No.OPERATION),
    **dict.fromkeys(_named("adjust", "_refuse_approval"), No.OPERATION),
    **dict.fromkeys(_named("transfer_balance", "_refuse_receiving"), No.OPERATION),
    **dict.fromkeys(_named("checks", "refuse_state", "refuse_refund"), No.STATE),
    **dict.fromkeys(_named("checks", "refuse_activation", "refuse_unused"), No.STATE),
    **dict.fromkeys(_named("replace_card", "_refuse_unflagged"), No.STATE),
    **dict.fromkeys(_named("adjust", "_refuse_state"), No.STATE),
    **dict.fromkeys(_named("checks", "refuse_expired"), No.LAST_DAY),
    **dict.fromkeys(_named("pin", "check_pin", "refuse_locked"), No.PIN),
    **dict.fromkeys(_named("checks", "refuse_restricted"), No.RESTRICTIONS),
}
QUOTE, PRICE = (f"{_DOMAIN}.pricing", "quote"), (f"{_DOMAIN}.pricing", "Quote.price")
# What tells that checks 12 to 14 were come to, for operations that may end before.
LATER_CHECKS: Final[dict[FunctionName, tuple[No, ...]]] = {
    QUOTE: (No.CURRENCY,),
    PRICE: (No.PRICE,),
    (f"{_DOMAIN}.reverse", "_refuse_undoing"): (No.PRICE,),
    (f"{_DOMAIN}.refund", "_refuse_refunding"): (No.CURRENCY, No.PRICE),
    (f"{_DOMAIN}.adjust", "_refuse_change"): (No.CURRENCY, No.PRICE, No.LIMITS),
    (f"{_DOMAIN}.authorize", "_refuse_other_currency"): (No.CURRENCY,),
    (f"{_DOMAIN}.limit_checks", "refuse_limits_of_more"): (No.LIMITS,),
    (f"{_DOMAIN}.capture", "_refuse_taking"): (No.CURRENCY, No.PRICE),
}
RECEIPT: Final = (f"{_DOMAIN}.transfer_balance", "_refuse_receipt")
RULE: Final = (f"{_DOMAIN}.cash_out_rules", "CashOutRules.rule_for")
# What is looked at only to hide a card is no check.
HIDING: Final = frozenset(
    {(f"{_DOMAIN}.decision", "decline"), (f"{_DOMAIN}.seen", "seen_of")}
)
WATCHED: Final = frozenset({*FIRST_CHECKS, *LATER_CHECKS, RECEIPT, RULE, *HIDING})

# Which of checks 12 to 16 an operation has.
LATER_OF: Final[dict[type[Command], tuple[No, ...]]] = {
    Activate: (No.CURRENCY, No.PRICE, No.LIMITS),
    Load: (No.CURRENCY, No.PRICE, No.LIMITS),
    Redeem: (No.CURRENCY, No.PRICE, No.LIMITS, No.FUNDS),
    CashOut: (No.CURRENCY, No.LIMITS, No.FUNDS),
    Reverse: (No.PRICE, No.ORIGINAL),
    Void: (No.PRICE, No.ORIGINAL),
    Refund: (No.CURRENCY, No.PRICE, No.ORIGINAL),
    Adjust: (No.CURRENCY, No.PRICE, No.LIMITS, No.FUNDS),
    ApproveAdjustment: (No.CURRENCY, No.PRICE, No.LIMITS, No.ORIGINAL, No.FUNDS),
    Authorize: (No.CURRENCY, No.PRICE, No.LIMITS, No.FUNDS),
    IncrementAuthorization: (No.CURRENCY, No.PRICE, No.LIMITS, No.ORIGINAL, No.FUNDS),
    Capture: (No.CURRENCY, No.PRICE, No.ORIGINAL, No.FUNDS),
    CancelAuthorization: (No.ORIGINAL,),
    Advice: (No.CURRENCY, No.PRICE, No.LIMITS, No.FUNDS),
    Confirm: (No.ORIGINAL,),
    ResetPin: (),
    Block: (),
    Unblock: (),
    Deactivate: (No.FUNDS,),
    Replace: (No.CURRENCY,),
    TransferBalance: (No.CURRENCY, No.PRICE, No.LIMITS, No.FUNDS),
}
# Which check gives a result, if none of 4 to 11 did.
DECIDED_LATE: Final[dict[Result, No]] = {
    Result.INVALID_CARD: No.CARD,
    Result.CARD_CLOSED: No.STATE,
    Result.CURRENCY_NOT_SUPPORTED: No.CURRENCY,
    Result.FX_RATE_UNAVAILABLE: No.CURRENCY,
    Result.INVALID_AMOUNT: No.PRICE,
    Result.LIMIT_EXCEEDED: No.LIMITS,
    Result.COUNT_EXCEEDED: No.LIMITS,
    Result.ORIGINAL_NOT_FOUND: No.ORIGINAL,
    Result.CANNOT_BE_REVERSED: No.ORIGINAL,
    Result.ALREADY_REVERSED: No.ORIGINAL,
    Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL: No.ORIGINAL,
    Result.AUTHORIZATION_EXPIRED: No.ORIGINAL,
    Result.EXCEEDS_AUTHORIZED: No.ORIGINAL,
    Result.INSUFFICIENT_FUNDS: No.FUNDS,
    Result.NOT_PERMITTED: No.FUNDS,
}
# The same where an operation gives a result at a check of its own.
DECIDED_OTHERWISE: Final[dict[tuple[type[Command], Result], No]] = {
    (ResetPin, Result.NOT_PERMITTED): No.PIN,
    (Replace, Result.NOT_PERMITTED): No.CURRENCY,
}
