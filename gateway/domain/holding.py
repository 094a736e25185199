"""
What every command that names a hold begins with, and what a hold is worth.

All amounts under a hold are converted at its own rate, each as a part of the sum so
far: HALF_UP of the whole less what was taken before. So parts of a hold never come to
more than the hold (domain 1.7).
"""

from typing import NamedTuple

from currency import Currency, UsdRate, rate_e12
from gateway.domain.cards import Card
from gateway.domain.checks import refuse_amount, refuse_place
from gateway.domain.commands import Naming
from gateway.domain.decision import Decision, Facts, View
from gateway.domain.errors import InvariantError
from gateway.domain.holds import Hold, HoldState
from gateway.domain.ids import TransactionId
from gateway.domain.originals import (
    Original,
    refuse_blindly,
    refuse_original,
    tells_balance,
)
from gateway.domain.pricing import Quote
from gateway.domain.results import Result


class Named(NamedTuple):
    """
    What a command names: the original's hold, if it placed one, and its card.

    `facts` name the original, and show balances where its own answer may have.
    `currency_code` is that of the original, None where it had no amount.
    """

    hold: Hold | None
    card: Card | None
    facts: Facts
    currency_code: str | None


def look_up(
    command: Naming, view: View, original: Original | None, facts: Facts
) -> Named | Decision:
    """
    Apply checks 4 to 6 of a command that names an Authorize, or refuse.

    Only the request that placed a hold names it: an increment does not.
    """
    refusal = refuse_place(view.place)
    if refusal is None and facts.amount is not None:
        refusal = refuse_amount(facts.amount)
    if refusal or original is None:
        result = refusal or Result.ORIGINAL_NOT_FOUND
        return refuse_blindly(command, view, facts, result)
    record, hold = original.record, original.hold
    known = facts._replace(original_transaction_id=record.transaction_id)
    decided = refuse_original(command, view, original, known=known, blind=facts)
    if decided:
        return decided
    placed = hold is not None and hold.hold_id == record.transaction_id
    known = known._replace(shown=tells_balance(record))
    return Named(
        hold if placed else None, view.card, known, record.transaction_currency
    )


def refuse_ended(hold: Hold) -> Result | None:
    """
    Apply check 15 to a hold: it is open (12).
    """
    return None if hold.state is HoldState.OPEN else Result.AUTHORIZATION_EXPIRED


def recorded_id(view: View) -> TransactionId:
    """
    Give the id of the transaction that changes a hold.
    """
    transaction_id = view.stamp.transaction_id
    if transaction_id is None:
        message = "what changes a hold is recorded"
        raise InvariantError(message)
    return transaction_id


def rate_of(hold: Hold, card: Currency) -> Quote:
    """
    Give the hold's own rate, for all that follows from it.
    """
    transaction = Currency.of(hold.currency_code)
    if (
        hold.rate_transaction is None
        or hold.rate_card is None
        or hold.rate_table_version is None
        or hold.rate_effective_from is None
    ):
        return Quote(transaction, card, None, 0)
    rate_transaction, rate_card = (
        UsdRate(
            currency_code=code,
            usd_per_unit_e12=rate_e12(rate),
            version=hold.rate_table_version,
            effective_from=hold.rate_effective_from,
            as_of=hold.rate_effective_from,
            source="hold",
        )
        for code, rate in (
            (transaction.code, hold.rate_transaction),
            (card.code, hold.rate_card),
        )
    )
    return Quote(
        transaction, card, (rate_transaction, rate_card), hold.rate_table_version
    )
