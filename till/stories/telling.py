"""
Plan all stories that a demo's days have room for.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from currency import RateBook
from till.stories.bookshop import READERS, SAVERS, bookshop
from till.stories.canteen import EATERS, canteen
from till.stories.kiosk import VISITORS, kiosk
from till.stories.lost_card import OWNERS, lost_card
from till.stories.restaurant import GUESTS, restaurant
from till.stories.script import Wallet
from till.stories.steps import Story
from till.stories.two_messages import SHOPPER, two_messages

GIFT: Final = "gift"
LUNCH: Final = "lunch"
SECURE: Final = "secure"
# Who has a card of which product of the programme.
HOLDERS: Final = {
    GIFT: (*GUESTS, *READERS, *OWNERS, *VISITORS, SHOPPER),
    LUNCH: EATERS,
    SECURE: SAVERS,
}
_STORIES: Final = (restaurant, kiosk, lost_card, canteen, bookshop, two_messages)


def plan_stories(rates: RateBook, wallet: Wallet, *, last_day: date) -> list[Story]:
    """
    Plan the stories that end on a day or before.
    """
    planned = (write(rates, wallet) for write in _STORIES)
    return [story for story in planned if story.last_day <= last_day]
