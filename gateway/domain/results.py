"""
What an operation can answer (domain 1.2), as the contract numbers it.
"""

from enum import IntEnum


class Result(IntEnum):
    """
    What was decided. Values equal those of `scrip.v1.Result`; a test holds them equal.
    """

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


RESPONSE_CODES: dict[Result, str] = {
    Result.APPROVED: "00",
    Result.APPROVED_PARTIAL: "10",
    Result.INVALID_MERCHANT: "03",
    Result.INVALID_TERMINAL: "58",
    Result.CARD_ALREADY_ACTIVATED: "12",
    Result.INVALID_AMOUNT: "13",
    Result.INVALID_CARD: "14",
    Result.CANNOT_BE_REVERSED: "21",
    Result.ALREADY_REVERSED: "21",
    Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL: "21",
    Result.ORIGINAL_NOT_FOUND: "25",
    Result.LOST_CARD: "41",
    Result.STOLEN_CARD: "43",
    Result.INSUFFICIENT_FUNDS: "51",
    Result.EXPIRED_CARD: "54",
    Result.CARD_NOT_RELOADABLE: "57",
    Result.NOT_PERMITTED: "57",
    Result.CURRENCY_NOT_SUPPORTED: "57",
    Result.FX_RATE_UNAVAILABLE: "91",
    Result.LIMIT_EXCEEDED: "61",
    Result.RESTRICTED_CARD: "62",
    Result.CARD_NOT_ACTIVE: "78",
    Result.CARD_CLOSED: "78",
    Result.DUPLICATE: "94",
    Result.AUTHORIZATION_EXPIRED: "12",
    Result.EXCEEDS_AUTHORIZED: "61",
    Result.INCORRECT_PIN: "55",
    Result.PIN_REQUIRED: "55",
    Result.PIN_TRIES_EXCEEDED: "75",
    Result.CARD_NOT_FLAGGED: "12",
    Result.COUNT_EXCEEDED: "65",
}

APPROVALS = frozenset({Result.APPROVED, Result.APPROVED_PARTIAL})


class ActivityType(IntEnum):
    """
    What a transaction does. Values equal those of `scrip.v1.ActivityType`.
    """

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


# What takes money from a card; undone, it gives it back. A tuple, the usual one first:
# it is searched by identity, and hashing an enum is slow.
DEBITS = (ActivityType.REDEEM, ActivityType.CAPTURE, ActivityType.CASH_OUT)

# What adds money to a card; undone, it takes it away. Until its terminal confirmed it,
# it cannot be spent.
CREDITS = frozenset({ActivityType.ACTIVATE, ActivityType.LOAD, ActivityType.REFUND})

# What a terminal that sends two messages has to confirm. A hold is not among them: its
# capture is, and a hold that is never captured ends by itself.
TO_CONFIRM = CREDITS | set(DEBITS)

# What puts a balance right: a request that moves nothing, and its approval.
ADJUSTMENTS = frozenset({ActivityType.ADJUST_INCREMENT, ActivityType.ADJUST_DECREMENT})

# What undoes another transaction, and is itself never undone.
UNDOINGS = frozenset({ActivityType.REVERSAL, ActivityType.VOID})

# What a reversal undoes; whatever else was approved stays as it is.
REVERSIBLE = frozenset(
    {
        ActivityType.ACTIVATE,
        ActivityType.LOAD,
        ActivityType.REFUND,
        ActivityType.AUTHORIZE,
        *DEBITS,
    }
)

# What a void undoes. A hold is cancelled instead.
VOIDABLE = REVERSIBLE - {ActivityType.AUTHORIZE}

# What changes a card's life, or what staff put right: once approved, neither a reversal
# nor a void undoes it.
STANDING = ADJUSTMENTS | frozenset(
    {
        ActivityType.BLOCK,
        ActivityType.UNBLOCK,
        ActivityType.TRANSFER_BALANCE_FROM,
        ActivityType.TRANSFER_BALANCE_TO,
        ActivityType.DEACTIVATE,
        ActivityType.PIN_RESET,
    }
)

# What is no use of a card by itself: it does not keep an activation from being undone,
# but for a block that stands.
NO_USE = UNDOINGS | {
    ActivityType.RELEASE,
    ActivityType.BLOCK,
    ActivityType.UNBLOCK,
    ActivityType.CONFIRM,
    ActivityType.PIN_RESET,
}


class Channel(IntEnum):
    """
    By which way a transaction came (domain 1.3).
    """

    API = 1
    ADMIN = 2
    IVR = 3
    PORTAL = 4
    SYSTEM = 5
    FRAUD = 6


# By which somebody asks who answers for it with a name: no till, no cardholder.
STAFF_CHANNELS = frozenset({Channel.ADMIN, Channel.IVR, Channel.FRAUD})


class MovingEnd(IntEnum):
    """
    Which of its two cards refused a move between them: the `reason` of its decline.
    """

    SECOND = 2


class CurrentState(IntEnum):
    """
    What has become of a recorded transaction since. Derived, never stored.
    """

    POSTED = 1
    REVERSED = 2
    DECLINED = 3
    VOIDED = 4
    REFUNDED = 5
    PENDING = 6


class LoadType(IntEnum):
    """
    Why value is added.
    """

    SALE = 1
    MERCHANDISE_RETURN = 2
    PROMO = 3


class ReversalReason(IntEnum):
    """
    Why a request is reversed; the ISO 8583:1993 codes are 4000, 4006, 4020, 4021.
    """

    CUSTOMER_CANCELLATION = 1
    RESPONSE_TOO_LATE = 2
    INVALID_RESPONSE = 3
    TIMEOUT = 4


class EntryMode(IntEnum):
    """
    How the till read the card's number.
    """

    UNSPECIFIED = 0
    KEYED = 1
    SWIPED = 2
    SCANNED = 3
    CONTACTLESS = 4
    ONLINE = 5
