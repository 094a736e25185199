"""
Compute a recorded conversion again, and compare.
"""

from collections.abc import Callable, Iterable
from typing import Any

from currency import (
    Conversion,
    Currency,
    RateBook,
    UsdRate,
    applied_rate,
    convert,
    rate_e12,
    share_of,
)

Row = dict[str, Any]


class ConversionCheck:
    """
    Know every rate that was ever in force, and find what does not follow from them.
    """

    def __init__(self, rates: Iterable[Row]) -> None:
        self._book = RateBook.of(map(_rate, rates))

    def fault_of(self, row: Row) -> Row | None:
        """
        Tell what is wrong with a recorded conversion, if anything is.
        """
        source = Currency.of(row["transaction_currency"])
        target = Currency.of(row["card_currency"])
        rates = self._recorded(row, source), self._recorded(row, target)
        again = _refunded(row, target)
        if again is None:
            again = _of_total(row, lambda minor: convert(minor, source, target, *rates))
        faults = [
            *_amount_faults(row, again),
            *self._table_faults(row, rates),
        ]
        if row["applied_rate"] != applied_rate(*rates):
            faults.append(f"the applied rate is {applied_rate(*rates)}")
        if row["requested_exponent"] != source.exponent:
            faults.append(f"{source} has {source.exponent} decimals")
        if not faults:
            return None
        return {**row, "fault": "; ".join(faults)}

    def _recorded(self, row: Row, currency: Currency) -> UsdRate:
        """
        Give the rate that the record names, whatever the table says.
        """
        of_sale = currency.code == row["transaction_currency"]
        return UsdRate(
            currency_code=currency.code,
            usd_per_unit_e12=rate_e12(
                row["rate_transaction"] if of_sale else row["rate_card"]
            ),
            version=row["rate_table_version"],
            effective_from=row["rate_effective_from"],
            as_of=row["rate_effective_from"],
            source="transaction",
        )

    def _table_faults(self, row: Row, rates: tuple[UsdRate, UsdRate]) -> list[str]:
        """
        Compare with the table as it was in force at the moment of the sale.
        """
        faults = []
        priced_at = row["priced_at"]
        for recorded in rates:
            code = recorded.currency_code
            rate = self._book.rate_at(code, priced_at)
            if rate is None or rate.usd_per_unit_e12 != recorded.usd_per_unit_e12:
                faults.append(f"another rate of {code} was in force")
        version = self._book.version_at(priced_at)
        if version != row["rate_table_version"]:
            faults.append(f"version {version} of the table was in force")
        in_force = self._book.rate_at(rates[0].currency_code, priced_at)
        if in_force and in_force.effective_from != row["rate_effective_from"]:
            faults.append(f"its rate is in force since {in_force.effective_from}")
        return faults


def _refunded(row: Row, target: Currency) -> Conversion | None:
    """
    Compute a refund as its sale's share; None where the row is no refund of a sale.

    Refunds are cumulative: this one comes to the share of all so far, less what the
    others came to, and `rounding` is that of all so far.
    """
    sold = row["sold_minor"]
    if not sold:
        return None
    refunded = row["refunded_minor"] + row["approved_minor"]
    share = share_of(refunded, sold, row["sold_card_minor"], target)
    return Conversion(share.amount_minor - row["refunded_card_minor"], share.rounding)


def _of_total(row: Row, at_rate: Callable[[int], Conversion]) -> Conversion:
    """
    Convert what was approved: of a hold as the last part of all that was so far.
    """
    total = row["total_minor"]
    if total is None:
        return at_rate(row["approved_minor"])
    whole, before = at_rate(total), at_rate(total - row["approved_minor"])
    return Conversion(whole.amount_minor - before.amount_minor, whole.rounding)


def _amount_faults(row: Row, again: Conversion) -> list[str]:
    faults = []
    if again.amount_minor != row["card_minor"]:
        faults.append(f"it comes to {again.amount_minor}")
    if again.rounding != row["rounding"]:
        faults.append(f"rounding added {again.rounding}")
    return faults


def _rate(row: Row) -> UsdRate:
    rate = row["usd_per_unit"]
    return UsdRate(
        currency_code=row["currency"],
        usd_per_unit_e12=None if rate is None else rate_e12(rate),
        version=row["version"],
        effective_from=row["effective_from"],
        as_of=row["as_of"],
        source=row["source"],
    )
