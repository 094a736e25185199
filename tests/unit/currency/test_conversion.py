from __future__ import annotations

import decimal
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from currency import (
    Conversion,
    Currency,
    CurrencyMismatchError,
    Money,
    RateBook,
    UsdRate,
    applied_rate,
    convert,
    convert_floor,
    parse_rate_e12,
)

Converter = Callable[[int, Currency, Currency, UsdRate, UsdRate], Conversion | int]

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
R1 = {"KWD": "3.2520", "EUR": "1.0850", "JPY": "0.00665", "LBP": "0.0000111607"}


def usd_rate(code: str, usd_per_unit: str | None) -> UsdRate:
    """
    Make a row of R1; None withdraws.
    """
    return UsdRate(
        currency_code=code,
        usd_per_unit_e12=None if usd_per_unit is None else parse_rate_e12(usd_per_unit),
        version=1,
        effective_from=NOW,
        as_of=NOW,
        source="rate table R1",
    )


BOOK = RateBook.of(usd_rate(code, value) for code, value in R1.items())


def rate(code: str) -> UsdRate:
    """
    Give the rate of R1.
    """
    found = BOOK.rate_at(code, NOW)
    assert found is not None
    return found


def minor(text: str, code: str) -> int:
    """
    Give an amount written as text in minor units.
    """
    return Money.parse(text, Currency.of(code)).minor_units


def converted(text: str, source: str, target: str) -> Conversion:
    """
    Convert text at R1.
    """
    return convert(
        minor(text, source),
        Currency.of(source),
        Currency.of(target),
        rate(source),
        rate(target),
    )


def floored(text: str, source: str, target: str) -> str:
    """
    Convert text at R1, rounded down, to text.
    """
    amount = convert_floor(
        minor(text, source),
        Currency.of(source),
        Currency.of(target),
        rate(source),
        rate(target),
    )
    return Money(amount, Currency.of(target)).to_decimal_text()


@pytest.mark.parametrize(
    ("behaviour", "text", "source", "target", "debit"),
    [
        (41, "10.000", "KWD", "USD", "32.52"),
        (42, "3.075", "KWD", "USD", "10.00"),
        (43, "5.143", "KWD", "EUR", "15.41"),
        (44, "16.682", "KWD", "EUR", "50.00"),
        (45, "100", "JPY", "USD", "0.67"),
        (46, "100.00", "LBP", "USD", "0.00"),
        (46, "1000000.00", "LBP", "USD", "11.16"),
        (47, "10000", "JPY", "USD", "66.50"),
    ],
)
def test_a_sale_debits_the_card_as_agreed(
    behaviour: int, text: str, source: str, target: str, debit: str
) -> None:
    """
    The figures of behaviours 41 to 47, rounded once, at the end, HALF_UP.
    """
    amount = converted(text, source, target).amount_minor

    assert minor(debit, target) == amount, behaviour


def test_dollars_in_between_are_never_rounded() -> None:
    """
    Behaviour 43: rounding 16.725036 USD to cents first would debit EUR 15.42.
    """
    dollars = converted("5.143", "KWD", "USD").amount_minor
    twice = convert(
        dollars, Currency.of("USD"), Currency.of("EUR"), rate("USD"), rate("EUR")
    )

    assert twice.amount_minor == 1542
    assert converted("5.143", "KWD", "EUR").amount_minor == 1541


@pytest.mark.parametrize(
    ("behaviour", "available", "card", "sale", "approved", "requested", "due"),
    [
        (42, "10.00", "USD", "KWD", "3.075", "5.000", "1.925"),
        (44, "50.00", "EUR", "KWD", "16.682", "20.000", "3.318"),
    ],
)
def test_a_partial_sale_approves_what_the_card_can_pay(
    behaviour: int,
    available: str,
    card: str,
    sale: str,
    approved: str,
    requested: str,
    due: str,
) -> None:
    """
    Behaviours 42 and 44: floor what is available, then debit that converted back.
    """
    assert approved == floored(available, card, sale), behaviour
    assert minor(available, card) == converted(approved, sale, card).amount_minor
    assert minor(due, sale) == minor(requested, sale) - minor(approved, sale)


@pytest.mark.parametrize(
    ("text", "source", "target", "rounding"),
    [
        ("10.000", "KWD", "USD", "0"),
        ("100", "JPY", "USD", "0.005"),
        ("100.00", "LBP", "USD", "-0.00111607"),
        ("1000000.00", "LBP", "USD", "-0.0007"),
        ("3.075", "KWD", "USD", "0.0001"),
        ("5.143", "KWD", "EUR", "-0.004779723502304147465438"),
    ],
)
def test_the_rounding_is_rounded_minus_exact(
    text: str, source: str, target: str, rounding: str
) -> None:
    """
    It is exact when it ends within 24 digits, else rounded there; in card units.
    """
    result = converted(text, source, target).rounding

    assert Decimal(rounding) == result
    assert rounding == format(result, "f")


def test_the_rounding_does_not_depend_on_anybodys_decimal_context() -> None:
    """
    A library that lowers the precision of the thread must not cut our digits.
    """
    with decimal.localcontext(prec=3):
        result = converted("5.143", "KWD", "EUR").rounding

    assert Decimal("-0.004779723502304147465438") == result


def test_one_currency_converts_to_itself_unchanged() -> None:
    """
    Nothing is multiplied and nothing rounded, whatever the rate is.
    """
    assert converted("5.143", "KWD", "KWD") == Conversion(5143, Decimal(0))
    assert floored("5.143", "KWD", "KWD") == "5.143"


def test_nothing_converts_to_nothing() -> None:
    """
    Zero stays zero, and is for the decision to decline.
    """
    assert converted("0.000", "KWD", "USD") == Conversion(0, Decimal(0))
    assert floored("0.000", "KWD", "USD") == "0.00"


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("KWD", "USD", "3.252000000000"),
        ("KWD", "EUR", "2.997235023041"),
        ("USD", "KWD", "0.307503075031"),
        ("JPY", "KWD", "0.002044895449"),
        ("LBP", "KWD", "0.000003431950"),
        ("KWD", "LBP", "291379.572965853396"),
    ],
)
def test_the_applied_rate_has_twelve_digits(
    source: str, target: str, expected: str
) -> None:
    """
    What is shown and stored is source through target, HALF_UP at 12 digits.
    """
    assert expected == format(applied_rate(rate(source), rate(target)), "f")


def test_the_applied_rate_rounds_a_half_up() -> None:
    """
    A rate of 0.0000000000005 shows as 0.000000000001, not as zero.
    """
    low, high = usd_rate("AAA", "0.000000000001"), usd_rate("BBB", "2")

    assert format(applied_rate(low, high), "f") == "0.000000000001"


@pytest.mark.parametrize("conversion", [convert, convert_floor])
def test_a_negative_amount_is_refused(conversion: Converter) -> None:
    """
    Direction is the operation; HALF_UP of negatives is another rule.
    """
    usd, jpy = Currency.of("USD"), Currency.of("JPY")

    with pytest.raises(ValueError, match="-1 is negative"):
        conversion(-1, usd, jpy, rate("USD"), rate("JPY"))
    with pytest.raises(ValueError, match="-1 is negative"):
        conversion(-1, usd, usd, rate("USD"), rate("USD"))


@pytest.mark.parametrize("conversion", [convert, convert_floor])
@pytest.mark.parametrize("amount", [1.0, True, Decimal(1), "1"])
def test_an_amount_is_nothing_but_an_int(conversion: Converter, amount: object) -> None:
    """
    Neither a float nor True ever is an amount.
    """
    with pytest.raises(TypeError, match="minor units are an int"):
        conversion(
            amount,  # type: ignore[arg-type]
            Currency.of("USD"),
            Currency.of("JPY"),
            rate("USD"),
            rate("JPY"),
        )


@pytest.mark.parametrize("conversion", [convert, convert_floor])
@pytest.mark.parametrize(
    ("source", "target"), [("JPY", "USD"), ("USD", "KWD"), ("KWD", "JPY")]
)
def test_rates_of_other_currencies_are_refused(
    conversion: Converter, source: str, target: str
) -> None:
    """
    Swapped rates would turn yen into dinars.
    """
    with pytest.raises(CurrencyMismatchError, match="USD to JPY takes the rates of"):
        conversion(
            1, Currency.of("USD"), Currency.of("JPY"), rate(source), rate(target)
        )


@pytest.mark.parametrize("withdrawn", ["USD", "JPY"])
def test_a_withdrawn_rate_converts_nothing(withdrawn: str) -> None:
    """
    A decision asks the book, which gives no withdrawn rate; here it is a fault.
    """
    rates = {code: rate(code) for code in ("USD", "JPY")}
    rates[withdrawn] = usd_rate(withdrawn, None)

    with pytest.raises(ValueError, match=f"the rate of {withdrawn} is withdrawn"):
        convert(1, Currency.of("USD"), Currency.of("JPY"), rates["USD"], rates["JPY"])
    with pytest.raises(ValueError, match=f"the rate of {withdrawn} is withdrawn"):
        applied_rate(rates["USD"], rates["JPY"])
