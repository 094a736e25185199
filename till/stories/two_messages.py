"""
A till that sends two messages: what is not confirmed is not yet final.
"""

from __future__ import annotations

from typing import Final

from currency import RateBook
from till.codes import Result
from till.requests import Confirm
from till.stories.places import BOOKSHOP, till_of
from till.stories.purse import Deed
from till.stories.sales import activate, load, redeem, redeem_expecting
from till.stories.script import Scene, Script, Wallet, approved, declined
from till.stories.steps import Story, StoryException

SHOPPER: Final = "shopper with two messages"
UNCONFIRMED: Final = "UNCONFIRMED"
TWO_MESSAGE_TILL: Final = till_of(BOOKSHOP, 3)

_DAY, _NEXT_DAY = 2, 4


def two_messages(rates: RateBook, wallet: Wallet) -> Story:
    """
    Load and spend in two messages, and forget one of the second ones.
    """
    script = Script("two messages", "Loaded and paid, then confirmed", rates, wallet)
    shopper = script.purse(SHOPPER)
    counter = script.scene(till_of(BOOKSHOP), _DAY, 10)
    activate(counter, "the shopper buys a card", shopper, 60_00)
    booth = script.scene(TWO_MESSAGE_TILL, _DAY, 11)
    shopper.unconfirmed_cents = 40_00
    more = load(booth, "the shopper loads, unconfirmed", shopper, 40_00)
    redeem_expecting(
        booth,
        "the shopper spends what is not confirmed",
        shopper,
        booth.local(80_00),
        declined(Result.INSUFFICIENT_FUNDS, shopper),
    )
    shopper.unconfirmed_cents = 0
    confirm(booth, "the load is confirmed", more)
    sale = redeem(booth, "the shopper spends it now", shopper, 80_00)
    confirm(booth, "the sale is confirmed", sale)
    forgotten = redeem(booth, "the till forgets to confirm this", shopper, 5_50)
    script.exceptions.append(
        StoryException(
            till=forgotten.till,
            kind=UNCONFIRMED,
            amount=forgotten.amount,
            cents=forgotten.cents,
        )
    )
    later = script.scene(till_of(BOOKSHOP), _NEXT_DAY, 10)
    redeem(later, "the shopper spends the rest", shopper, shopper.available_cents)
    return script.end()


def confirm(scene: Scene, says: str, deed: Deed) -> None:
    """
    Send the second message.
    """
    request = Confirm(
        request_id=scene.script.request_id(says),
        original_request_id=deed.request_id,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, approved(deed.purse))
