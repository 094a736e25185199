from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from currency import ImportedRate, RateImportError
from currency.importers import read_ecb_rates, reference_rate_moment

# As the bank writes them: a comma at each line's end, blanks in the day file.
HISTORY = b"""Date,USD,JPY,BGN,HRK,TRY,
2025-01-03,1.0299,161.84,1.9558,N/A,36.4165,
2025-01-02,1.0321,162.5,1.9558,N/A,36.4961,
2024-12-31,1.0389,163.06,1.9558,N/A,36.7372,
"""
ONE_DAY = b"""Date, USD, JPY, TRY, 
03 January 2025, 1.0299, 161.84, 36.4165, 
"""  # noqa: W291 - the bank's own blank


def midnight(day: date) -> datetime:
    """
    Take a day's rates from the start of the day.
    """
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def e12(value: Fraction) -> int:
    """
    Scale a rate; a Fraction rounds HALF_EVEN.
    """
    return round(value * 10**12)


def refusal(content: bytes, currencies: list[str] | None = None) -> str:
    """
    Give the text of the refusal.
    """
    with pytest.raises(RateImportError) as raised:
        read_ecb_rates(content, effective_from=midnight, currencies=currencies)
    return str(raised.value)


def by_place(rates: list[ImportedRate]) -> dict[tuple[date, str], int | None]:
    """
    Key the rates by day and currency.
    """
    return {
        (rate.effective_from.date(), rate.currency_code): rate.usd_per_unit_e12
        for rate in rates
    }


def test_the_history_gives_dollars_for_a_unit_oldest_day_first() -> None:
    """
    Units for one euro become dollars for one unit, rounded once to 12 digits.
    """
    rates = read_ecb_rates(
        HISTORY, effective_from=midnight, currencies=["TRY", "EUR", "JPY"]
    )

    assert len(rates) == 9
    assert sorted(rates, key=lambda rate: rate.effective_from) == rates
    day = date(2025, 1, 3)
    found = by_place(rates)
    assert found[day, "EUR"] == 1_029_900_000_000
    assert found[day, "TRY"] == e12(Fraction("1.0299") / Fraction("36.4165"))
    assert found[day, "JPY"] == e12(Fraction("1.0299") / Fraction("161.84"))


def test_the_file_of_one_day_gives_the_same_rates() -> None:
    """
    The day file has another way to write dates, and blanks after its commas.
    """
    daily = read_ecb_rates(ONE_DAY, effective_from=midnight, currencies=["TRY", "EUR"])
    history = read_ecb_rates(
        HISTORY,
        effective_from=midnight,
        currencies=["TRY", "EUR"],
        first_day=date(2025, 1, 3),
    )

    assert history == daily


def test_a_rate_knows_when_it_was_published_and_by_whom() -> None:
    """
    The bank publishes at 16:00 in Frankfurt; from when it holds, the caller says.
    """
    (rate,) = read_ecb_rates(ONE_DAY, effective_from=midnight, currencies=["TRY"])

    assert rate.effective_from == datetime(2025, 1, 3, tzinfo=UTC)
    assert rate.as_of == datetime(2025, 1, 3, 15, tzinfo=UTC)
    assert "European Central Bank" in rate.source
    assert reference_rate_moment(date(2025, 7, 1)) == datetime(
        2025, 7, 1, 14, tzinfo=UTC
    )


def test_only_the_days_asked_for_are_read() -> None:
    """
    Both ends of the range belong to it, and a day that is no row gets no row.
    """
    rates = read_ecb_rates(
        HISTORY,
        effective_from=midnight,
        currencies=["TRY"],
        first_day=date(2024, 12, 31),
        last_day=date(2025, 1, 2),
    )

    assert [rate.effective_from.day for rate in rates] == [31, 2]


def test_without_a_choice_all_that_iso_4217_still_lists_is_read() -> None:
    """
    The kuna ended with 2022: no card counts in it, so its column is passed over.
    """
    rates = read_ecb_rates(HISTORY, effective_from=midnight)

    assert {"JPY", "TRY", "EUR"} <= {rate.currency_code for rate in rates}
    assert "HRK" not in {rate.currency_code for rate in rates}
    assert "USD" not in {rate.currency_code for rate in rates}


def test_a_cell_without_a_quote_gives_no_rate() -> None:
    """
    N/A and an empty cell both say that the bank quoted nothing that day.
    """
    content = b"Date,USD,JPY,TRY\n2025-01-03,1.03,N/A,\n2025-01-06,1.03,160,36\n"
    rates = read_ecb_rates(content, effective_from=midnight, currencies=["JPY", "TRY"])

    assert [rate.effective_from.day for rate in rates] == [6, 6]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, header"),
        (b"\n", "line 1, header"),
        (b"currency,usd_per_unit\n", "line 1, header"),
        (b"Date,USD,yen\n", "it begins Date,USD,JPY"),
        (b"Date,USD,JPY,JPY\n", "a currency has two columns"),
        (b"Date,JPY,TRY\n2025-01-03,161.84,36\n", "has no USD column"),
        (b"Date,USD,JPY\n2025-01-03,N/A,161\n", "line 2, USD: 2025-01-03 has no USD"),
        (b"Date,USD,JPY\n3.1.2025,1,161\n", "line 2, Date: '3.1.2025': write 2025"),
        (b"Date,USD,JPY\n2025-02-30,1,161\n", "line 2, Date: '2025-02-30'"),
        (b"Date,USD,JPY\n31 June 2025,1,161\n", "line 2, Date: '31 June 2025'"),
        (b"Date,USD,JPY\n31 Juni 2025,1,161\n", "line 2, Date: '31 Juni 2025'"),
        (
            b"Date,USD,JPY\n2025-01-03,1,161\n2025-01-03,1,161\n",
            "line 3, Date: 2025-01-03 comes twice",
        ),
        (b"Date,USD,JPY\n2025-01-03,1\n", "line 2, JPY: the row ends before"),
        (b"Date,USD,JPY\n2025-01-03,1,0\n", "line 2, JPY: '0' is no rate"),
        (b"Date,USD,JPY\n2025-01-03,1,-1\n", "line 2, JPY: '-1' is no rate"),
        (b"Date,USD,JPY\n2025-01-03,1,1e2\n", "line 2, JPY: '1e2' is no rate"),
        (
            b"Date,USD,JPY\n2025-01-03,1,99999999999999\n",
            "line 2, JPY: 0.000000000000 is no rate",
        ),
        (b'Date,USD,JPY\n2025-01-03,1,"1"6\n', "line 2, row: is not CSV"),
        (b"Date,USD,JPY\n", "has no rate of any currency"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(content: bytes, message: str) -> None:
    """
    A table with a hole or a wrong day would price sales wrongly for a day.
    """
    assert message in refusal(content)


@pytest.mark.parametrize(
    ("currencies", "message"),
    [
        (["KWD"], "the bank quotes no 'KWD': import it by plain CSV"),
        (["HRK"], "the bank quotes no 'HRK'"),
        (["USD"], "USD is the unit and always 1"),
        ([], "has no rate of any currency"),
    ],
)
def test_a_currency_that_the_bank_cannot_give_is_refused(
    currencies: list[str], message: str
) -> None:
    """
    Asking for the dinar here would otherwise end in a store without a rate.
    """
    assert message in refusal(HISTORY, currencies)


def test_a_currency_without_a_rate_in_the_range_is_refused() -> None:
    """
    A demo in a currency that was never quoted must not start.
    """
    content = b"Date,USD,JPY,TRY\n2025-01-03,1.03,161.84,N/A\n"

    assert "has no rate of TRY between" in refusal(content, ["TRY", "JPY"])


def test_the_number_of_faults_is_bounded() -> None:
    """
    A file of another kind gives fifty faults, not seven thousand.
    """
    with pytest.raises(RateImportError) as raised:
        read_ecb_rates(b"Date,USD,JPY\n" + b"?,1,1\n" * 7000, effective_from=midnight)

    assert len(raised.value.problems) == 50
    assert raised.value.more
