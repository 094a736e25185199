from __future__ import annotations

import copy
import pickle

import pytest

from currency import Currency, UnknownCurrencyError, all_currencies, find_currency

EXPONENTS = {
    0: "JPY KRW",
    2: "USD EUR TRY AED QAR EGP LBP SAR",
    3: "KWD BHD JOD OMR TND IQD LYD",
}


@pytest.mark.parametrize(
    ("code", "exponent"),
    [(code, digits) for digits, codes in EXPONENTS.items() for code in codes.split()],
)
def test_the_minor_unit_is_that_of_iso_4217(code: str, exponent: int) -> None:
    """
    The currencies of the contract have the digits that ISO 4217 gives them.
    """
    currency = Currency.of(code)

    assert (code, exponent) == (currency.code, currency.exponent)
    assert currency.minor_per_unit == 10**exponent


def test_the_number_is_that_of_iso_4217() -> None:
    """
    The numeric code is what settlement files and ISO 8583 carry.
    """
    assert Currency.of("KWD").numeric == 414
    assert Currency.of("LBP").numeric == 422


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "BGL", "kwd", "KW", "", "KWD "])
def test_what_is_no_currency_is_refused_with_its_code(code: str) -> None:
    """
    Gold, test codes, withdrawn codes and misspellings are no currencies.
    """
    with pytest.raises(UnknownCurrencyError) as raised:
        Currency.of(code)

    assert code == raised.value.code
    assert repr(code) in str(raised.value)
    assert "for example KWD" in str(raised.value)
    assert find_currency(code) is None


def test_one_code_is_one_object() -> None:
    """
    Looking up, finding, copying and pickling give the very same object.
    """
    kwd = Currency.of("KWD")

    assert find_currency("KWD") is kwd
    assert copy.copy(kwd) is kwd
    assert copy.deepcopy(kwd) is kwd
    assert pickle.loads(pickle.dumps(kwd)) is kwd  # noqa: S301 - our own bytes
    assert {kwd: 1}[Currency.of("KWD")] == 1
    assert Currency.of("BHD") != kwd


def test_a_currency_cannot_be_made_or_changed() -> None:
    """
    A second KWD, or one with two digits, would be a way to lose money.
    """
    kwd = Currency.of("KWD")

    with pytest.raises(TypeError, match="looked up"):
        Currency()
    with pytest.raises(AttributeError, match="exponent"):
        kwd.exponent = 2
    with pytest.raises(AttributeError, match="code"):
        del kwd.code
    assert kwd.exponent == 3


def test_a_currency_shows_itself() -> None:
    """
    Messages take the code, a debugger the way to get it.
    """
    assert str(Currency.of("KWD")) == "KWD"
    assert repr(Currency.of("KWD")) == "Currency.of('KWD')"


def test_all_currencies_are_listed_by_code() -> None:
    """
    The list is sorted and holds what look-ups find, nothing else.
    """
    codes = [currency.code for currency in all_currencies()]

    assert sorted(codes) == codes
    assert len(codes) > 150
    assert all(find_currency(code) is not None for code in codes)


def test_an_unknown_currency_error_survives_a_process_border() -> None:
    """
    Workers and pools pickle errors; the code must come through.
    """
    error = pickle.loads(pickle.dumps(UnknownCurrencyError("XAU")))  # noqa: S301

    assert error.code == "XAU"
    assert str(UnknownCurrencyError("XAU")) == str(error)


def test_a_foreign_text_in_a_message_is_bounded() -> None:
    """
    A megabyte in place of a code does not become a megabyte in a log.
    """
    message = str(UnknownCurrencyError("\x1b" * 1_000_000))

    assert len(message) < 400
    assert "\x1b" not in message
    assert "(1000000 characters)" in message
