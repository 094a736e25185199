"""
What goes wrong at a till, and how often.
"""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Final


class Trouble(Enum):
    """
    What happens to one request.

    SENT_TWICE: two copies at once. ANSWER_LOST: the first answer never comes, the next
    attempt's does. NO_ANSWER: none comes, so it is reversed, and sold again under a new
    id. CHANGED_MIND: approved, cancelled by the customer, and bought again after all.
    OVERTAKEN: its reversal arrives before the request does; then it is sold again.
    """

    NONE = "none"
    SENT_TWICE = "sent twice"
    ANSWER_LOST = "answer lost"
    NO_ANSWER = "no answer, reversed"
    CHANGED_MIND = "cancelled and bought again"
    OVERTAKEN = "overtaken by its reversal"


# In percent; the rest goes well.
_OF_SALES: Final = {
    Trouble.SENT_TWICE: 3,
    Trouble.ANSWER_LOST: 3,
    Trouble.NO_ANSWER: 2,
    Trouble.CHANGED_MIND: 1,
    Trouble.OVERTAKEN: 1,
}
_OF_LOADS: Final = {
    Trouble.SENT_TWICE: 2,
    Trouble.ANSWER_LOST: 2,
    Trouble.NO_ANSWER: 1,
}


def trouble_of_sale(chance: Random) -> Trouble:
    """
    Draw what happens to a sale.
    """
    return _draw(_OF_SALES, chance)


def trouble_of_load(chance: Random) -> Trouble:
    """
    Draw what happens to an activation or a load.
    """
    return _draw(_OF_LOADS, chance)


def _draw(percent: dict[Trouble, int], chance: Random) -> Trouble:
    drawn = chance.randrange(100)
    for trouble, share in percent.items():
        drawn -= share
        if drawn < 0:
            return trouble
    return Trouble.NONE
