"""
What a person writes is read by one rule, or refused with the remedy.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest

from currency import Currency
from gateway.console import fields
from gateway.console.faults import FieldError
from gateway.console.options import (
    read_device_name,
    read_product_name,
    read_store_name,
    read_terminal_name,
)
from gateway.console.wording import write_duration


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        (fields.read_code, "nile-retail", "nile-retail"),
        (fields.read_code, "7", "7"),
        (fields.read_name, "  Nile Retail ", "Nile Retail"),
        (fields.read_name, "شركة النيل", "شركة النيل"),
        (fields.read_country, "KW", "KW"),
        (fields.read_currency, "KWD", Currency.of("KWD")),
        (fields.read_currencies, "KWD  USD KWD", ("KWD", "USD")),
        (fields.currency_of_country, "LB", "LBP"),
        (fields.currency_of_country, "TR", "TRY"),
        (fields.read_cut_off, "04:30", time(4, 30)),
        (fields.read_day, "2024-02-29", date(2024, 2, 29)),
        (
            fields.read_moment,
            "2025-01-01T03:00:00+03:00",
            datetime(2025, 1, 1, tzinfo=UTC),
        ),
        (fields.read_moment, "2025-01-01 00:00z", datetime(2025, 1, 1, tzinfo=UTC)),
        (fields.read_duration, "1d12h30m5s", timedelta(1, 45_005)),
        (fields.read_duration, "-36h", -timedelta(hours=36)),
        (fields.read_max_age, "7d", timedelta(7)),
        (read_store_name, "nile/cairo-1", ("nile", "cairo-1")),
        (read_terminal_name, "nile/cairo-1/t", ("nile", "cairo-1", "t")),
        (read_device_name, "nile/cairo-1/t", ("nile", "cairo-1", "t")),
        (read_product_name, "gift/standard", ("gift", "standard")),
    ],
)
def test_what_is_written_well_is_read(
    reader: Callable[[str], object], text: str, value: object
) -> None:
    """
    Each text gives its value.
    """
    assert value == reader(text)


@pytest.mark.parametrize(
    ("reader", "text", "remedy"),
    [
        (fields.read_code, "Nile", "a-z, 0-9"),
        (fields.read_code, "-nile", "beginning with a letter or digit"),
        (fields.read_code, "a" * 64, "1 to 63"),
        (fields.read_code, "a" * 1_000_000, "..."),
        (fields.read_code, "nile\n", "a-z"),
        (fields.read_name, "   ", "1 to 200 printable"),
        (fields.read_name, "a\x1b[31m", "printable"),
        (fields.read_name, "a" * 201, "1 to 200"),
        (fields.read_country, "EU", "ISO 3166"),
        (fields.read_country, "ZZ", "ISO 3166"),
        (fields.read_country, "kw", "two capital letters"),
        (fields.read_currency, "XAU", "for example KWD"),
        (fields.read_currencies, "KWD,USD", "ISO 4217"),
        (fields.currency_of_country, "PS", "name what the store takes"),
        (fields.read_time_zone, "Kuwait/Asia", "Asia/Kuwait"),
        (fields.read_time_zone, "../etc", "IANA name"),
        (fields.read_time_zone, "posixrules", "IANA name"),
        (fields.read_cut_off, "24:00", "04:00"),
        (fields.read_cut_off, "4:00", "04:00"),
        (fields.read_day, "2025-02-30", "2025-01-31"),
        (fields.read_day, "1/2/2025", "2025-01-31"),
        (fields.read_moment, "2025-01-01T00:00:00", "has no zone"),
        (fields.read_moment, "2025-13-01T00:00:00Z", "is no time"),
        (fields.read_moment, "0001-01-01T00:00:00+14:00", "is no time"),
        (fields.read_duration, "", "7d, 36h"),
        (fields.read_duration, "-", "7d, 36h"),
        (fields.read_duration, "7", "7d, 36h"),
        (fields.read_duration, "1h1d", "7d, 36h"),
        (fields.read_max_age, "0d", "more than nothing"),
        (read_store_name, "nile", "write MERCHANT/STORE"),
        (read_store_name, "nile/a/b", "write MERCHANT/STORE"),
        (read_store_name, "nile/A", "'A' is no code"),
        (read_terminal_name, "nile/a", "write MERCHANT/STORE/TERMINAL"),
        (read_device_name, "nile/a", "write MERCHANT/STORE/DEVICE"),
        (read_product_name, "gift", "write PROGRAM/PRODUCT"),
    ],
)
def test_what_is_written_badly_is_refused(
    reader: Callable[[str], object], text: str, remedy: str
) -> None:
    """
    The message quotes a bounded part and says what would be right.
    """
    with pytest.raises(FieldError) as refused:
        reader(text)

    assert remedy in refused.value.message
    assert len(refused.value.message) < 250
    assert refused.value.message.isprintable()


def test_a_day_that_the_calendar_lacks_keeps_the_reason() -> None:
    """
    2025-02-30 looks like a day: the calendar's own word is the cause.
    """
    with pytest.raises(FieldError) as refused:
        fields.read_day("2025-02-30")

    assert isinstance(refused.value.__cause__, ValueError)
    assert "day is out of range" in refused.value.message


def test_an_amount_has_the_currencys_digits() -> None:
    """
    Nothing is rounded, and nothing that is no amount above zero passes.
    """
    assert 10_000 == fields.read_amount("10.000", Currency.of("KWD"))
    assert 10 == fields.read_amount("10", Currency.of("JPY"))
    for text, code in (
        ("10.00", "KWD"),
        ("10.0", "JPY"),
        ("0.00", "USD"),
        ("-1.00", "USD"),
        ("1e3", "USD"),
    ):
        with pytest.raises(FieldError):
            fields.read_amount(text, Currency.of(code))


@pytest.mark.parametrize("text", ["7d", "1d12h", "36m", "1d2h3m4s", "-5h", "0s"])
def test_a_length_of_time_is_written_as_it_is_read(text: str) -> None:
    """
    The two agree, so that what is shown can be typed.
    """
    assert text == write_duration(fields.read_duration(text))
