from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from currency.official import official_rates

MOMENT = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "usd_per_unit"),
    [
        ("AED", 1 / Fraction("3.6725")),
        ("QAR", 1 / Fraction("3.64")),
        ("BHD", 1 / Fraction("0.376")),
        ("JOD", 1 / Fraction("0.709")),
        ("OMR", Fraction("2.6008")),
        ("SAR", 1 / Fraction("3.75")),
        ("KWD", Fraction("3.2520")),
        ("EGP", Fraction("0.0198")),
        ("LBP", Fraction("0.0000111607")),
    ],
)
def test_a_peg_is_in_the_file_to_the_last_digit(
    code: str, usd_per_unit: Fraction
) -> None:
    """
    Each peg as its central bank states it, to 12 digits of dollars for a unit.
    """
    rates = {rate.currency_code: rate for rate in official_rates(MOMENT)}

    assert round(usd_per_unit * 10**12) == rates[code].usd_per_unit_e12


def test_every_row_is_dated_and_says_where_it_is_from() -> None:
    """
    They hold from the moment the caller gives; samples are called samples.
    """
    rates = official_rates(MOMENT)

    assert len(rates) == 9
    assert {rate.effective_from for rate in rates} == {MOMENT}
    assert {rate.as_of.date() for rate in rates} == {date(2024, 12, 31)}
    for rate in rates:
        is_sample = rate.currency_code in {"KWD", "EGP", "LBP"}
        assert rate.source.startswith("Sample") == is_sample
        assert ("official peg" in rate.source) != is_sample
