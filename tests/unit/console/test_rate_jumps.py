"""
A rate that moves too far is found, wherever its predecessor stands.
"""

from datetime import UTC, datetime, timedelta

import pytest

from currency import UsdRate, parse_rate_e12
from gateway.console.rate_jumps import find_jumps, needs_second_person, same_person

START = datetime(2025, 1, 1, tzinfo=UTC)


def rate(
    usd: str | None, *, version: int = 1, day: int = 0, code: str = "KWD"
) -> UsdRate:
    """
    Make a row of the table.
    """
    at = START + timedelta(days=day)
    return UsdRate(
        currency_code=code,
        usd_per_unit_e12=None if usd is None else parse_rate_e12(usd),
        version=version,
        effective_from=at,
        as_of=at,
        source="test",
    )


@pytest.mark.parametrize(
    ("new", "percent"),
    [
        ("3.3", None),
        ("3.300000000001", "10.00"),
        ("2.7", None),
        ("2.699999999999", "-10.00"),
        ("30.0", "900.00"),
        ("0.3", "-90.00"),
    ],
)
def test_a_jump_is_more_than_the_limit_either_way(
    new: str, percent: str | None
) -> None:
    """
    Exactly the limit passes; the least bit more does not.
    """
    jumps = find_jumps([rate("3.0"), rate(new, version=2, day=1)], 2, max_percent=10)

    assert ([] if percent is None else [percent]) == [
        f"{jump.percent:f}" for jump in jumps
    ]


def test_a_first_rate_and_a_withdrawal_are_no_jumps() -> None:
    """
    They move from and to nothing.
    """
    table = [
        rate("3.0"),
        rate(None, version=2, day=1),
        rate("9", version=2, code="LBP"),
    ]

    assert [] == find_jumps(table, 2, max_percent=10)


def test_a_withdrawal_does_not_hide_a_jump() -> None:
    """
    The rate before the withdrawal counts.
    """
    table = [
        rate("3.0"),
        rate(None, version=2, day=1),
        rate("30.0", version=2, day=2),
    ]

    (jump,) = find_jumps(table, 2, max_percent=10)
    assert "3.000000000000 becomes 30.000000000000, +900.00 %" in str(jump)
    assert str(jump).startswith("KWD from 2025-01-03T00:00:00Z")


def test_steps_within_one_import_are_compared_with_each_other() -> None:
    """
    A history may wander far in small steps; a leap inside of it is found.
    """
    steps = ["3.0", "3.2", "3.5", "3.8", "4.1", "9.9"]
    table = [rate(usd, version=2, day=day) for day, usd in enumerate(steps)]

    (jump,) = find_jumps(reversed(table), 2, max_percent=10)
    assert "9.900000000000" in str(jump)


def test_rows_of_other_versions_are_only_compared_with() -> None:
    """
    What was loaded before was judged before.
    """
    table = [rate("3.0"), rate("30.0", day=1), rate("31.0", version=2, day=2)]

    assert [] == find_jumps(table, 2, max_percent=10)


def test_replacing_a_future_row_compares_with_the_row_replaced() -> None:
    """
    At one moment the greater version wins, and is the later one here too.
    """
    table = [rate("3.0", day=1), rate("3.9", version=2, day=1)]

    assert 1 == len(find_jumps(table, 2, max_percent=10))


def test_somebody_else_must_approve_a_jump() -> None:
    """
    Nobody, or the same person however written, is not somebody else.
    """
    jumps = find_jumps([rate("3.0"), rate("9.0", version=2, day=1)], 2, max_percent=10)

    assert not needs_second_person([], "ann", None)
    assert needs_second_person(jumps, "ann", None)
    assert needs_second_person(jumps, "Ann Lee", " ann  LEE ")
    assert not needs_second_person(jumps, "ann", "bo")
    assert not same_person("ann", "anna")
