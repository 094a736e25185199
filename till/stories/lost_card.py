"""
A card is lost: blocked by the call centre, tried by a thief, and replaced.
"""

from __future__ import annotations

from typing import Final

from currency import Currency, Money, RateBook
from till.codes import BlockReason, CardState, Result
from till.stories.desk import BlockCard, GetCard, ReplaceCard
from till.stories.places import AMIRA, BOUTIQUE, CORNER_SHOP, RESTAURANT, till_of
from till.stories.purse import Deed, Purse
from till.stories.sales import activate, balance, redeem, redeem_expecting, refund
from till.stories.script import Scene, Script, Wallet, approved, declined
from till.stories.steps import Story
from till.stories.tables import authorize, capture

OWNER: Final = "owner"
NEW_CARD: Final = "owner's new card"
OWNERS: Final = (OWNER, NEW_CARD)

_BEFORE, _LOST, _AFTER = 2, 3, 4
_DINAR: Final = Currency.of("KWD")


def lost_card(rates: RateBook, wallet: Wallet) -> Story:
    """
    Buy in Beirut, lose the card in Kuwait, and go on with another one.
    """
    script = Script("lost card", "Blocked, tried by a thief, replaced", rates, wallet)
    owner, new_card = script.purse(OWNER), script.purse(NEW_CARD)
    shop = script.scene(till_of(BOUTIQUE), _BEFORE, 11)
    activate(shop, "the owner buys a card", owner, 260_00)
    dress = redeem(shop, "the owner buys a dress", owner, 74_90)

    lunch = script.scene(till_of(RESTAURANT, 2), _LOST, 12)
    table = authorize(lunch, "lunch is held", owner, _dinars("12.500"))
    party = authorize(lunch, "a party is held", owner, _dinars("20.000"))

    _block(script.scene(AMIRA, _LOST, 14), owner)
    _try_to_steal(script, owner)
    # What was promised before the block is kept, also beyond the hold, as a tip.
    evening = script.scene(till_of(RESTAURANT, 2), _LOST, 17)
    capture(
        evening, "lunch is paid though the card is blocked", table, _dinars("14.000")
    )

    _replace(script.scene(AMIRA, _LOST, 19), owner, new_card, [dress, party])
    _go_on(script, owner, new_card, dress, party)
    return script.end()


def _block(desk: Scene, owner: Purse) -> None:
    """
    Let the owner call: staff look at the card, and block it.
    """
    look = GetCard(card_number=owner.number)
    desk.ask_staff("the call centre looks at the card", look, approved(owner))
    says = "the call centre blocks it as lost"
    owner.state = CardState.BLOCKED
    block = BlockCard(
        request_id=desk.script.request_id(says),
        card_number=owner.number,
        reason=BlockReason.LOST,
    )
    desk.ask_staff(says, block, approved(owner))


def _try_to_steal(script: Script, owner: Purse) -> None:
    """
    Let a thief try: declined, and not told what is on the card.
    """
    thief = script.scene(till_of(CORNER_SHOP), _LOST, 16)
    price = thief.local(35_00)
    lost = declined(Result.LOST_CARD)
    redeem_expecting(thief, "a thief tries to buy perfume", owner, price, lost)
    balance(thief, "a thief asks for the balance", owner, Result.LOST_CARD)


def _replace(desk: Scene, owner: Purse, new_card: Purse, later: list[Deed]) -> None:
    """
    Move all of it to the new card, and what is still to come of the old one's sales.
    """
    says = "the call centre replaces the card"
    new_card.ledger_cents, owner.ledger_cents = owner.ledger_cents, 0
    new_card.held_cents, owner.held_cents = owner.held_cents, 0
    owner.state = CardState.REPLACED
    for deed in later:
        deed.purse = new_card
    replacement = ReplaceCard(
        request_id=desk.script.request_id(says),
        card_number=owner.number,
        to_card_number=new_card.number,
    )
    desk.ask_staff(says, replacement, approved(owner))


def _go_on(
    script: Script, owner: Purse, new_card: Purse, dress: Deed, party: Deed
) -> None:
    """
    Pay by the new card; what names the old one's sale or hold lands on it.
    """
    shop = script.scene(till_of(BOUTIQUE), _AFTER, 10)
    balance(shop, "the new card has all of it", new_card)
    closed = declined(Result.CARD_CLOSED)
    redeem_expecting(shop, "the old card is found", owner, shop.local(5_00), closed)
    redeem(shop, "the owner buys shoes", new_card, 41_10)
    refund(shop, "the owner brings the dress back", dress, dress.amount.minor_units)
    evening = script.scene(till_of(RESTAURANT, 2), _AFTER, 13)
    capture(evening, "the party is paid by the new card", party, _dinars("18.750"))


def _dinars(text: str) -> Money:
    return Money.parse(text, _DINAR)
