from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from currency import (
    RATE_SCALE,
    USD_RATE,
    RateFormatError,
    UsdRate,
    parse_rate_e12,
    rate_decimal,
    rate_e12,
)

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def row(**changes: object) -> UsdRate:
    """
    Make a good row with some fields changed.
    """
    fields: dict[str, Any] = {
        "currency_code": "KWD",
        "usd_per_unit_e12": 3_252_000_000_000,
        "version": 1,
        "effective_from": NOON,
        "as_of": NOON,
        "source": "test",
    }
    return UsdRate(**(fields | changes))


@pytest.mark.parametrize(
    ("text", "scaled"),
    [
        ("3.2520", 3_252_000_000_000),
        ("0.0000111607", 11_160_700),
        ("0.000000000001", 1),
        ("1", 10**12),
        ("99999999.999999999999", 10**20 - 1),
    ],
)
def test_a_plain_rate_is_read_exactly(text: str, scaled: int) -> None:
    """
    A rate is an integer of 10**-12 dollars and comes back as the same Decimal.
    """
    assert scaled == parse_rate_e12(text)
    assert Decimal(text) == rate_decimal(scaled)
    assert scaled == rate_e12(Decimal(text))
    assert -RATE_SCALE == rate_decimal(scaled).as_tuple().exponent


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("1e-5", "no exponent"),
        ("", "no exponent"),
        (" 1", "blanks"),
        ("1,5", "separators"),
        ("nan", "not a plain number"),
        ("0.0000000000001", "has 13 digits after the point: round it to 12"),
        ("100000000", "at most 8 digits before the point"),
        ("0", "lies above zero"),
        ("0.000", "lies above zero"),
        ("-3.2520", "lies above zero"),
    ],
)
def test_text_that_is_no_rate_is_refused_with_the_remedy(
    text: str, remedy: str
) -> None:
    """
    Nothing is rounded or guessed: the person who made the file decides.
    """
    with pytest.raises(RateFormatError, match=remedy):
        parse_rate_e12(text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Decimal("NaN"), "finite Decimal"),
        (Decimal("Infinity"), "finite Decimal"),
        (1.5, "finite Decimal"),
        (Decimal("0.0000000000001"), "more than 12 digits"),
        (Decimal(0), "above zero"),
        (Decimal(-1), "above zero"),
        (Decimal(10**8), "at most 8 digits"),
    ],
)
def test_a_value_of_the_database_that_is_no_rate_is_refused(
    value: object, message: str
) -> None:
    """
    What a column NUMERIC(20,12) with its CHECK cannot hold is not a rate.
    """
    with pytest.raises(RateFormatError, match=message):
        rate_e12(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("scaled", [1.0, True, Decimal(1)])
def test_a_rate_is_nothing_but_an_int(scaled: object) -> None:
    """
    A float near money is refused at the door.
    """
    with pytest.raises(TypeError, match="a rate is an int"):
        row(usd_per_unit_e12=scaled)


@pytest.mark.parametrize("scaled", [0, -1, 10**20])
def test_a_row_holds_only_rates_that_the_table_can_hold(scaled: int) -> None:
    """
    Zero would make sales free, and too much would not fit the column.
    """
    with pytest.raises(RateFormatError):
        row(usd_per_unit_e12=scaled)


@pytest.mark.parametrize("version", [-1, 1.0, True])
def test_a_version_is_an_int_from_zero(version: object) -> None:
    """
    Versions are compared, so they must be whole and ordered.
    """
    with pytest.raises(ValueError, match="a version is an int"):
        row(version=version)


@pytest.mark.parametrize("field", ["effective_from", "as_of"])
def test_a_time_without_a_zone_is_refused(field: str) -> None:
    """
    A naive time would mean something else on each machine.
    """
    with pytest.raises(ValueError, match="has no zone"):
        row(**{field: datetime(2025, 1, 1)})  # noqa: DTZ001 - naive on purpose


def test_times_are_kept_in_utc() -> None:
    """
    The same moment in another zone makes the same row.
    """
    kuwait = NOON.astimezone(timezone(timedelta(hours=3)))

    assert row() == row(effective_from=kuwait, as_of=kuwait)
    assert row(effective_from=kuwait).effective_from.tzinfo is UTC


def test_a_row_gives_its_rate_as_a_decimal() -> None:
    """
    The database and people get the Decimal, or None for a withdrawal.
    """
    assert row().usd_per_unit == Decimal("3.252")
    assert row(usd_per_unit_e12=None).usd_per_unit is None


def test_the_dollar_is_one_and_never_stale() -> None:
    """
    The unit of the table needs no row, and no age of it declines a sale.
    """
    assert USD_RATE.usd_per_unit == 1
    assert USD_RATE.version == 0
    assert datetime(2999, 1, 1, tzinfo=UTC) < USD_RATE.as_of
