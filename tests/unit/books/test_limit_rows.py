"""
The limits in force, from rows.
"""

from currency import Currency
from gateway.books.limit_rows import card_limits_of, terminal_limits_of
from gateway.domain.limits import NO_LIMITS, FlowLimits, Limits


def test_sets_and_terminals_are_told_apart() -> None:
    """
    Each row is of one of the two.
    """
    none = (None,) * 5
    rows = [
        (7, None, 70, "USD", 1, 2, 3, 4, 5, *none),
        (None, 9, 90, "KWD", *none, None, 6, 7, None, None),
    ]

    assert card_limits_of(rows) == {
        7: Limits(
            version_id=70,  # type: ignore[arg-type]
            currency=Currency.of("USD"),
            load=FlowLimits(1, 2, 3, 4, 5),
            spend=NO_LIMITS,
        )
    }
    assert terminal_limits_of(rows) == {
        9: Limits(
            version_id=90,  # type: ignore[arg-type]
            currency=Currency.of("KWD"),
            spend=FlowLimits(day_minor=6, day_count=7),
        )
    }
