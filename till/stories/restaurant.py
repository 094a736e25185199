"""
An evening in a restaurant: the card holds the bill, and pays it with a tip.
"""

from __future__ import annotations

from typing import Final

from currency import Currency, Money, RateBook
from till.codes import Result
from till.stories.places import RESTAURANT, till_of
from till.stories.sales import activate, balance, redeem
from till.stories.script import Script, Wallet
from till.stories.steps import Story
from till.stories.tables import (
    authorize,
    cancel,
    capture,
    capture_in_vain,
    increment,
    lapse,
)

GUESTS: Final = tuple(f"guest {number}" for number in range(1, 8))
TWO_HOURS_S: Final = 7_200

_EVENING: Final = 2
_DINAR: Final = Currency.of("KWD")


def restaurant(rates: RateBook, wallet: Wallet) -> Story:
    """
    Seven tables on the second evening; one of them forgets to pay until the third day.
    """
    script = Script("restaurant", "Bills held, and paid with a tip", rates, wallet)
    _open_tables(script)
    _pay_with_tips(script)
    _leave_without_paying(script)
    return script.end()


def _open_tables(script: Script) -> None:
    noon = script.scene(till_of(RESTAURANT, 2), _EVENING, 12)
    for holder in GUESTS:
        purse = script.purse(holder)
        activate(noon, f"{holder} buys a card", purse, 200_00)
    # What guest 7 leaves on the card is just the bill.
    redeem(noon, "guest 7 buys a book of recipes", script.purse("guest 7"), 126_83)


def _pay_with_tips(script: Script) -> None:
    till = till_of(RESTAURANT)
    seven, nine = script.scene(till, _EVENING, 19), script.scene(till, _EVENING, 21)
    eight = script.scene(till, _EVENING, 20)
    guests = [script.purse(holder) for holder in GUESTS]

    first = authorize(seven, "table 1 opens its bill", guests[0], _dinars("24.500"))
    capture(nine, "table 1 pays with a tip", first, _dinars("27.500"))

    second = authorize(seven, "table 2 opens its bill", guests[1], _dinars("18.250"))
    increment(eight, "table 2 orders dessert", second, _dinars("6.750"))
    capture(nine, "table 2 pays with a tip", second, _dinars("28.125"))

    third = authorize(seven, "table 3 opens its bill", guests[2], _dinars("31.000"))
    capture(nine, "table 3 sent a dish back", third, _dinars("26.500"))

    fourth = authorize(seven, "table 4 opens its bill", guests[3], _dinars("12.000"))
    cancel(nine, "table 4 pays in cash", fourth)

    sixth = authorize(seven, "table 6 opens its bill", guests[5], _dinars("40.000"))
    capture_in_vain(
        nine,
        "table 6 gives more than a fifth",
        sixth,
        _dinars("48.001"),
        Result.EXCEEDS_AUTHORIZED,
    )
    capture(nine, "table 6 pays one half", sixth, _dinars("22.000"), keep_open=True)
    capture(nine, "table 6 pays the other half", sixth, _dinars("20.000"))

    seventh = authorize(seven, "table 7 opens its bill", guests[6], _dinars("22.500"))
    capture_in_vain(
        nine,
        "table 7 has nothing left for a tip",
        seventh,
        _dinars("23.500"),
        Result.INSUFFICIENT_FUNDS,
    )
    capture(nine, "table 7 pays the bill", seventh, _dinars("22.500"))


def _leave_without_paying(script: Script) -> None:
    """
    Let a hold run out: nobody asks for it in time, and its money is free again.
    """
    till, guest = till_of(RESTAURANT), script.purse("guest 5")
    seven = script.scene(till, _EVENING, 19)
    fifth = authorize(
        seven, "table 5 opens its bill", guest, _dinars("15.000"), lives_s=TWO_HOURS_S
    )
    late = script.scene(till, _EVENING, 22)
    lapse(fifth)
    balance(late, "guest 5 has all of it again", guest)
    capture_in_vain(
        late,
        "table 5 is asked for too late",
        fifth,
        _dinars("15.000"),
        Result.AUTHORIZATION_EXPIRED,
    )
    next_day = script.scene(till, _EVENING + 1, 13)
    redeem(next_day, "guest 5 spends all of it", guest, guest.available_cents)


def _dinars(text: str) -> Money:
    return Money.parse(text, _DINAR)
