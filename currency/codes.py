"""
Know the currencies of ISO 4217 and how many digits their minor unit has.

The list is the official one, as the iso4217 library ships it; nothing here repeats
an exponent. A code without a minor unit (gold, test codes) is no currency to us.
"""

from __future__ import annotations

from typing import Final, NoReturn, Self, final

import iso4217

from currency.errors import UnknownCurrencyError


@final
class Currency:
    """
    Be one currency of ISO 4217: one object for each code in a process.

    Since each exists once, `is` and `==` mean the same, and both cost nothing.
    """

    __slots__ = ("code", "exponent", "minor_per_unit", "numeric")

    code: str
    exponent: int
    numeric: int
    minor_per_unit: int

    def __new__(cls) -> Self:
        """
        Refuse: a second object of one code would break identity.
        """
        raise TypeError("currencies are not made but looked up: Currency.of('KWD')")

    @staticmethod
    def of(code: str) -> Currency:
        """
        Look a currency up by its three capital letters, or raise.
        """
        currency = _BY_CODE.get(code)
        if currency is None:
            raise UnknownCurrencyError(code)
        return currency

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """
        Refuse: everybody shares this object.
        """
        raise AttributeError(f"a currency never changes ({name})")

    def __delattr__(self, name: str) -> NoReturn:
        """
        Refuse: everybody shares this object.
        """
        raise AttributeError(f"a currency never changes ({name})")

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """
        Pickle and copy as the code, so that the other side finds its own object.
        """
        return (Currency.of, (self.code,))

    def __repr__(self) -> str:
        """
        Show how to get it.
        """
        return f"Currency.of({self.code!r})"

    def __str__(self) -> str:
        """
        Give the code, which is what messages and columns want.
        """
        return self.code


def _intern(*, code: str, exponent: int, numeric: int) -> Currency:
    currency = object.__new__(Currency)
    object.__setattr__(currency, "code", code)
    object.__setattr__(currency, "exponent", exponent)
    object.__setattr__(currency, "numeric", numeric)
    object.__setattr__(currency, "minor_per_unit", 10**exponent)
    return currency


def _read_official_list() -> dict[str, Currency]:
    return {
        entry.code: _intern(
            code=entry.code, exponent=entry.exponent, numeric=entry.number
        )
        for entry in iso4217.Currency
        if entry.exponent is not None
    }


_BY_CODE: Final = _read_official_list()


def find_currency(code: str) -> Currency | None:
    """
    Look a currency up without raising: one dict look-up, for the hot path.
    """
    return _BY_CODE.get(code)


def all_currencies() -> tuple[Currency, ...]:
    """
    List every currency by code, for pages, generators and tests.
    """
    return tuple(_BY_CODE[code] for code in sorted(_BY_CODE))
