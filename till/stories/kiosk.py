"""
A kiosk loses its line for hours: it goes on selling, and tells of it afterwards.
"""

from __future__ import annotations

from typing import Final

from currency import USD_RATE, Currency, Money, RateBook, convert_floor
from till.codes import CardState, Result, ReversalReason
from till.requests import Advice, Reverse
from till.stories.places import KIOSK, till_of
from till.stories.purse import Purse
from till.stories.sales import activate, balance
from till.stories.script import DOLLAR, Scene, Script, Wallet
from till.stories.steps import Expected, Story, StoryException, Upload
from till.stories.tables import cents_of

HIKER: Final = "hiker"
GUIDE: Final = "guide"
DRIVER: Final = "driver"
FAMILY: Final = "family"
STRAY: Final = "a card that nobody activated"
VISITORS: Final = (HIKER, GUIDE, DRIVER, FAMILY, STRAY)

ADVICE_NOT_PAID: Final = "ADVICE_NOT_PAID"
DINAR: Final = Currency.of("JOD")
FLOOR_LIMIT: Final = Money.parse("25.000", DINAR)
_DAY: Final = 3


def kiosk(rates: RateBook, wallet: Wallet) -> Story:
    """
    Sell offline from eleven to three, and upload at five, all at once in any order.
    """
    script = Script("kiosk", "Sold offline, and uploaded later", rates, wallet)
    morning = script.scene(till_of(KIOSK), _DAY, 10)
    for holder, cents in (
        (HIKER, 30_00),
        (GUIDE, 50_00),
        (DRIVER, 12_00),
        (FAMILY, 80_00),
    ):
        activate(morning, f"the {holder} buys a card", script.purse(holder), cents)
    script.purse(STRAY).state = CardState.PENDING

    eleven, one = (script.scene(till_of(KIOSK), _DAY, hour) for hour in (11, 13))
    three = script.scene(till_of(KIOSK), _DAY, 15)
    _sell_offline(script, eleven, one)
    _sell_too_much(script, one, three)

    back = script.scene(till_of(KIOSK), _DAY, 17)
    back.add("the line is back: all is uploaded", Upload(till=back.till))
    for holder in (HIKER, GUIDE, DRIVER, FAMILY):
        says = f"the {holder} reads the balance"
        balance(back, says, script.purse(holder))
    return script.end()


def _sell_offline(script: Script, eleven: Scene, one: Scene) -> None:
    """
    Sell what the cards can pay; one sale is taken back before anybody heard of it.
    """
    hiker, guide = script.purse(HIKER), script.purse(GUIDE)
    for scene, says, cents in (
        (eleven, "the guide buys maps offline", 15_00),
        (one, "the guide buys water offline", 18_00),
    ):
        amount = scene.local(cents)
        guide.ledger_cents -= cents
        _sell(scene, says, guide, amount, paid=amount)
    says = "the hiker buys a hat offline"
    _keep_sale(eleven, says, hiker, eleven.local(8_00), None)
    back = "the hiker brings the hat back, still offline"
    reversal = Reverse(
        request_id=script.request_id(back),
        original_request_id=script.request_id(says),
        reason=ReversalReason.CUSTOMER_CANCELLATION,
        terminal_id=one.till.terminal,
        context=one.context(back),
    )
    one.keep(back, reversal, None)


def _sell_too_much(script: Script, one: Scene, three: Scene) -> None:
    """
    Sell more than the card has, above the floor limit, and to a card not active.
    """
    driver, family = script.purse(DRIVER), script.purse(FAMILY)
    asked, paid = _dinars("14.000"), _affordable(one, driver)
    driver.ledger_cents -= cents_of(script, paid, one.at)
    _sell(
        one,
        "the driver buys more than is on the card",
        driver,
        asked,
        paid=paid,
        why=Result.INSUFFICIENT_FUNDS,
    )
    family.ledger_cents -= cents_of(script, FLOOR_LIMIT, three.at)
    _sell(
        three,
        "the family buys above the floor limit",
        family,
        _dinars("32.500"),
        paid=FLOOR_LIMIT,
        why=Result.LIMIT_EXCEEDED,
    )
    _sell(
        three,
        "somebody pays by a card nobody activated",
        script.purse(STRAY),
        _dinars("6.000"),
        paid=_dinars("0.000"),
        why=Result.CARD_NOT_ACTIVE,
    )


def _sell(
    scene: Scene,
    says: str,
    purse: Purse,
    amount: Money,
    *,
    paid: Money,
    why: Result | None = None,
) -> None:
    """
    Sell offline; what the card will not pay is an exception, and `why` its reason.
    """
    expected = Expected(
        result=Result.APPROVED, approved=paid, exception=why, tells_balances=False
    )
    _keep_sale(scene, says, purse, amount, expected)
    if why is not None:
        scene.script.exceptions.append(
            StoryException(
                till=scene.till,
                kind=ADVICE_NOT_PAID,
                reason=why,
                amount=amount - paid,
                cents=cents_of(scene.script, amount - paid, scene.at),
            )
        )


def _keep_sale(
    scene: Scene, says: str, purse: Purse, amount: Money, expected: Expected | None
) -> None:
    advice = Advice(
        request_id=scene.script.request_id(says),
        card_number=purse.number,
        amount=amount,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.keep(says, advice, expected)


def _affordable(scene: Scene, purse: Purse) -> Money:
    """
    Give the most of the kiosk's money that a card pays for.
    """
    rate = scene.script.rates.rate_at(DINAR.code, scene.at)
    if rate is None:
        raise ValueError(f"there is no rate of {DINAR} at {scene.at.isoformat()}")
    minor = convert_floor(purse.available_cents, DOLLAR, DINAR, USD_RATE, rate)
    return Money(minor, DINAR)


def _dinars(text: str) -> Money:
    return Money.parse(text, DINAR)
