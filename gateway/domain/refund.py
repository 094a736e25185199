"""
Refund: give back, wholly or in part, what a redemption or capture spent.
"""

from currency import MAX_MINOR_UNITS, Conversion, share_of
from gateway.domain.cards import Card
from gateway.domain.checks import refuse_amount, refuse_place, refuse_refund
from gateway.domain.commands import Refund
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.entries import postings_of
from gateway.domain.originals import (
    Original,
    refuse_blindly,
    refuse_original,
    tells_balance,
)
from gateway.domain.pricing import price_of
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result


def decide_refund(command: Refund, view: View, original: Original | None) -> Decision:
    """
    Credit the card of an approved Redeem or Capture with a share of what that debited.

    `view.card` is the original's card. Results: APPROVED, or 58/03, 13, 14, 78, 57, 25,
    21.
    """
    facts = Facts(ActivityType.REFUND, Result.APPROVED, amount=command.amount)
    refusal = refuse_place(view.place) or refuse_amount(command.amount)
    if refusal or original is None:
        result = refusal or Result.ORIGINAL_NOT_FOUND
        return refuse_blindly(command, view, facts, result)
    record, card = original.record, view.card
    blind, facts = facts, facts._replace(original_transaction_id=record.transaction_id)
    decided = refuse_original(command, view, original, known=facts, blind=blind)
    if decided:
        return decided
    refusal = refuse_refund(card) if card else None
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    sold_in = record.transaction_currency
    sold = record.activity in (ActivityType.REDEEM, ActivityType.CAPTURE)
    # An Advice may be approved with nothing debited; else an approval is of something.
    spent = sold and record.approved_minor > 0
    if sold_in is not None and command.amount.currency_code != sold_in:
        refusal = Result.CURRENCY_NOT_SUPPORTED
    elif not spent:
        refusal = Result.CANNOT_BE_REVERSED
    if refusal or card is None:
        result, shown = refusal or Result.CANNOT_BE_REVERSED, tells_balance(record)
        return decline(command, view, facts._replace(result=result, shown=shown))
    refunded = original.refunds.approved_minor + command.amount.minor_units
    share = share_of(refunded, record.approved_minor, record.card_minor, card.currency)
    credit = share.amount_minor - original.refunds.card_minor
    refusal = _refuse_refunding(original, card, refunded, credit)
    if refusal:
        return decline(command, view, facts._replace(result=refusal, shown=True))
    return _approve(command, view, _priced(facts, record, share, credit), card)


def _refuse_refunding(
    original: Original, card: Card, refunded: int, credit: int
) -> Result | None:
    """
    Apply checks 13 (nothing to credit, no balance beyond all bounds) and 15.
    """
    if credit <= 0 or card.balance_minor + credit > MAX_MINOR_UNITS:
        return Result.INVALID_AMOUNT
    if original.reversed or original.voided:
        return Result.ALREADY_REVERSED
    if refunded > original.record.approved_minor:
        return Result.INVALID_AMOUNT
    return None


def _priced(
    facts: Facts, record: TransactionRecord, share: Conversion, credit: int
) -> Facts:
    """
    Put in what is credited, at the rates of the sale.

    `rounding` is what rounding added to all refunds of the sale up to this one.
    """
    price = price_of(record)._replace(card_minor=credit)
    if price.rounding is not None:
        price = price._replace(rounding=share.rounding)
    return facts._replace(price=price, card_minor=credit)


def _approve(command: Refund, view: View, facts: Facts, card: Card) -> Decision:
    after = card.moved(
        facts.card_minor,
        view.stamp.now,
        expires_on=card.expires_on,
        unconfirmed_minor=(facts.card_minor if view.place.terminal.two_message else 0),
    )
    facts = facts._replace(
        approved_minor=command.amount.minor_units, shown=True, approved=True
    )
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, postings_of(record), after)
