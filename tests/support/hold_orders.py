"""
The messages that may come about one hold, in every order.

Each order is a text of letters; the same letter again is another request, but P, which
is sent again as it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Final, Literal, NamedTuple

from tests.support.hold_model import HoldModel, Shown

# P place, I increment, C capture a part, F capture the rest, X cancel, E time passes,
# U reverse the placing, R reverse the last other that was not yet named by one, and all
# over again; where there is none, the next one that will come.
LETTERS: Final = "PICFXEUR"
OPENING: Final = 100_00
LIVES_S: Final = 100

Kind = Literal["place", "increment", "capture", "cancel", "reverse", "expire"]


class Message(NamedTuple):
    """
    One message; `key` tells requests apart, `original` is the key of what it names.
    """

    kind: Kind
    key: int
    original: int = 0
    minor: int | None = None
    keep_open: bool = False


@dataclass(frozen=True)
class Terms:
    """
    What a hold is of: its currency and rate, and the amounts of the messages.
    """

    currency: str
    rate: Fraction
    placed: int
    more: int
    part: int
    tip: Fraction = Fraction(0)

    def model(self) -> HoldModel:
        """
        Make a model of them.
        """
        return HoldModel(balance=OPENING, tip=self.tip)


# An increment is smaller than a part, so that less than it may be left.
DINARS: Final = Terms("KWD", Fraction("0.3252"), 10_000, 3_333, 4_445)
# Two parts exceed the hold by less than the tip that is allowed.
TIPPED: Final = Terms("USD", Fraction(1), 60_00, 15_00, 35_00, tip=Fraction(1, 5))
# A part is the whole that was placed: what is left then is the increment alone.
EXACT: Final = Terms("USD", Fraction(1), 40_00, 15_00, 40_00)
PLACING: Final = 1


def next_message(before: str, letter: str, terms: Terms) -> Message:
    """
    Give the message of a letter that comes after others.
    """
    asked = sum(before.count(each) for each in "ICFX")
    mine = PLACING + 1 + asked
    if letter == "P":
        return Message("place", PLACING, minor=terms.placed)
    if letter == "E":
        return Message("expire", 0)
    if letter in "UR":
        last = PLACING + max(asked, 1)
        named = before.count("R") % max(asked, 1)
        undone = PLACING if letter == "U" else last - named
        return Message("reverse", 100 + len(before), undone)
    if letter == "X":
        return Message("cancel", mine, PLACING)
    if letter == "I":
        return Message("increment", mine, PLACING, terms.more)
    part = letter == "C"
    return Message("capture", mine, PLACING, terms.part if part else None, part)


def answer(model: HoldModel, message: Message, terms: Terms) -> Shown | None:
    """
    Let the model answer a message; None to what nobody asked.
    """
    key, original, minor = message.key, message.original, message.minor
    if message.kind == "expire":
        model.pass_time(LIVES_S)
        return None
    if message.kind == "place":
        return model.place(key, minor or 0, terms.rate, LIVES_S)
    if message.kind == "increment":
        return model.increment(key, original, minor or 0)
    if message.kind == "capture":
        return model.capture(key, original, minor, keep_open=message.keep_open)
    if message.kind == "cancel":
        return model.cancel(key, original)
    return model.reverse(original)


def orders(most: int) -> Iterator[str]:
    """
    Give every order of up to so many messages, the short ones first.
    """
    for length in range(1, most + 1):
        yield from map("".join, product(LETTERS, repeat=length))
