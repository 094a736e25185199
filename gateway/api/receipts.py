"""
The sentence that each answer carries for the receipt or the cashier's display.

English, complete by itself, and made of the record alone, so that a replay says the
same. It tells nothing that the answer's other fields may not tell: a balance stands in
it only where balances are shown.
"""

from collections.abc import Callable
from typing import Final

from gateway.api.spoken_hours import spoken_hours
from gateway.api.spoken_limits import spoken_limit
from gateway.api.wire_money import exponent_of, spoken
from gateway.domain.cards import CardState
from gateway.domain.limits import LimitKind
from gateway.domain.record import TransactionRecord
from gateway.domain.restrictions import RefusalReason
from gateway.domain.results import ADJUSTMENTS, ActivityType, MovingEnd, Result

_DECLINES: Final[dict[Result, str]] = {
    Result.INVALID_MERCHANT: "this store cannot take gift cards now",
    Result.INVALID_TERMINAL: "this terminal cannot take gift cards now",
    Result.CARD_ALREADY_ACTIVATED: "the card is active already",
    Result.INVALID_AMOUNT: "the amount is not valid",
    Result.INVALID_CARD: "the card is not known here",
    Result.CANNOT_BE_REVERSED: (
        "this kind of request cannot be undone, nor one that was confirmed"
    ),
    Result.ALREADY_REVERSED: "this request was reversed before it arrived",
    Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL: (
        "the card was used or the sale refunded since, so this cannot be undone"
    ),
    Result.ORIGINAL_NOT_FOUND: "there is nothing to reverse",
    Result.LOST_CARD: "the card is reported lost",
    Result.STOLEN_CARD: "the card is reported stolen",
    Result.INSUFFICIENT_FUNDS: "the card has not enough money",
    Result.EXPIRED_CARD: "the card has expired",
    Result.CARD_NOT_RELOADABLE: "the card takes no further load",
    Result.NOT_PERMITTED: "the card does not permit this",
    Result.CURRENCY_NOT_SUPPORTED: "this currency is not taken here",
    Result.FX_RATE_UNAVAILABLE: "there is no rate for this currency now",
    Result.LIMIT_EXCEEDED: "the amount is over the card's limit",
    Result.RESTRICTED_CARD: "the card is blocked",
    Result.CARD_NOT_ACTIVE: "the card is not active yet",
    Result.CARD_CLOSED: "the card is closed",
    Result.DUPLICATE: "this request id was used before with other content",
    Result.AUTHORIZATION_EXPIRED: "the hold has ended",
    Result.EXCEEDS_AUTHORIZED: "the amount is more than is left of the hold",
    Result.INCORRECT_PIN: "the PIN is wrong",
    Result.PIN_REQUIRED: "the card asks for a PIN",
    Result.PIN_TRIES_EXCEEDED: "the PIN was wrong too often; try again later",
    Result.CARD_NOT_FLAGGED: "the card is not reported lost or stolen",
    Result.COUNT_EXCEEDED: "the card was used too often",
}
_DECLINE_TEXTS: Final = {
    result: f"Declined: {why}." for result, why in _DECLINES.items()
}
# A move between two cards: what the second one refused.
_OTHER_DECLINE_TEXTS: Final = {
    result: f"Declined: {why.replace('the card', 'the other card', 1)}."
    for result, why in _DECLINES.items()
}
_NOT_EMPTY: Final = "Declined: there is money on the card."
_HELD_REST: Final = "Declined: a part of the balance is held for a payment."
_LARGE_REST: Final = "Declined: this balance is not paid out in cash here."
# What the same result means for what names an original.
_OWN_DECLINES: Final[dict[tuple[ActivityType, Result], str]] = {
    (ActivityType.REFUND, Result.INVALID_AMOUNT): (
        "the amount is not valid, or more than is left to refund"
    ),
    (ActivityType.REFUND, Result.CURRENCY_NOT_SUPPORTED): (
        "a refund is in the currency of its sale"
    ),
    (ActivityType.REFUND, Result.CANNOT_BE_REVERSED): (
        "only an approved sale can be refunded"
    ),
    (ActivityType.REFUND, Result.ORIGINAL_NOT_FOUND): "there is nothing to refund",
    (ActivityType.VOID, Result.CANNOT_BE_REVERSED): (
        "only what was approved on this business day can be voided; for an earlier "
        "sale use Refund"
    ),
    (ActivityType.VOID, Result.ORIGINAL_NOT_FOUND): "there is nothing to void",
    (ActivityType.CONFIRM, Result.CANNOT_BE_REVERSED): (
        "this request does not wait to be confirmed"
    ),
    (ActivityType.CONFIRM, Result.ORIGINAL_NOT_FOUND): "there is nothing to confirm",
    **{
        (activity, result): why
        for activity in ADJUSTMENTS
        for result, why in (
            (Result.NOT_PERMITTED, "somebody else has to approve what you asked for"),
            (
                Result.CANNOT_BE_REVERSED,
                "only an adjustment that waits for approval can be approved",
            ),
            (Result.ORIGINAL_NOT_FOUND, "there is no such adjustment to approve"),
            (
                Result.CURRENCY_NOT_SUPPORTED,
                "an adjustment is in the card's own currency",
            ),
        )
    },
    (ActivityType.TRANSFER_BALANCE_FROM, Result.CURRENCY_NOT_SUPPORTED): (
        "the other card is in another currency"
    ),
    (ActivityType.TRANSFER_BALANCE_FROM, Result.INSUFFICIENT_FUNDS): (
        "there is nothing on the card to move"
    ),
    (ActivityType.AUTHORIZE, Result.ORIGINAL_NOT_FOUND): "there is no such hold",
    (ActivityType.CAPTURE, Result.ORIGINAL_NOT_FOUND): "there is no such hold",
    (ActivityType.RELEASE, Result.ORIGINAL_NOT_FOUND): "there is no such hold",
    (ActivityType.CAPTURE, Result.CURRENCY_NOT_SUPPORTED): (
        "a hold is captured in its own currency"
    ),
}
_OWN_DECLINE_TEXTS: Final = {
    case: f"Declined: {why}." for case, why in _OWN_DECLINES.items()
}
# Of a recorded request: the original that it names was undone before.
_UNDONE_BEFORE: Final = "Declined: this was undone before."
_REFUSALS: Final = {
    RefusalReason.PLACE: "Declined: the card is not valid at this store.",
    RefusalReason.COUNTRY: "Declined: the card is not valid in this country.",
    RefusalReason.CATEGORY: "Declined: the card is not valid at this kind of store.",
}


def receipt_text(record: TransactionRecord) -> str:
    """
    Write the sentence for a record.
    """
    result = record.result
    if result is Result.APPROVED or result is Result.APPROVED_PARTIAL:
        text = _APPROVED_TEXTS[record.activity](record)
    elif record.refusal is not None:
        text = _refused(record, record.refusal)
    elif record.limit_kind is not None:
        text = _limited(record, record.limit_kind)
    else:
        text = _declined(record)
    available = record.available_after_minor
    code = record.card_currency
    if not record.balances_shown or available is None or code is None:
        return text
    return f"{text} Balance: {spoken(available, code, exponent_of(code))}."


def _declined(record: TransactionRecord) -> str:
    result = record.result
    if result is Result.ALREADY_REVERSED and record.transaction_id is not None:
        return _UNDONE_BEFORE
    if result is Result.NOT_PERMITTED and record.activity in _NOT_PERMITTED:
        return _NOT_PERMITTED[record.activity](record)
    own = _OWN_DECLINE_TEXTS.get((record.activity, result))
    if own is None and _is_of_other(record):
        return _OTHER_DECLINE_TEXTS[result]
    return own or _DECLINE_TEXTS[result]


def _limited(record: TransactionRecord, kind: LimitKind) -> str:
    """
    Say which limit would be exceeded, and of a move between two cards on which.
    """
    text = f"Declined: {spoken_limit(record, kind)}."
    return (
        text.replace("the card", "the other card", 1) if _is_of_other(record) else text
    )


def _is_of_other(record: TransactionRecord) -> bool:
    """
    Tell whether it was the second card that refused a move between two.
    """
    moves = record.activity is ActivityType.TRANSFER_BALANCE_FROM
    return moves and record.reason == MovingEnd.SECOND


def _refused(record: TransactionRecord, reason: RefusalReason) -> str:
    """
    Say what a restriction refused.
    """
    text = _REFUSALS.get(reason)
    if text is None:
        hours = spoken_hours(record.refusal_hours or "")
        text = f"Declined: the card is valid only {hours}."
    if _is_of_other(record):
        return text.replace("the card", "the other card", 1)
    return text


def _activated(record: TransactionRecord) -> str:
    if not record.approved_minor:
        return "Card activated."
    return f"Card activated with {_approved(record)}{_waiting(record)}."


def _loaded(record: TransactionRecord) -> str:
    return f"Loaded {_approved(record)}{_waiting(record)}."


def _waiting(record: TransactionRecord) -> str:
    """
    Say of a credit that it is not in the balance yet.
    """
    return ", to be spent once it is confirmed" if record.unconfirmed else ""


def _taken_offline(record: TransactionRecord, reason: Result) -> str:
    """
    Say what the card paid of a sale that was made already, and why not all.
    """
    code = record.transaction_currency or ""
    rest = (record.requested_minor or 0) - record.approved_minor
    missing = spoken(rest, code, record.requested_exponent or 0)
    why = _DECLINES[reason]
    if not record.approved_minor:
        return f"Nothing was paid by gift card: {why}."
    return f"Paid {_approved(record)} by gift card, but not {missing}: {why}."


def _redeemed(record: TransactionRecord) -> str:
    if record.offline and record.reason is not None:
        return _taken_offline(record, Result(record.reason))
    text = f"Paid {_approved(record)} by gift card."
    if record.result is not Result.APPROVED_PARTIAL:
        return text
    due = (record.requested_minor or 0) - record.approved_minor
    code = record.transaction_currency or ""
    return f"{text} Still due: {spoken(due, code, record.requested_exponent or 0)}."


def _not_paid_out(record: TransactionRecord) -> str:
    """
    Say what is in the way: the product, a hold, or how much is on the card.
    """
    if not record.balances_shown:
        return _DECLINE_TEXTS[Result.NOT_PERMITTED]
    return _HELD_REST if record.held_after_minor else _LARGE_REST


def _not_closed(record: TransactionRecord) -> str:
    """
    Say that money keeps the card open, where that may be told.
    """
    if record.balances_shown:
        return _NOT_EMPTY
    return _DECLINE_TEXTS[Result.NOT_PERMITTED]


def _not_moved(record: TransactionRecord) -> str:
    """
    Say what is in the way: the other card, a hold, or the product.
    """
    if _is_of_other(record):
        return _OTHER_DECLINE_TEXTS[Result.NOT_PERMITTED]
    if record.balances_shown and record.held_after_minor:
        return _HELD_REST
    return _DECLINE_TEXTS[Result.NOT_PERMITTED]


_NOT_PERMITTED: Final[dict[ActivityType, Callable[[TransactionRecord], str]]] = {
    ActivityType.CASH_OUT: _not_paid_out,
    ActivityType.DEACTIVATE: _not_closed,
    ActivityType.TRANSFER_BALANCE_FROM: _not_moved,
}


def _given(record: TransactionRecord) -> str:
    """
    Say that a card was replaced, or how much moved to another.
    """
    if record.card_state is CardState.REPLACED:
        return f"Card replaced. {_approved(record)} moved to the new card."
    return f"Moved {_approved(record)} to the other card."


def _paid_out(record: TransactionRecord) -> str:
    return f"Paid out {_approved(record)} in cash."


def _reversed(record: TransactionRecord) -> str:
    if not record.effective:
        return "Nothing was left to undo."
    if not record.approved_minor:
        return "Undone."
    return f"Undone: {_approved(record)}."


def _refunded(record: TransactionRecord) -> str:
    return f"Refunded {_approved(record)} to the gift card{_waiting(record)}."


def _voided(record: TransactionRecord) -> str:
    if not record.approved_minor:
        return "Voided."
    return f"Voided: {_approved(record)}."


def _authorized(record: TransactionRecord) -> str:
    return f"Held {_approved(record)} on the gift card."


def _captured(record: TransactionRecord) -> str:
    return f"Paid {_approved(record)} by gift card."


def _adjusted(record: TransactionRecord) -> str:
    if not record.effective:
        return "The adjustment waits for somebody else's approval."
    return f"Balance adjusted by {_approved(record)}."


def _confirmed(record: TransactionRecord) -> str:
    return "Confirmed." if record.effective else "This was confirmed before."


def _says(text: str) -> Callable[[TransactionRecord], str]:
    return lambda _: text


def _balance(record: TransactionRecord) -> str:  # noqa: ARG001 - the balance follows
    return "Card is active."


def _approved(record: TransactionRecord) -> str:
    code = record.transaction_currency or ""
    return spoken(record.approved_minor, code, record.requested_exponent or 0)


_APPROVED_TEXTS: Final[dict[ActivityType, Callable[[TransactionRecord], str]]] = {
    ActivityType.ACTIVATE: _activated,
    ActivityType.LOAD: _loaded,
    ActivityType.REDEEM: _redeemed,
    ActivityType.REVERSAL: _reversed,
    ActivityType.BALANCE: _balance,
    ActivityType.CASH_OUT: _paid_out,
    ActivityType.REFUND: _refunded,
    ActivityType.VOID: _voided,
    ActivityType.AUTHORIZE: _authorized,
    ActivityType.CAPTURE: _captured,
    ActivityType.RELEASE: _says("The hold was released."),
    ActivityType.BLOCK: _says("Card blocked."),
    ActivityType.UNBLOCK: _says("Card unblocked."),
    ActivityType.TRANSFER_BALANCE_FROM: _given,
    ActivityType.TRANSFER_BALANCE_TO: _says("Balance received from the other card."),
    ActivityType.DEACTIVATE: _says("Card closed."),
    ActivityType.ADJUST_INCREMENT: _adjusted,
    ActivityType.ADJUST_DECREMENT: _adjusted,
    ActivityType.CONFIRM: _confirmed,
    ActivityType.PIN_RESET: _says("The PIN can be tried again."),
}
