"""
Write what a till asks of one card: put money on it, spend it, give it back.
"""

from __future__ import annotations

from currency import Money
from till.codes import CurrentState, Result
from till.pin import Pin
from till.requests import Activate, CashOut, GetBalance, Load, Redeem, Refund, Void
from till.stories.purse import Deed, Purse
from till.stories.script import DOLLAR, Scene, approved, declined
from till.stories.steps import Expected


def activate(scene: Scene, says: str, purse: Purse, cents: int) -> None:
    """
    Make a card usable with a first amount.
    """
    amount = scene.local(cents)
    purse.ledger_cents += cents
    request = Activate(
        request_id=scene.script.request_id(says),
        card_number=purse.number,
        initial_amount=amount,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, approved(purse, amount))


def load(
    scene: Scene, says: str, purse: Purse, cents: int, result: Result = Result.APPROVED
) -> Deed:
    """
    Put money on a card, or be told why not.
    """
    amount = scene.local(cents)
    request = Load(
        request_id=scene.script.request_id(says),
        card_number=purse.number,
        amount=amount,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    if result is Result.APPROVED:
        purse.ledger_cents += cents
        expected = approved(purse, amount)
    else:
        expected = declined(result, purse)
    scene.ask(says, request, expected)
    return _deed(scene, says, purse, amount, cents)


def redeem(scene: Scene, says: str, purse: Purse, cents: int) -> Deed:
    """
    Spend from a card, with its PIN if it has one.
    """
    amount = scene.local(cents)
    purse.ledger_cents -= cents
    sale = redeem_expecting(
        scene, says, purse, amount, approved(purse, amount), pin=purse.pin
    )
    sale.cents = cents
    return sale


def redeem_expecting(
    scene: Scene,
    says: str,
    purse: Purse,
    amount: Money,
    expected: Expected,
    *,
    pin: Pin | None = None,
) -> Deed:
    """
    Try to spend from a card, and expect what the story says.
    """
    request = Redeem(
        request_id=scene.script.request_id(says),
        card_number=purse.number,
        amount=amount,
        pin=pin,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, expected)
    return _deed(scene, says, purse, amount, 0)


def refund(scene: Scene, says: str, sale: Deed, minor_units: int) -> None:
    """
    Give back a part of a sale at the sale's own rate, to whom its card is now.
    """
    sale.purse.ledger_cents += sale.part(minor_units)
    amount = Money(minor_units, sale.amount.currency)
    refund_expecting(scene, says, sale, amount, approved(sale.purse, amount))
    if sale.back_minor == sale.amount.minor_units:
        scene.script.ends_as[sale.request_id] = CurrentState.REFUNDED


def refund_expecting(
    scene: Scene, says: str, sale: Deed, amount: Money, expected: Expected
) -> None:
    """
    Ask for a refund, and expect what the story says.
    """
    request = Refund(
        request_id=scene.script.request_id(says),
        original_request_id=sale.request_id,
        original_terminal_id=_elsewhere(scene, sale),
        amount=amount,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, expected)


def void(scene: Scene, says: str, sale: Deed) -> None:
    """
    Undo a sale of the same day as a whole.
    """
    sale.purse.ledger_cents += sale.cents
    request = Void(
        request_id=scene.script.request_id(says),
        original_request_id=sale.request_id,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, approved(sale.purse))
    scene.script.ends_as[sale.request_id] = CurrentState.VOIDED


def cash_out(
    scene: Scene, says: str, purse: Purse, *, paid: Money | None = None
) -> None:
    """
    Pay the rest of a card out in cash; without `paid` it is too much for that.
    """
    if paid is None:
        expected = declined(Result.NOT_PERMITTED, purse)
    else:
        purse.ledger_cents = 0
        expected = approved(purse, paid)
    request = CashOut(
        request_id=scene.script.request_id(says),
        card_number=purse.number,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, expected)


def balance(
    scene: Scene, says: str, purse: Purse, result: Result = Result.APPROVED
) -> None:
    """
    Read what is on a card.
    """
    request = GetBalance(card_number=purse.number, terminal_id=scene.till.terminal)
    expected = approved(purse) if result is Result.APPROVED else declined(result)
    scene.ask(says, request, expected)


def dollars(cents: int) -> Money:
    """
    Give an amount in the cards' own money.
    """
    return Money(cents, DOLLAR)


def _deed(scene: Scene, says: str, purse: Purse, amount: Money, cents: int) -> Deed:
    return Deed(
        at=scene.at,
        request_id=scene.script.request_id(says),
        till=scene.till,
        purse=purse,
        amount=amount,
        cents=cents,
    )


def _elsewhere(scene: Scene, sale: Deed) -> str:
    """
    Name the sale's terminal where it is another one of the same store.
    """
    return "" if sale.till == scene.till else sale.till.terminal
