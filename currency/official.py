"""
Give the rates that no central bank file has: official pegs and samples.

The rows are `data/official_rates.csv`, in the plain format, each with its source.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from importlib.resources import files

from currency.importers.imported_rate import ImportedRate
from currency.importers.plain_csv import read_plain_csv


def official_rates(effective_from: datetime) -> list[ImportedRate]:
    """
    Give AED, QAR, BHD, JOD, OMR, SAR at their pegs, and samples of KWD, EGP, LBP.

    They are in force from the moment given, which a rate table wants to lie in the
    future when they are loaded.
    """
    packaged = files("currency").joinpath("data", "official_rates.csv")
    return [
        replace(rate, effective_from=effective_from)
        for rate in read_plain_csv(packaged.read_bytes())
    ]
