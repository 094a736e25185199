"""
Count money: whole minor units of one currency.

No float and no bool gets in, no other currency mixes in, and there is no `/`: what
cannot be divided without a rest is shared out by `allocate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from currency.codes import Currency
from currency.decimal_text import PlainDecimal, read_plain_decimal
from currency.errors import CurrencyMismatchError, MoneyFormatError, shown

# The greatest amount that a request, a conversion or a balance may hold. Money
# itself does not refuse more: a decision must be able to look at it and decline.
MAX_MINOR_UNITS: Final[int] = 10**15


@dataclass(frozen=True, slots=True)
class Money:
    """
    Be an amount in minor units: Money(10000, KWD) is ten dinars.

    It may be negative (a posting has a sign); amounts in requests may not, which is
    for the decision to say. Amounts of two currencies are never equal.
    """

    minor_units: int
    currency: Currency

    def __post_init__(self) -> None:
        """
        Refuse True and 1.0, which Python would take for 1.
        """
        if type(self.minor_units) is not int:
            raise TypeError(
                f"minor units are an int, not {type(self.minor_units).__name__}"
            )
        if type(self.currency) is not Currency:
            raise TypeError(f"a currency is Currency.of('KWD'), not {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        """
        Add an amount of the same currency.
        """
        if type(other) is not Money:
            return NotImplemented
        self._require_same_currency(other)
        return Money(self.minor_units + other.minor_units, self.currency)

    def __sub__(self, other: Money) -> Money:
        """
        Take away an amount of the same currency.
        """
        if type(other) is not Money:
            return NotImplemented
        self._require_same_currency(other)
        return Money(self.minor_units - other.minor_units, self.currency)

    def __lt__(self, other: Money) -> bool:
        """
        Compare with an amount of the same currency.
        """
        if type(other) is not Money:
            return NotImplemented
        self._require_same_currency(other)
        return self.minor_units < other.minor_units

    def __le__(self, other: Money) -> bool:
        """
        Compare with an amount of the same currency.
        """
        if type(other) is not Money:
            return NotImplemented
        self._require_same_currency(other)
        return self.minor_units <= other.minor_units

    # Python turns a > b into b < a, so > and >= need no code of their own.

    def __str__(self) -> str:
        """
        Show it for people: `10.000 KWD`.
        """
        return f"{self.to_decimal_text()} {self.currency.code}"

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """
        Share it out by weight and lose nothing: largest remainder first.

        Each part is at most one minor unit from its exact share, parts of equal
        remainder are served in order, and the parts add up to the whole.
        """
        if any(type(weight) is not int for weight in weights):
            raise TypeError("weights are ints; scale fractions up")
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights are not negative, and at least one is above zero")
        sign = -1 if self.minor_units < 0 else 1
        shares = [divmod(abs(self.minor_units) * weight, total) for weight in weights]
        left_over = abs(self.minor_units) - sum(share for share, _ in shares)
        by_remainder = sorted(range(len(weights)), key=lambda index: -shares[index][1])
        served = set(by_remainder[:left_over])
        return [
            Money(sign * (share + (index in served)), self.currency)
            for index, (share, _) in enumerate(shares)
        ]

    @staticmethod
    def parse(text: str, currency: Currency) -> Money:
        """
        Read text with exactly the currency's digits: `10.000` for KWD, `10` for JPY.

        Fewer digits are refused like more: a till that believes KWD has two digits
        must hear it, whether it sends numbers or text.
        """
        decimal = read_plain_decimal(text)
        if decimal is None:
            raise MoneyFormatError(
                f"{shown(text)} is not a plain amount: write {_rule(currency)} "
                "(no blanks, separators, plus sign, leading zeros or exponent)"
            )
        if len(decimal.fraction) != currency.exponent:
            raise MoneyFormatError(_wrong_digits(text, decimal, currency))
        if abs(decimal.unscaled) > MAX_MINOR_UNITS:
            largest = Money(MAX_MINOR_UNITS, currency)
            raise MoneyFormatError(
                f"{shown(text)} is too much: the largest amount is {largest}"
            )
        return Money(decimal.unscaled, currency)

    def to_decimal_text(self) -> str:
        """
        Write it as plain decimal text with exactly the currency's digits.
        """
        exponent = self.currency.exponent
        sign = "-" if self.minor_units < 0 else ""
        digits = str(abs(self.minor_units)).rjust(exponent + 1, "0")
        if not exponent:
            return sign + digits
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"

    def _require_same_currency(self, other: Money) -> None:
        if self.currency is not other.currency:
            raise CurrencyMismatchError(
                f"{self} and {other} are of two currencies: convert one of them first"
            )


def _rule(currency: Currency) -> str:
    example = Money(10 * currency.minor_per_unit, currency).to_decimal_text()
    if not currency.exponent:
        return f"{currency} without a point, for example {example}"
    return (
        f"{currency} with exactly {currency.exponent} digits after the point, "
        f"for example {example}"
    )


def _wrong_digits(text: str, decimal: PlainDecimal, currency: Currency) -> str:
    given = len(decimal.fraction)
    found = f"{shown(text)} has {given} digits after the point"
    has = f"{currency} has {currency.exponent}"
    if given < currency.exponent:
        padded = decimal.fraction.ljust(currency.exponent, "0")
        return f"{found}, {has}: write {decimal.sign}{decimal.whole}.{padded}"
    return f"{found}, {has}: round it yourself and write {_rule(currency)}"
