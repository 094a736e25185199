"""
Read files of rates into rows that a rate table takes.

An importer owns one format each and gives `ImportedRate`s, all or none. It assigns
no version and writes nothing: the caller's database does. It imports currency only.
"""

from __future__ import annotations

from currency.importers.ecb import read_ecb_rates, reference_rate_moment
from currency.importers.imported_rate import ImportedRate
from currency.importers.plain_csv import read_plain_csv

__all__ = [
    "ImportedRate",
    "read_ecb_rates",
    "read_plain_csv",
    "reference_rate_moment",
]
