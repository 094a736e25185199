"""
What the contract numbers, as Python enums. Values equal those of `scrip.v1`.

A host may be newer than the till. A number that the till does not know reads as
UNSPECIFIED, which is never an approval; the two-character response code beside it
still says what the host meant.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Self


class ContractEnum(IntEnum):
    """
    Be an enum of the contract; member 0 is what is not told or not known here.
    """

    @classmethod
    def read(cls, number: int) -> Self:
        """
        Give the member, or UNSPECIFIED for a number of a newer contract.
        """
        try:
            return cls(number)
        except ValueError:
            return cls(0)


class Result(ContractEnum):
    """
    What was decided; docs/results.md has a page on each.
    """

    UNSPECIFIED = 0
    APPROVED = 1
    APPROVED_PARTIAL = 2
    INVALID_MERCHANT = 3
    INVALID_TERMINAL = 4
    CARD_ALREADY_ACTIVATED = 5
    INVALID_AMOUNT = 6
    INVALID_CARD = 7
    CANNOT_BE_REVERSED = 8
    ALREADY_REVERSED = 9
    FURTHER_ACTIVITY_PREVENTS_REVERSAL = 10
    ORIGINAL_NOT_FOUND = 11
    LOST_CARD = 12
    STOLEN_CARD = 13
    INSUFFICIENT_FUNDS = 14
    EXPIRED_CARD = 15
    CARD_NOT_RELOADABLE = 16
    NOT_PERMITTED = 17
    CURRENCY_NOT_SUPPORTED = 18
    FX_RATE_UNAVAILABLE = 19
    LIMIT_EXCEEDED = 20
    RESTRICTED_CARD = 21
    CARD_NOT_ACTIVE = 22
    CARD_CLOSED = 23
    DUPLICATE = 24
    AUTHORIZATION_EXPIRED = 25
    EXCEEDS_AUTHORIZED = 26
    INCORRECT_PIN = 27
    PIN_REQUIRED = 28
    PIN_TRIES_EXCEEDED = 29
    CARD_NOT_FLAGGED = 30
    COUNT_EXCEEDED = 31


APPROVALS: Final = frozenset({Result.APPROVED, Result.APPROVED_PARTIAL})


class ActivityType(ContractEnum):
    """
    What a recorded transaction did.
    """

    UNSPECIFIED = 0
    ACTIVATE = 1
    LOAD = 2
    REDEEM = 3
    REVERSAL = 4
    BALANCE = 5
    CASH_OUT = 6
    REFUND = 7
    VOID = 8
    AUTHORIZE = 9
    CAPTURE = 10
    RELEASE = 11
    BLOCK = 12
    UNBLOCK = 13
    TRANSFER_BALANCE_FROM = 14
    TRANSFER_BALANCE_TO = 15
    DEACTIVATE = 16
    ADJUST_INCREMENT = 17
    ADJUST_DECREMENT = 18
    CONFIRM = 19
    PIN_RESET = 20


class CurrentState(ContractEnum):
    """
    What has become of a recorded transaction since. Anything but POSTED is not paid.
    """

    UNSPECIFIED = 0
    POSTED = 1
    REVERSED = 2
    DECLINED = 3
    VOIDED = 4
    REFUNDED = 5
    PENDING = 6


class CardState(ContractEnum):
    """
    Where a card stands in its life.
    """

    UNSPECIFIED = 0
    CREATED = 1
    PENDING = 2
    ACTIVE = 3
    BLOCKED = 4
    DEPLETED = 5
    DEACTIVATED = 6
    REPLACED = 7


class LoadType(ContractEnum):
    """
    Why value is added. UNSPECIFIED is read as SALE.
    """

    UNSPECIFIED = 0
    SALE = 1
    MERCHANDISE_RETURN = 2
    PROMO = 3


class ReversalReason(ContractEnum):
    """
    Why a request is reversed; in ISO 8583:1993 4000, 4006, 4020 and 4021.
    """

    UNSPECIFIED = 0
    CUSTOMER_CANCELLATION = 1
    RESPONSE_TOO_LATE = 2
    INVALID_RESPONSE = 3
    TIMEOUT = 4


class EntryMode(ContractEnum):
    """
    How the till read the card's number.
    """

    UNSPECIFIED = 0
    KEYED = 1
    SWIPED = 2
    SCANNED = 3
    CONTACTLESS = 4
    ONLINE = 5


class BlockReason(ContractEnum):
    """
    Why a card is blocked.
    """

    UNSPECIFIED = 0
    LOST = 1
    STOLEN = 2
    FRAUD = 3
    CUSTOMER = 4


class HoldState(ContractEnum):
    """
    Where a hold stands.
    """

    UNSPECIFIED = 0
    OPEN = 1
    CAPTURED = 2
    CANCELLED = 3
    EXPIRED = 4
