"""
How limits are read and written.
"""

from typing import Any

import pytest

from currency import Currency
from gateway.books.admin_limits import LimitSetName, NewLimits
from gateway.console.faults import BadInputError, FieldError
from gateway.console.limit_terms import (
    Given,
    WindowLimit,
    limits_text,
    read_limit_set_name,
    read_window_limit,
)
from gateway.console.wording import Wording

USD = Currency.of("USD")


@pytest.mark.parametrize(
    ("text", "times", "seconds"),
    [("5/10m", 5, 600), ("1/1d", 1, 86_400), ("1000/90s", 1_000, 90)],
)
def test_a_window_is_how_often_in_how_long(text: str, times: int, seconds: int) -> None:
    """
    Up to a thousand times, in at most a day.
    """
    assert read_window_limit(text) == WindowLimit(times, seconds)


@pytest.mark.parametrize("text", ["5", "5/", "0/10m", "1001/1m", "5/25h", "5/0s", "x"])
def test_what_is_no_window(text: str) -> None:
    """
    It is refused with a remedy.
    """
    with pytest.raises(FieldError, match=r"5/10m|7d, 36h"):
        read_window_limit(text)


def test_a_set_is_named_by_its_programme() -> None:
    """
    As products are.
    """
    assert read_limit_set_name("gift/everyday") == LimitSetName("gift", "everyday")


def test_options_become_a_version() -> None:
    """
    Amounts in the limits' currency; none at all is refused, and so is no amount.
    """
    given = Given(
        load_day="2000.00",
        load_window=WindowLimit(3, 60),
        spend_amount="5.00",
        spend_count=4,
        spend_window=WindowLimit(1, 30),
    )

    assert given.read(USD) == NewLimits(
        load_day_minor=2_000_00,
        load_window_count=3,
        load_window_s=60,
        spend_amount_minor=5_00,
        spend_day_count=4,
        spend_window_count=1,
        spend_window_s=30,
    )
    with pytest.raises(BadInputError, match="at least one limit"):
        Given().read(USD)
    with pytest.raises(BadInputError, match="--load-day"):
        Given(load_day="5").read(USD)


def test_limits_are_written_for_people() -> None:
    """
    What is limited, and nothing of what is not.
    """
    row: dict[str, Any] = {
        "currency": "USD",
        "load_amount_minor": 5_00,
        "load_day_minor": 2_000_00,
        "load_day_count": 3,
        "load_window_count": 2,
        "load_window_s": 600,
        "spend_day_minor": None,
        "spend_day_count": None,
    }
    wording = Wording("en")

    assert limits_text(row, "load", wording) == (
        "USD 5.00 at a time, USD 2,000.00 a day, 3 times a day, 2 times in 10m"
    )
    assert limits_text(row, "spend", wording) == ""
