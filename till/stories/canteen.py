"""
A card for lunch: valid in the canteens, on working days, from half past eleven.
"""

from __future__ import annotations

from typing import Final

from currency import RateBook
from till.codes import Result
from till.stories.places import CANTEEN, CORNER_SHOP, till_of
from till.stories.purse import Purse
from till.stories.sales import activate, load, redeem, redeem_expecting
from till.stories.script import Scene, Script, Wallet, declined
from till.stories.steps import Story

EATERS: Final = ("cook", "editor")
HOURS: Final = "mon-fri 11:30-14:30"

_NOT_NOW: Final = "the card is valid only Monday to Friday 11:30 to 14:30."
_NOT_HERE: Final = "the card is not valid at this store."
_THURSDAY, _FRIDAY, _SATURDAY = 2, 3, 4


def canteen(rates: RateBook, wallet: Wallet) -> Story:
    """
    Eat at noon from Thursday to Saturday, and try it at other hours and elsewhere.
    """
    script = Script("canteen", "Cards for lunch in the canteens", rates, wallet)
    at_the_canteen, at_the_shop = till_of(CANTEEN), till_of(CORNER_SHOP)
    cook, editor = (script.purse(holder) for holder in EATERS)

    noon = script.scene(at_the_canteen, _THURSDAY, 12)
    activate(noon, "the cook gets a card", cook, 60_00)
    activate(noon, "the editor gets a card", editor, 25_00)
    redeem(noon, "the cook has lunch", cook, 9_75)
    redeem(noon, "the editor has lunch", editor, 12_40)
    one = script.scene(at_the_shop, _THURSDAY, 13)
    _in_vain(one, "the cook tries the shop next door", cook, 4_20, _NOT_HERE)
    evening = script.scene(at_the_canteen, _THURSDAY, 19)
    _in_vain(evening, "the editor comes for dinner", editor, 8_90, _NOT_NOW)

    early = script.scene(at_the_canteen, _FRIDAY, 11)
    _in_vain(early, "the cook comes at eleven", cook, 3_50, _NOT_NOW)
    noon = script.scene(at_the_canteen, _FRIDAY, 13)
    redeem(noon, "the cook has lunch on Friday", cook, 11_15)
    load(noon, "the employer loads for the editor", editor, 20_00)
    redeem(noon, "the editor has lunch on Friday", editor, 10_05)

    saturday = script.scene(at_the_canteen, _SATURDAY, 12)
    _in_vain(saturday, "the cook comes on Saturday", cook, 9_75, _NOT_NOW)
    return script.end()


def _in_vain(scene: Scene, says: str, purse: Purse, cents: int, why: str) -> None:
    expected = declined(Result.RESTRICTED_CARD, sentence=f"Declined: {why}")
    redeem_expecting(scene, says, purse, scene.local(cents), expected)
