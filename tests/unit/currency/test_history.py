from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from currency import RateBook, RateImportError
from currency.history import central_bank_history
from currency.importers import reference_rate_moment


def test_the_history_covers_a_period_without_weekends() -> None:
    """
    Working days have a row each, weekends and bank holidays have none.
    """
    rates = central_bank_history(
        ["TRY"],
        first_day=date(2024, 12, 24),
        last_day=date(2025, 6, 30),
        effective_from=reference_rate_moment,
    )
    days = [rate.as_of.date() for rate in rates]

    assert days[0] == date(2024, 12, 24)
    assert days[-1] == date(2025, 6, 30)
    assert all(day.weekday() < 5 for day in days)
    assert date(2024, 12, 25) not in days
    assert date(2025, 4, 18) not in days
    assert all(a < b <= a + timedelta(days=5) for a, b in pairwise(days))


def test_a_table_stays_in_force_over_a_weekend() -> None:
    """
    A sale on Sunday takes Friday's rate, one after Monday's publication Monday's.
    """
    rates = central_bank_history(
        ["EUR"],
        first_day=date(2025, 1, 2),
        last_day=date(2025, 1, 6),
        effective_from=reference_rate_moment,
    )
    book = RateBook.of(rate.with_version(1) for rate in rates)
    friday = book.rate_at("EUR", datetime(2025, 1, 5, 12, tzinfo=UTC))
    monday = book.rate_at("EUR", datetime(2025, 1, 6, 15, tzinfo=UTC))

    assert friday is not None
    assert friday.usd_per_unit_e12 == 1_029_900_000_000
    assert monday is not None
    assert monday.as_of.date() == date(2025, 1, 6)


@pytest.mark.parametrize(
    ("code", "first_day", "last_day"),
    [
        ("TRY", date(2004, 12, 1), date(2005, 3, 1)),
        ("RUB", date(2022, 2, 1), date(2022, 6, 1)),
    ],
)
def test_a_history_that_begins_late_or_ends_early_is_refused(
    code: str, first_day: date, last_day: date
) -> None:
    """
    The new lira began in January 2005, the rouble's quotes ended in March 2022.
    """
    with pytest.raises(RateImportError, match=f"quotes {code} from .* only, not from"):
        central_bank_history(
            [code],
            first_day=first_day,
            last_day=last_day,
            effective_from=reference_rate_moment,
        )


def test_the_dinar_is_not_in_the_banks_history() -> None:
    """
    None of the reference case's own currencies is: they come from the official file.
    """
    with pytest.raises(RateImportError, match="quotes no 'KWD'"):
        central_bank_history(
            ["KWD"],
            first_day=date(2025, 1, 2),
            last_day=date(2025, 1, 6),
            effective_from=reference_rate_moment,
        )
