from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from currency import (
    MAX_MINOR_UNITS,
    Currency,
    CurrencyMismatchError,
    Money,
    MoneyFormatError,
)

JPY = Currency.of("JPY")
USD = Currency.of("USD")
KWD = Currency.of("KWD")


@pytest.mark.parametrize("minor_units", [True, 1.0, "1", None])
def test_minor_units_are_nothing_but_an_int(minor_units: object) -> None:
    """
    True and 1.0 equal 1 for Python; as money they are refused.
    """
    with pytest.raises(TypeError, match="minor units are an int"):
        Money(minor_units, USD)  # type: ignore[arg-type]


def test_the_currency_is_nothing_but_a_currency() -> None:
    """
    A code in the place of a currency would compare as another currency.
    """
    code: Any = "USD"

    with pytest.raises(TypeError, match=r"Currency\.of"):
        Money(1, code)


def test_money_never_changes_and_may_be_a_key() -> None:
    """
    Amounts are values: equal ones are one key, and pickling keeps them equal.
    """
    money = Money(10000, KWD)

    with pytest.raises(FrozenInstanceError):
        money.minor_units = 1  # type: ignore[misc]
    assert {money: "ten"}[Money(10000, KWD)] == "ten"
    assert pickle.loads(pickle.dumps(money)) == money  # noqa: S301 - our own bytes


def test_amounts_of_one_currency_add_subtract_and_compare() -> None:
    """
    Within one currency, money is arithmetic on minor units.
    """
    small, great = Money(250, USD), Money(1000, USD)

    assert small + great == Money(1250, USD)
    assert small - great == Money(-750, USD)
    assert small < great
    assert small <= great
    assert great > small
    assert great >= small
    assert small <= Money(250, USD)
    assert small >= Money(250, USD)
    assert not great < small
    assert not great <= small


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__"])
def test_two_currencies_never_mix(operation: str) -> None:
    """
    What would need a rate raises and names both amounts.
    """
    with pytest.raises(CurrencyMismatchError, match=r"1\.00 USD and 100 JPY"):
        getattr(Money(100, USD), operation)(Money(100, JPY))


@pytest.mark.parametrize("other", [1, 1.0, "1.00", None])
def test_money_and_a_number_never_mix(other: object) -> None:
    """
    A bare number has no currency, so nothing can be said about the two.
    """
    money = Money(100, USD)

    with pytest.raises(TypeError):
        money + other  # type: ignore[operator]
    with pytest.raises(TypeError):
        money - other  # type: ignore[operator]
    with pytest.raises(TypeError):
        assert money < other  # type: ignore[operator]
    with pytest.raises(TypeError):
        assert money <= other  # type: ignore[operator]
    assert money != other


def test_equal_numbers_of_two_currencies_are_not_equal() -> None:
    """
    One hundred cents are not one hundred yen.
    """
    assert Money(100, USD) != Money(100, JPY)


def test_there_is_no_division() -> None:
    """
    A third of a cent is nobody's money; allocate is the way.
    """
    money: Any = Money(100, USD)

    with pytest.raises(TypeError):
        money / 3
    with pytest.raises(TypeError):
        money // 3


@pytest.mark.parametrize(
    ("minor_units", "weights", "expected"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (5, [3, 7], [2, 3]),
        (1000, [0, 1, 0], [0, 1000, 0]),
        (2, [1, 1, 1], [1, 1, 0]),
        (101, [1, 2, 1], [25, 51, 25]),
        (0, [1, 2], [0, 0]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (7, [1], [7]),
    ],
)
def test_allocate_gives_the_rest_to_the_largest_remainders(
    minor_units: int, weights: list[int], expected: list[int]
) -> None:
    """
    Parts follow the weights and add up to the whole.
    """
    parts = Money(minor_units, USD).allocate(weights)

    assert [Money(part, USD) for part in expected] == parts


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1], [-1]])
def test_allocate_refuses_weights_that_share_nothing(weights: list[int]) -> None:
    """
    Nobody, nothing and less than nothing cannot get a share.
    """
    with pytest.raises(ValueError, match="at least one is above zero"):
        Money(100, USD).allocate(weights)


@pytest.mark.parametrize("weight", [1.0, True, "1"])
def test_allocate_refuses_weights_that_are_no_ints(weight: object) -> None:
    """
    A float weight would bring its error into the shares.
    """
    with pytest.raises(TypeError, match="weights are ints"):
        Money(100, USD).allocate([1, weight])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("text", "currency", "minor_units"),
    [
        ("10.000", KWD, 10000),
        ("0.001", KWD, 1),
        ("10.00", USD, 1000),
        ("0.00", USD, 0),
        ("-5.00", USD, -500),
        ("1500", JPY, 1500),
        ("0", JPY, 0),
        ("-1", JPY, -1),
        ("10000000000000.00", USD, MAX_MINOR_UNITS),
    ],
)
def test_text_with_exactly_the_digits_is_read_and_written(
    text: str, currency: Currency, minor_units: int
) -> None:
    """
    The plain decimal text of an amount and the amount are the same thing.
    """
    money = Money.parse(text, currency)

    assert Money(minor_units, currency) == money
    assert text == money.to_decimal_text()


@pytest.mark.parametrize(
    ("text", "currency", "remedy"),
    [
        ("10.005", USD, "has 3 digits after the point, USD has 2: round it yourself"),
        ("1.5", JPY, "JPY has 0: round it yourself and write JPY without a point"),
        ("10.0000", KWD, "exactly 3 digits after the point, for example 10.000"),
        ("10.00", KWD, "has 2 digits after the point, KWD has 3: write 10.000"),
        ("10", KWD, "has 0 digits after the point, KWD has 3: write 10.000"),
        ("-5.1", USD, "write -5.10"),
    ],
)
def test_other_digits_than_the_currencys_are_refused_with_the_remedy(
    text: str, currency: Currency, remedy: str
) -> None:
    """
    The message says how many digits the currency has and what to write.
    """
    with pytest.raises(MoneyFormatError) as raised:
        Money.parse(text, currency)

    assert repr(text) in str(raised.value)
    assert remedy in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " 10.00",
        "10.00 ",
        "10.00\n",
        "1 000.00",
        "1,000.00",
        "1_000.00",
        "10,00",
        "+10.00",
        "1e3",
        "1E-2",
        "10.",
        ".50",
        "010.00",
        "--1.00",
        "-",
        "NaN",
        "Infinity",
        "0x10",
        "$10.00",
        "\u0661\u0660.\u0660\u0660",
        "\uff11\uff10.\uff10\uff10",
        "9" * 41,
    ],
)
def test_what_is_not_plain_decimal_text_is_refused(text: str) -> None:
    """
    Blanks, separators, exponents and foreign digits are never guessed at.
    """
    with pytest.raises(MoneyFormatError) as raised:
        Money.parse(text, USD)

    assert "is not a plain amount: write USD with exactly 2 digits" in str(raised.value)
    assert "for example 10.00" in str(raised.value)


def test_a_currency_without_digits_is_explained_without_a_point() -> None:
    """
    For yen the remedy must not speak of digits after a point.
    """
    with pytest.raises(MoneyFormatError, match="write JPY without a point, for exampl"):
        Money.parse("1e3", JPY)


@pytest.mark.parametrize("text", ["10000000000000.01", "-10000000000000.01"])
def test_text_above_the_largest_amount_is_refused(text: str) -> None:
    """
    Text keeps to 10**15 minor units, as amounts on the wire do.
    """
    with pytest.raises(MoneyFormatError, match=r"largest amount is 10000000000000\.00"):
        Money.parse(text, USD)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(5, KWD), "0.005 KWD"),
        (Money(-5, KWD), "-0.005 KWD"),
        (Money(10050, USD), "100.50 USD"),
        (Money(0, JPY), "0 JPY"),
    ],
)
def test_money_shows_itself_with_its_currency(money: Money, text: str) -> None:
    """
    People read the amount with all its digits, then the code.
    """
    assert text == str(money)
