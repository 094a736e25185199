"""
At a counter in Istanbul, where the rate moves every day: given back, undone, paid out.
"""

from __future__ import annotations

from typing import Final

from currency import Currency, Money, RateBook
from till.codes import Result
from till.pin import Pin
from till.stories.places import BOOKSHOP, till_of
from till.stories.sales import (
    activate,
    cash_out,
    dollars,
    load,
    redeem,
    redeem_expecting,
    refund,
    refund_expecting,
    void,
)
from till.stories.script import Script, Wallet, declined
from till.stories.steps import Story
from till.stories.tables import authorize, capture

READERS: Final = ("reader", "student", "tourist", "collector", "teacher")
SAVERS: Final = ("saver",)
# What a card of the programme takes in a day, as its products say nothing else.
MOST_A_DAY_CENTS: Final = 2_000_00

_FIRST, _SECOND, _THIRD = 2, 3, 4


def bookshop(rates: RateBook, wallet: Wallet) -> Story:
    """
    Sell on one day, and put it right on this and on the next two, at the old rate.
    """
    script = Script(
        "bookshop", "Given back, ordered, paid out, with a PIN", rates, wallet
    )
    _refund_in_parts(script)
    _void(script)
    _order(script)
    _pay_out(script)
    _load_too_much(script)
    _enter_pins(script)
    return script.end()


def _refund_in_parts(script: Script) -> None:
    """
    Refund a sale in three parts after the rate moved: the cents come to the same.
    """
    till, reader = till_of(BOOKSHOP), script.purse("reader")
    first, second, third = (
        script.scene(till, day, 11) for day in (_FIRST, _SECOND, _THIRD)
    )
    activate(first, "the reader buys a card", reader, 150_00)
    sale = redeem(first, "the reader buys three books", reader, 89_95)
    whole = sale.amount.minor_units
    one = whole // 3
    refund(second, "the reader brings one book back", sale, one)
    elsewhere = Money(1_000, Currency.of("EUR"))
    refund_expecting(
        second,
        "the reader wants euros for a book",
        sale,
        elsewhere,
        declined(Result.CURRENCY_NOT_SUPPORTED, reader),
    )
    at_the_other_till = script.scene(till_of(BOOKSHOP, 2), _THIRD, 12)
    refund(third, "the reader brings another book back", sale, one)
    refund(at_the_other_till, "the reader brings the last book", sale, whole - 2 * one)
    refund_expecting(
        at_the_other_till,
        "the reader wants one kurus more",
        sale,
        Money(1, sale.amount.currency),
        declined(Result.INVALID_AMOUNT, reader),
    )


def _void(script: Script) -> None:
    """
    Take a sale back before the day is over; on the next day it is too late for that.
    """
    till, student = till_of(BOOKSHOP), script.purse("student")
    first = script.scene(till, _FIRST, 12)
    activate(first, "the student buys a card", student, 80_00)
    sale = redeem(first, "the student buys the wrong atlas", student, 34_50)
    void(first, "the atlas is taken back", sale)
    redeem(first, "the student buys the right atlas", student, 41_25)


def _order(script: Script) -> None:
    """
    Hold the price of an order, and take it when the book is there, at the old rate.
    """
    till, teacher = till_of(BOOKSHOP, 2), script.purse("teacher")
    first, third = (script.scene(till, day, 13) for day in (_FIRST, _THIRD))
    activate(first, "the teacher buys a card", teacher, 120_00)
    order = authorize(first, "the teacher orders a book", teacher, first.local(64_40))
    capture(third, "the teacher's book has come", order, order.amount)


def _pay_out(script: Script) -> None:
    """
    Pay the rest of a card out in cash, once it is small.
    """
    till, tourist = till_of(BOOKSHOP), script.purse("tourist")
    second = script.scene(till, _SECOND, 15)
    activate(second, "the tourist buys a card", tourist, 50_00)
    cash_out(second, "the tourist wants the money back", tourist)
    redeem(second, "the tourist buys a guide", tourist, 42_35)
    cash_out(second, "the tourist gets the rest", tourist, paid=dollars(7_65))


def _load_too_much(script: Script) -> None:
    """
    Load up to what a card takes in a day, no more; on the next day it goes on.
    """
    till, collector = till_of(BOOKSHOP), script.purse("collector")
    second, third = (script.scene(till, day, 16) for day in (_SECOND, _THIRD))
    activate(second, "the collector buys a card", collector, 1_200_00)
    left = MOST_A_DAY_CENTS - 1_200_00
    more = "the collector loads more than a day's"
    load(second, more, collector, left + 100_00, Result.LIMIT_EXCEEDED)
    load(second, "the collector loads the rest of a day's", collector, left)
    load(third, "the collector loads on the next day", collector, 100_00)


def _enter_pins(script: Script) -> None:
    """
    Enter a PIN wrongly twice, and rightly the third time; without one nothing is sold.
    """
    till, saver = till_of(BOOKSHOP), script.purse("saver")
    second = script.scene(till, _SECOND, 17)
    activate(second, "the saver buys a card with a PIN", saver, 90_00)
    price = second.local(22_20)
    for says, pin, result in (
        ("the saver forgets the PIN", None, Result.PIN_REQUIRED),
        ("the saver enters a wrong PIN", wrong(saver.pin), Result.INCORRECT_PIN),
        ("the saver enters it once more", wrong(saver.pin), Result.INCORRECT_PIN),
    ):
        redeem_expecting(second, says, saver, price, declined(result), pin=pin)
    redeem(second, "the saver enters the right PIN", saver, 22_20)


def wrong(pin: Pin | None) -> Pin:
    """
    Give a PIN that differs in its last digit.
    """
    if pin is None:
        raise ValueError("there is no PIN to be wrong")
    first, last = pin.digits[:-1], int(pin.digits[-1])
    return Pin(f"{first}{(last + 1) % 10}")
