"""
Read plain decimal text exactly.

Decimal() takes blanks, underscores, exponents, NaN and the digits of every script;
a price list or a rate file that holds one of those is broken, so we take none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Longer text can be no amount and no rate; the bound keeps int() cheap.
MAX_TEXT_LENGTH = 40

_PLAIN = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")


class PlainDecimal(NamedTuple):
    """
    Hold a decimal as written: its sign, its whole digits and its fraction.
    """

    sign: str
    whole: str
    fraction: str

    @property
    def unscaled(self) -> int:
        """
        Give the value times ten to the number of fraction digits.
        """
        return int(self.sign + self.whole + self.fraction)


def read_plain_decimal(text: str) -> PlainDecimal | None:
    """
    Split the text, or give None when it is not `-?digits[.digits]`.
    """
    if len(text) > MAX_TEXT_LENGTH:
        return None
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    return PlainDecimal(match[1], match[2], match[3] or "")
